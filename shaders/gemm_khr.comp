// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "matrix.glsl"

// A group makes ROWS x COLUMNS values. Slices of both operands, DEPTH values
// deep, are turned into halves in shared memory while the next are on their
// way; DOWN x ACROSS subgroups share the tile. All sizes divide as they must.
layout (constant_id = 5) const uint ROWS = 64;
layout (constant_id = 6) const uint COLUMNS = 64;
layout (constant_id = 7) const uint MATRIX_M = 16;
layout (constant_id = 8) const uint MATRIX_N = 16;
layout (constant_id = 9) const uint MATRIX_K = 16;
layout (constant_id = 10) const uint DOWN = 2;
layout (constant_id = 11) const uint ACROSS = 2;

const uint DEPTH = 32;
const uint QUADS = DEPTH / 4;
// In shared memory rows are longer, so that a column spreads over its banks.
const uint STRIDE = QUADS + 2;

const uint lanes = gl_WorkGroupSize.x;
const uint A_QUADS = (ROWS * QUADS + lanes - 1) / lanes;
const uint W_QUADS = (COLUMNS * QUADS + lanes - 1) / lanes;

const uint PART_ROWS = ROWS / DOWN;
const uint PART_COLUMNS = COLUMNS / ACROSS;
const uint SUMS_DOWN = PART_ROWS / MATRIX_M;
const uint SUMS_ACROSS = PART_COLUMNS / MATRIX_N;
const uint MATRIX_SIZE = MATRIX_M * MATRIX_N;

shared f16vec4 a_slice[ROWS * STRIDE];
shared f16vec4 w_slice[COLUMNS * STRIDE];
shared float staged[DOWN * ACROSS * MATRIX_SIZE];

f16vec4 next_a[A_QUADS];
f16vec4 next_w[W_QUADS];
uint n_clamped = 0;

f16vec4
to_halves (vec4 values, bool count)
{
  if (count)
    n_clamped += uint (dot (vec4 (greaterThan (abs (values),
                                vec4 (LARGEST_HALF))),
        vec4 (1.0)));
  return f16vec4 (clamp (values, -LARGEST_HALF, LARGEST_HALF));
}

vec4
load_a (uint row, uint at)
{
  const uint from = min (row, m - 1) * a_stride + at;
  if (a_quads != 0)
    return F32x4 (uvec2 (a)).v[from / 4];
  return vec4 (a.v[from], a.v[from + 1], a.v[from + 2], a.v[from + 3]);
}

vec4
load_weight (uint column, uint at)
{
  const uint row = min (column, n - 1);
  if (IS_BLOCKED (WEIGHT_TYPE)) {
    const uint group = row * (k / GROUP) + at / GROUP;
    const vec2 scale = group_scale (WEIGHT_TYPE, weight, group);
    return fma (group_quants (WEIGHT_TYPE, weight, group, at % GROUP / 4),
        vec4 (scale.x), vec4 (-scale.y));
  }
  return weight4 (WEIGHT_TYPE, weight, (row * k + at) / 4);
}

// What repeats the last row or column, or another group's, is not counted.
void
fetch (uint at)
{
  const uvec2 corner = tile () * uvec2 (ROWS, COLUMNS);
  [[unroll]] for (uint i = 0; i < A_QUADS; i++) {
    const uint quad = i * lanes + gl_LocalInvocationIndex;
    const uint row = corner.x + quad / QUADS, from = at + quad % QUADS * 4;
    next_a[i] = f16vec4 (0.0);
    if (quad < ROWS * QUADS && from < k)
      next_a[i] = to_halves (load_a (row, from), row < m && corner.y == 0);
  }
  [[unroll]] for (uint i = 0; i < W_QUADS; i++) {
    const uint quad = i * lanes + gl_LocalInvocationIndex;
    const uint column = corner.y + quad / QUADS, from = at + quad % QUADS * 4;
    next_w[i] = f16vec4 (0.0);
    if (quad < COLUMNS * QUADS && from < k)
      next_w[i] =
          to_halves (load_weight (column, from), column < n && corner.x == 0);
  }
}

void
share ()
{
  [[unroll]] for (uint i = 0; i < A_QUADS; i++) {
    const uint quad = i * lanes + gl_LocalInvocationIndex;
    if (quad < ROWS * QUADS)
      a_slice[quad / QUADS * STRIDE + quad % QUADS] = next_a[i];
  }
  [[unroll]] for (uint i = 0; i < W_QUADS; i++) {
    const uint quad = i * lanes + gl_LocalInvocationIndex;
    if (quad < COLUMNS * QUADS)
      w_slice[quad / QUADS * STRIDE + quad % QUADS] = next_w[i];
  }
}

void
main ()
{
  const uint down = gl_SubgroupID % DOWN, across = gl_SubgroupID / DOWN;
  coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
      gl_MatrixUseAccumulator>
      sums[SUMS_DOWN * SUMS_ACROSS];
  [[unroll]] for (uint i = 0; i < SUMS_DOWN * SUMS_ACROSS; i++)
    sums[i] = coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N,
        gl_MatrixUseAccumulator> (0.0);

  fetch (0);
  for (uint at = 0; at < k; at += DEPTH) {
    share ();
    barrier ();
    if (at + DEPTH < k)
      fetch (at + DEPTH);
    [[unroll]] for (uint slice = 0; slice < DEPTH; slice += MATRIX_K) {
      coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA>
          part_a[SUMS_DOWN];
      [[unroll]] for (uint i = 0; i < SUMS_DOWN; i++)
        coopMatLoad (part_a[i], a_slice,
            (down * PART_ROWS + i * MATRIX_M) * STRIDE + slice / 4, STRIDE,
            gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (uint j = 0; j < SUMS_ACROSS; j++) {
        coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N, gl_MatrixUseB>
            part_w;
        coopMatLoad (part_w, w_slice,
            (across * PART_COLUMNS + j * MATRIX_N) * STRIDE + slice / 4,
            STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
        [[unroll]] for (uint i = 0; i < SUMS_DOWN; i++)
          sums[i * SUMS_ACROSS + j] =
              coopMatMulAdd (part_a[i], part_w, sums[i * SUMS_ACROSS + j]);
      }
    }
    barrier ();
  }

  const uvec2 corner = tile () * uvec2 (ROWS, COLUMNS) +
                       uvec2 (down * PART_ROWS, across * PART_COLUMNS);
  const uint stage = gl_SubgroupID * MATRIX_SIZE;
  [[unroll]] for (uint i = 0; i < SUMS_DOWN; i++)
    [[unroll]] for (uint j = 0; j < SUMS_ACROSS; j++) {
      coopMatStore (sums[i * SUMS_ACROSS + j], staged, stage, MATRIX_N,
          gl_CooperativeMatrixLayoutRowMajor);
      controlBarrier (gl_ScopeSubgroup, gl_ScopeSubgroup,
          gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
      for (uint e = gl_SubgroupInvocationID; e < MATRIX_SIZE;
           e += gl_SubgroupSize) {
        const uint row = corner.x + i * MATRIX_M + e / MATRIX_N;
        const uint column = corner.y + j * MATRIX_N + e % MATRIX_N;
        if (row < m && column < n)
          result.v[row * result_stride + column] =
              finish (row, column, staged[stage + e]);
      }
      controlBarrier (gl_ScopeSubgroup, gl_ScopeSubgroup,
          gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
    }
  if (PRESENT (clamped) && n_clamped > 0)
    atomicAdd (clamped.v[0], n_clamped);
}
