// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "common.glsl"

layout (constant_id = 3) const uint MATRIX_M = 128;
layout (constant_id = 4) const uint MATRIX_N = 128;
layout (constant_id = 5) const uint MATRIX_K = 64;

layout (push_constant, scalar) uniform Push
{
  F32 result;
  uint turns;
  float scale, shift;
};

float
store (const in uint row, const in uint column, const in float x)
{
  result.v[(gl_WorkGroupID.x * MATRIX_M + row) * MATRIX_N + column] = x;
  return x;
}

void
main ()
{
  const coopmat<float16_t, gl_ScopeWorkgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA>
      a = coopmat<float16_t, gl_ScopeWorkgroup, MATRIX_M, MATRIX_K,
          gl_MatrixUseA> (float16_t (scale));
  const coopmat<float16_t, gl_ScopeWorkgroup, MATRIX_K, MATRIX_N, gl_MatrixUseB>
      b = coopmat<float16_t, gl_ScopeWorkgroup, MATRIX_K, MATRIX_N,
          gl_MatrixUseB> (float16_t (shift));
  coopmat<float, gl_ScopeWorkgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>
      x = coopmat<float, gl_ScopeWorkgroup, MATRIX_M, MATRIX_N,
          gl_MatrixUseAccumulator> (0.0);
  for (uint turn = 0; turn < turns; turn++)
    x = coopMatMulAdd (a, b, x);
  coopMatPerElementNV (x, x, store);
}
