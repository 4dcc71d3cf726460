// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// What the products on cooperative matrices share, which multiply halves into
// f32: constants 3 and 4, the push constants, the way to halves and the
// epilogue.

#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "weights.glsl"

layout (constant_id = 3) const uint WEIGHT_TYPE = TYPE_F16;
layout (constant_id = 4) const uint ACTIVATION = ACTIVATION_LINEAR;

layout (push_constant, scalar) uniform Push
{
  F32 a;
  U32 weight;
  F32 bias;
  F32 gate;
  F32 residual;
  F32 result;
  U32 clamped;
  uint m, n, k;
  uint a_stride, residual_stride, result_stride;
  uint rows_first; // groups that follow one another take the same columns
  uint a_quads;    // rows of a may be read four values at a time
};

const float LARGEST_HALF = 65504.0;

uvec2
tile ()
{
  return rows_first != 0 ? gl_WorkGroupID.xy : gl_WorkGroupID.yx;
}

float
finish (uint row, uint column, float sum)
{
  const float shift = PRESENT (bias) ? bias.v[column] : 0.0;
  const float factor = PRESENT (gate) ? gate.v[column] : 1.0;
  const float value = factor * activate (ACTIVATION, sum + shift);
  return PRESENT (residual)
             ? value + residual.v[row * residual_stride + column]
             : value;
}
