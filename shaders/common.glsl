// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// What every kernel includes, after its #version line:
//
//   #version 460
//   #extension GL_GOOGLE_include_directive : require
//   #include "common.glsl"
//
// Buffers are reached through references in the push constants, laid out as
// in C (8 bytes an address, scalar alignment). The group size comes from
// specialisation constants 0, 1, 2; a kernel's own start at 3. A launch may be
// cut into ranges of groups, so gl_NumWorkGroups says nothing.

#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_control_flow_attributes : require

layout (local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout (buffer_reference, scalar, buffer_reference_align = 4) buffer F32
{
  float v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 16) buffer F32x4
{
  vec4 v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 4) buffer U32
{
  uint v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 8) buffer U32x2
{
  uvec2 v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 16) buffer U32x4
{
  uvec4 v[];
};

// False for the address of an absent span.
#define PRESENT(reference) any (notEqual (uvec2 (reference), uvec2 (0)))

// VidgenType.
const uint TYPE_F32 = 0;
const uint TYPE_F16 = 1;

// Values 4 i .. 4 i + 3 of a dense array whose type is TYPE.
vec4
load4 (const uint type, U32 weight, uint i)
{
  if (type == TYPE_F16) {
    const uvec2 halves = U32x2 (uvec2 (weight)).v[i];
    return vec4 (unpackHalf2x16 (halves.x), unpackHalf2x16 (halves.y));
  }
  return F32x4 (uvec2 (weight)).v[i];
}

// VidgenActivation.
const uint ACTIVATION_LINEAR = 0;
const uint ACTIVATION_SILU = 1;
const uint ACTIVATION_GELU = 2;

float
activate (uint activation, float x)
{
  if (activation == ACTIVATION_SILU)
    return x / (1.0 + exp (-x));
  if (activation == ACTIVATION_GELU) {
    // 0.5 (1 + tanh z) is the logistic function of 2 z, which stays finite.
    const float z = 0.7978845608028654 * (x + 0.044715 * x * x * x);
    return x / (1.0 + exp (-2.0 * z));
  }
  return x;
}

const float RMS_EPSILON = 1e-6;
