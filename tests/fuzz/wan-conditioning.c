/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/conditioning.h"

#include "tests/fuzz/fuzz.h"

#define SIZE 4
#define MAX_ROWS 3

/* The corpus holds one of 2 rows and 1 row, of an encoder that is not known. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  if (vidgen_wan_conditioning_check (bytes, NULL, SIZE, MAX_ROWS)) {
    g_autoptr (GBytes) blend =
        vidgen_wan_conditioning_blend (SIZE, bytes, bytes, 0.5);
    g_assert_true (
        vidgen_wan_conditioning_check (blend, NULL, SIZE, MAX_ROWS));
    g_assert_true (g_bytes_equal (bytes, blend));
  }
  return 0;
}
