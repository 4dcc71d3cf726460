// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "attention.glsl"

// A group takes ROWS queries of one head, each subgroup MATRIX_M of them; y is
// the head. Blocks of keys, then of values, become halves in shared memory. What
// weights and values give goes through shared memory too, to be added to f32
// sums that lanes hold and that fade row by row.
layout (constant_id = 5) const uint SUBGROUPS = 4;
layout (constant_id = 7) const uint MATRIX_M = 16;
layout (constant_id = 8) const uint MATRIX_N = 16;
layout (constant_id = 9) const uint MATRIX_K = 16;
layout (constant_id = 10) const uint SUBGROUP_SIZE = 32;
layout (constant_id = 11) const uint LOAD = LOAD_F32;

const uint BLOCK = 32;
const uint QUADS = HEAD_SIZE / 4;
// In shared memory rows are longer, so that a column spreads over its banks.
const uint STRIDE = QUADS + 2;
const uint WEIGHTS_STRIDE = BLOCK / 4 + 2;
const uint SCORES_STRIDE = BLOCK + 4;

const uint OUT_TILES = HEAD_SIZE / MATRIX_N;
const uint TILE = MATRIX_M * MATRIX_N;
const uint OWN = (TILE + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;
const float LARGEST_HALF = 65504.0;

shared f16vec4 rows_of_head[BLOCK * STRIDE];
shared float scores[ROWS * SCORES_STRIDE];
shared f16vec4 weights[ROWS * WEIGHTS_STRIDE];
shared float fades[ROWS];
shared float totals[ROWS];
shared float staged[SUBGROUPS * TILE];

float sums[OUT_TILES * OWN];

uint
row_at (uint i)
{
  return gl_WorkGroupID.x * ROWS + i;
}

// Rows first .. first + BLOCK - 1; those from `count` on are zero.
void
share (F32 values, uint first, uint count, uint stride, const uint how)
{
  for (uint quad = gl_LocalInvocationIndex; quad < BLOCK * QUADS;
       quad += lanes) {
    const uint row = first + quad / QUADS, at = quad % QUADS;
    vec4 loaded = vec4 (0.0);
    if (row < count)
      loaded =
          load_quad (how, values, row * stride + head_start () + at * 4);
    rows_of_head[quad / QUADS * STRIDE + at] =
        f16vec4 (clamp (loaded, -LARGEST_HALF, LARGEST_HALF));
  }
}

void
wait_for_subgroup ()
{
  controlBarrier (gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared,
      gl_SemanticsAcquireRelease);
}

// A lane takes whole rows of its subgroup's scores and keeps their maximum.
void
weigh (uint first, uint count, uint top, bool begin, inout float maxima[OWN])
{
  [[unroll]] for (uint i = 0; i < OWN; i++) {
    const uint own = i * SUBGROUP_SIZE + gl_SubgroupInvocationID;
    const uint row = top + own;
    if (own >= MATRIX_M)
      continue;
    const float before = begin ? LOWEST : maxima[i];
    float maximum = before;
    for (uint key = 0; key < BLOCK; key++) {
      float score = LOWEST;
      if (first + key < count)
        score = scores[row * SCORES_STRIDE + key] * (scale * LOG2_E) +
                bias_at (row, first + key);
      scores[row * SCORES_STRIDE + key] = score;
      maximum = max (maximum, score);
    }
    const float fade = exp2 (before - maximum);
    float total = begin ? 0.0 : totals[row] * fade;
    for (uint quad = 0; quad < BLOCK / 4; quad++) {
      vec4 weight;
      [[unroll]] for (uint c = 0; c < 4; c++)
        weight[c] =
            exp2 (scores[row * SCORES_STRIDE + quad * 4 + c] - maximum);
      total += dot (weight, vec4 (1.0));
      weights[row * WEIGHTS_STRIDE + quad] = f16vec4 (weight);
    }
    maxima[i] = maximum;
    fades[row] = fade;
    totals[row] = total;
  }
}

void
main ()
{
  const uint top = gl_SubgroupID * MATRIX_M;
  coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA>
      queries[HEAD_SIZE / MATRIX_K];
  for (uint first = 0; first < ROWS; first += BLOCK) {
    share (q, row_at (first), rows, q_stride, LOAD_F32);
    barrier ();
    if (top >= first && top < first + BLOCK) {
      [[unroll]] for (uint i = 0; i < HEAD_SIZE / MATRIX_K; i++)
        coopMatLoad (queries[i], rows_of_head,
            (top - first) * STRIDE + i * MATRIX_K / 4, STRIDE,
            gl_CooperativeMatrixLayoutRowMajor);
    }
    barrier ();
  }
  [[unroll]] for (uint i = 0; i < OUT_TILES * OWN; i++)
    sums[i] = 0.0;

  float maxima[OWN];
  bool begin = true;
  for (uint s = 0; s < 4; s++) {
    Segment segment = segments[s];
    for (uint first = 0; first < segment.count; first += BLOCK) {
      share (segment.k, first, segment.count, (segment.strides & 0xffff) * 4,
          LOAD);
      barrier ();
      [[unroll]] for (uint key = 0; key < BLOCK; key += MATRIX_N) {
        coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
            gl_MatrixUseAccumulator>
            score = coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
                gl_MatrixUseAccumulator> (0.0);
        [[unroll]] for (uint i = 0; i < HEAD_SIZE / MATRIX_K; i++) {
          coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N,
              gl_MatrixUseB>
              keys;
          coopMatLoad (keys, rows_of_head, key * STRIDE + i * MATRIX_K / 4,
              STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
          score = coopMatMulAdd (queries[i], keys, score);
        }
        coopMatStore (score, scores, top * SCORES_STRIDE + key, SCORES_STRIDE,
            gl_CooperativeMatrixLayoutRowMajor);
      }
      barrier ();
      share (
          segment.v, first, segment.count, (segment.strides >> 16) * 4, LOAD);
      weigh (first, segment.count, top, begin, maxima);
      begin = false;
      barrier ();
      [[unroll]] for (uint tile = 0; tile < OUT_TILES; tile++) {
        coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
            gl_MatrixUseAccumulator>
            part = coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
                gl_MatrixUseAccumulator> (0.0);
        [[unroll]] for (uint key = 0; key < BLOCK; key += MATRIX_K) {
          coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K,
              gl_MatrixUseA>
              weight;
          coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N,
              gl_MatrixUseB>
              values;
          coopMatLoad (weight, weights, top * WEIGHTS_STRIDE + key / 4,
              WEIGHTS_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          coopMatLoad (values, rows_of_head, key * STRIDE + tile * MATRIX_N / 4,
              STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          part = coopMatMulAdd (weight, values, part);
        }
        coopMatStore (part, staged, gl_SubgroupID * TILE, MATRIX_N,
            gl_CooperativeMatrixLayoutRowMajor);
        wait_for_subgroup ();
        [[unroll]] for (uint i = 0; i < OWN; i++) {
          const uint e = i * SUBGROUP_SIZE + gl_SubgroupInvocationID;
          if (e < TILE)
            sums[tile * OWN + i] =
                sums[tile * OWN + i] * fades[top + e / MATRIX_N] +
                staged[gl_SubgroupID * TILE + e];
        }
        wait_for_subgroup ();
      }
      barrier ();
    }
  }

  [[unroll]] for (uint tile = 0; tile < OUT_TILES; tile++)
    [[unroll]] for (uint i = 0; i < OWN; i++) {
      const uint e = i * SUBGROUP_SIZE + gl_SubgroupInvocationID;
      const uint row = top + e / MATRIX_N;
      if (e < TILE && row_at (row) < rows)
        result.v[row_at (row) * result_stride + head_start () +
                 tile * MATRIX_N + e % MATRIX_N] =
            sums[tile * OWN + i] / totals[row];
    }
}
