/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/config.h"

#include "models/mini/stream.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMiniConfig) config =
      vidgen_mini_config_parse (text, "input", &error);

  g_assert_true ((config == NULL) == (error != NULL));
  if (config) {
    const guint scale = config->decoder.wide ? VIDGEN_MINI_WIDE : 1;
    const VidgenFormat format = { .width = scale * config->video.width,
      .height = scale * config->video.height };

    g_assert_true (
        vidgen_mini_stream_bytes (config, &format) < G_MAXUINT64 / 1024);
  }
  return 0;
}
