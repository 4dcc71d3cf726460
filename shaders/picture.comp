// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// VidgenPictureFormat.
const uint I420 = 0;
const uint NV12 = 1;
const uint RGBA = 2;
const uint BGRX = 3;
const uint RGB = 4;

layout (constant_id = 3) const uint FORMAT = I420;

layout (push_constant, scalar) uniform Push
{
  F32 rgb;
  U32 to;
  uint frames;
  uint width;
  uint height;
  uint words;         // of a picture
  uvec3 plane_offset; // in words, as the strides
  uvec3 plane_stride;
};

// Kr and Kb of BT.709; the rest follows from them.
const float KR = 0.2126;
const float KB = 0.0722;
const vec3 LUMA = vec3 (KR, 1.0 - KR - KB, KB);

// 0 black to 1 white.
vec3
pixel (uint frame, uint x, uint y)
{
  const uint i = 3 * ((frame * height + y) * width + x);
  const vec3 value = vec3 (rgb.v[i], rgb.v[i + 1], rgb.v[i + 2]);
  return clamp (0.5 * value + 0.5, 0.0, 1.0);
}

float
luma (vec3 colour)
{
  return 16.0 + 219.0 * dot (LUMA, colour);
}

vec2
chroma (uint frame, uint column, uint row)
{
  const uint x = 2 * column;
  const uint left = x == 0 ? 0 : x - 1;
  const uint right = min (x + 1, width - 1);
  vec3 sum = vec3 (0);
  for (uint i = 0; i < 2; i++) {
    const uint y = min (2 * row + i, height - 1);
    sum += 0.125 * (pixel (frame, left, y) + pixel (frame, right, y)) +
        0.25 * pixel (frame, x, y);
  }
  const float y = dot (LUMA, sum);
  return 128.0 +
      112.0 * vec2 ((sum.b - y) / (1.0 - KB), (sum.r - y) / (1.0 - KR));
}

// The byte at `column` bytes into a row of a plane; 0 in the padding.
float
byte_at (uint frame, uint plane, uint row, uint column)
{
  if (FORMAT == RGB) {
    return column < 3 * width
        ? 255.0 * pixel (frame, column / 3, row)[column % 3]
        : 0.0;
  }
  if (plane == 0)
    return column < width ? luma (pixel (frame, column, row)) : 0.0;
  const uint columns = (width + 1) / 2;
  if (FORMAT == NV12) {
    return column < 2 * columns ? chroma (frame, column / 2, row)[column % 2]
                                : 0.0;
  }
  return column < columns ? chroma (frame, column, row)[plane - 1] : 0.0;
}

uint
pack (vec4 bytes)
{
  const uvec4 b = uvec4 (floor (bytes + 0.5));
  return b.x | b.y << 8 | b.z << 16 | b.w << 24;
}

void
main ()
{
  const uint word = gl_GlobalInvocationID.x;
  const uint frame = gl_GlobalInvocationID.y;
  if (word >= words || frame >= frames)
    return;

  const uint plane = word < plane_offset.y ? 0 : word < plane_offset.z ? 1 : 2;
  const uint inside = word - plane_offset[plane];
  const uint row = inside / plane_stride[plane];
  const uint column = inside % plane_stride[plane];
  vec4 bytes;
  if (FORMAT == RGBA || FORMAT == BGRX) {
    const vec3 colour = 255.0 * pixel (frame, column, row);
    bytes = vec4 (FORMAT == RGBA ? colour : colour.bgr, 255.0);
  } else {
    for (uint i = 0; i < 4; i++)
      bytes[i] = byte_at (frame, plane, row, 4 * column + i);
  }
  to.v[frame * words + word] = pack (bytes);
}
