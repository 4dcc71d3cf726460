// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_NV_cooperative_matrix2 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
#include "matrix.glsl"

// A group makes ROWS x COLUMNS values on matrices that the whole group holds.
// The driver stages the operands; what lies beyond their edge reads as zero.
layout (constant_id = 5) const uint ROWS = 64;
layout (constant_id = 6) const uint COLUMNS = 64;
layout (constant_id = 7) const uint DEPTH = 32;

layout (buffer_reference, scalar, buffer_reference_align = 4) buffer Single
{
  float v;
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer Halves
{
  float16_t v[];
};

struct Word
{
  uint16_t v;
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer Words
{
  Word v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer OneWord
{
  Word v;
};

struct Block8
{
  uint16_t v[17];
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer Blocks8
{
  Block8 v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer OneBlock8
{
  Block8 v;
};

struct Block4
{
  uint16_t v[9];
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer Blocks4
{
  Block4 v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 2) buffer OneBlock4
{
  Block4 v;
};

struct BlockK
{
  uint v[36];
};

layout (buffer_reference, scalar, buffer_reference_align = 4) buffer BlocksK
{
  BlockK v[];
};

layout (buffer_reference, scalar, buffer_reference_align = 4) buffer OneBlockK
{
  BlockK v;
};

// Counted by the groups that no other repeats.
float16_t
to_half (float value, bool count)
{
  if (count && abs (value) > LARGEST_HALF && PRESENT (clamped))
    atomicAdd (clamped.v[0], 1);
  return float16_t (clamp (value, -LARGEST_HALF, LARGEST_HALF));
}

float16_t
decode_a (const in Single value, const in uint block[2], const in uint at[2])
{
  return to_half (value.v, tile ().y == 0);
}

float16_t
decode_bf16 (
    const in OneWord word, const in uint block[2], const in uint at[2])
{
  return to_half (
      uintBitsToFloat (uint (word.v.v) << 16), tile ().x == 0);
}

float
half_of (uint word)
{
  return unpackHalf2x16 (word).x;
}

float16_t
decode_q8_0 (
    const in OneBlock8 data, const in uint block[2], const in uint at[2])
{
  const int pair = int (uint (data.v.v[1 + at[1] / 2]));
  const int quant = pair << 24 - at[1] % 2 * 8 >> 24;
  return to_half (half_of (uint (data.v.v[0])) * float (quant), tile ().x == 0);
}

float16_t
decode_q4_0 (
    const in OneBlock4 data, const in uint block[2], const in uint at[2])
{
  const uint pair = uint (data.v.v[1 + at[1] % 16 / 2]);
  const int quant = int (pair >> at[1] % 2 * 8 + at[1] / 16 * 4 & 15);
  return to_half (half_of (uint (data.v.v[0])) * float (quant - 8), tile ().x == 0);
}

float16_t
decode_q4_k (
    const in OneBlockK data, const in uint block[2], const in uint at[2])
{
  const uint group = at[1] / GROUP, i = at[1] % GROUP;
  const uint word = data.v.v[4 + group / 2 * 8 + i / 4];
  const float quant = float (word >> i % 4 * 8 + group % 2 * 4 & 15);
  const vec2 scale =
      unpackHalf2x16 (data.v.v[0]) *
      vec2 (unpack_scale (
          uvec3 (data.v.v[1], data.v.v[2], data.v.v[3]), group));
  return to_half (fma (scale.x, quant, -scale.y), tile ().x == 0);
}

float
store (const in uint row, const in uint column, const in float sum)
{
  const uint i = tile ().x * ROWS + row, j = tile ().y * COLUMNS + column;
  if (i < m && j < n)
    result.v[i * result_stride + j] = finish (i, j, sum);
  return sum;
}

void
main ()
{
  const uint row = tile ().x * ROWS, column = tile ().y * COLUMNS;
  tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> rows =
      createTensorLayoutNV (2, gl_CooperativeMatrixClampModeConstantNV);
  rows = setTensorLayoutDimensionNV (rows, m, k);
  rows = setTensorLayoutStrideNV (rows, a_stride, 1);

  tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> columns =
      createTensorLayoutNV (2, gl_CooperativeMatrixClampModeConstantNV);
  const uint block = WEIGHT_TYPE == TYPE_Q4_K ? 256
                     : IS_BLOCKED (WEIGHT_TYPE) ? GROUP
                                                : 1;
  columns = setTensorLayoutBlockSizeNV (columns, 1, block);
  columns = setTensorLayoutDimensionNV (columns, n, k);
  columns = setTensorLayoutStrideNV (columns, k / block, 1);
  const tensorViewNV<2, false, 1, 0> turned =
      createTensorViewNV (2, false, 1, 0);

  coopmat<float, gl_ScopeWorkgroup, ROWS, COLUMNS, gl_MatrixUseAccumulator>
      sums = coopmat<float, gl_ScopeWorkgroup, ROWS, COLUMNS,
          gl_MatrixUseAccumulator> (0.0);
  for (uint at = 0; at < k; at += DEPTH) {
    coopmat<float16_t, gl_ScopeWorkgroup, ROWS, DEPTH, gl_MatrixUseA> part_a;
    coopmat<float16_t, gl_ScopeWorkgroup, DEPTH, COLUMNS, gl_MatrixUseB>
        part_w;
    coopMatLoadTensorNV (part_a, a.v, 0,
        sliceTensorLayoutNV (rows, row, ROWS, at, DEPTH), decode_a);
    if (WEIGHT_TYPE == TYPE_F16)
      coopMatLoadTensorNV (part_w, Halves (uvec2 (weight)).v, 0,
          sliceTensorLayoutNV (columns, column, COLUMNS, at, DEPTH), turned);
    else if (WEIGHT_TYPE == TYPE_BF16)
      coopMatLoadTensorNV (part_w, Words (uvec2 (weight)).v, 0,
          sliceTensorLayoutNV (columns, column, COLUMNS, at, DEPTH), turned,
          decode_bf16);
    else if (WEIGHT_TYPE == TYPE_Q8_0)
      coopMatLoadTensorNV (part_w, Blocks8 (uvec2 (weight)).v, 0,
          sliceTensorLayoutNV (columns, column, COLUMNS, at, DEPTH), turned,
          decode_q8_0);
    else if (WEIGHT_TYPE == TYPE_Q4_0)
      coopMatLoadTensorNV (part_w, Blocks4 (uvec2 (weight)).v, 0,
          sliceTensorLayoutNV (columns, column, COLUMNS, at, DEPTH), turned,
          decode_q4_0);
    else
      coopMatLoadTensorNV (part_w, BlocksK (uvec2 (weight)).v, 0,
          sliceTensorLayoutNV (columns, column, COLUMNS, at, DEPTH), turned,
          decode_q4_k);
    sums = coopMatMulAdd (part_a, part_w, sums);
  }
  coopMatPerElementNV (sums, sums, store);
}
