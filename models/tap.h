/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* A look at intermediate tensors, for tests: `take` is called while a chunk is
 * recorded, right after the launch that makes `span`, and may record a copy of
 * it. The names are those of tests/models/goldens/make.py without the chunk.
 * A stream without a tap pays nothing.
 */
typedef struct {
  void (*take) (VidgenRecorder *recorder, const char *name, VidgenSpan span,
      gpointer user_data);
  gpointer user_data;
} VidgenTap;

static inline void G_GNUC_PRINTF (4, 5) vidgen_tap (const VidgenTap *tap,
    VidgenRecorder *recorder, VidgenSpan span, const char *format, ...)
{
  char *name;
  va_list arguments;

  if (!tap)
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  tap->take (recorder, name, span, tap->user_data);
  g_free (name);
}

G_END_DECLS
