// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "common.glsl"

// A group is one subgroup.
layout (constant_id = 3) const uint MATRIX_M = 16;
layout (constant_id = 4) const uint MATRIX_N = 16;
layout (constant_id = 5) const uint MATRIX_K = 16;

layout (push_constant, scalar) uniform Push
{
  F32 result;
  uint turns;
  float scale, shift;
};

const uint CHAINS = 4;

void
main ()
{
  const coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA>
      a = coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K,
          gl_MatrixUseA> (float16_t (scale));
  const coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N, gl_MatrixUseB>
      b = coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N,
          gl_MatrixUseB> (float16_t (shift));
  coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>
      x[CHAINS];
  [[unroll]] for (uint i = 0; i < CHAINS; i++)
    x[i] = coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
        gl_MatrixUseAccumulator> (float (i));
  for (uint turn = 0; turn < turns; turn++)
    [[unroll]] for (uint i = 0; i < CHAINS; i++)
      x[i] = coopMatMulAdd (a, b, x[i]);
  coopMatStore (x[0] + x[1] + (x[2] + x[3]), result.v,
      gl_WorkGroupID.x * MATRIX_M * MATRIX_N, MATRIX_N,
      gl_CooperativeMatrixLayoutRowMajor);
}
