/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/conditioning-cache.h"

#include "tests/fuzz/fuzz.h"

/* The corpus holds files that are sealed with this key. */
#define KEY "key"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) file = g_bytes_new_static (data, size);
  g_autoptr (GBytes) inside = vidgen_conditioning_cache_open (KEY, file);

  if (inside) {
    g_autoptr (GBytes) again = vidgen_conditioning_cache_seal (KEY, inside);
    g_assert_true (g_bytes_equal (file, again));
  }
  return 0;
}
