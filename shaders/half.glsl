// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// How kernels store halves: what is beyond the largest becomes that. As in
// shaders/half.h.

const float LARGEST_HALF = 65504.0;

uint
pack_halves (vec2 values)
{
  return packHalf2x16 (clamp (values, -LARGEST_HALF, LARGEST_HALF));
}
