// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 result;
  uint turns;
  float scale, shift;
};

// Enough for the longest delay of a multiply-add, and for a CPU's registers.
const uint CHAINS = 12;
const uint UNROLLED = 8;

void
main ()
{
  float x[CHAINS];
  [[unroll]] for (uint i = 0; i < CHAINS; i++)
    x[i] = float (i);
  for (uint turn = 0; turn < turns; turn++)
    [[unroll]] for (uint j = 0; j < UNROLLED; j++)
      [[unroll]] for (uint i = 0; i < CHAINS; i++)
        x[i] = fma (x[i], scale, shift);
  float sum = 0.0;
  [[unroll]] for (uint i = 0; i < CHAINS; i++)
    sum += x[i];
  result.v[gl_GlobalInvocationID.x] = sum;
}
