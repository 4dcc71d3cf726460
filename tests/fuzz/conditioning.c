/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/conditioning.h"

#include "tests/fuzz/fuzz.h"

/* The corpus holds one of rows 0.5 … made by the identity of zeros. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const VidgenMiniConfig config = { .text = { .size = 16, .tokens = 7 } };
  const guint8 identity[VIDGEN_MINI_IDENTITY_BYTES] = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);

  if (vidgen_mini_conditioning_check (&config, identity, bytes)) {
    g_autoptr (GBytes) blend =
        vidgen_mini_conditioning_blend (&config, identity, bytes, bytes, 0.5);
    g_assert_true (vidgen_mini_conditioning_check (&config, identity, blend));
    g_assert_true (g_bytes_equal (bytes, blend));
  }
  return 0;
}
