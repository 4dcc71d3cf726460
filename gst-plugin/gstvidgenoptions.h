/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

#include "gst-plugin/session.h"

G_BEGIN_DECLS

/* The properties of vidgensrc and what they hold. */
enum {
  GST_VIDGEN_PROP_0,
  GST_VIDGEN_PROP_MODEL,
  GST_VIDGEN_PROP_PROMPT,
  GST_VIDGEN_PROP_NEGATIVE_PROMPT,
  GST_VIDGEN_PROP_SEED,
  GST_VIDGEN_PROP_STEPS,
  GST_VIDGEN_PROP_GUIDANCE_SCALE,
  GST_VIDGEN_PROP_TRANSITION_TIME,
  GST_VIDGEN_PROP_DURATION,
  GST_VIDGEN_PROP_NUM_BUFFERS,
  GST_VIDGEN_PROP_IS_LIVE,
  GST_VIDGEN_PROP_BUFFER_TIME,
  GST_VIDGEN_PROP_USE_BUFFERING,
  GST_VIDGEN_PROP_ON_UNDERRUN,
  GST_VIDGEN_PROP_DEVICE,
  GST_VIDGEN_PROP_CACHE_DIR,
  GST_VIDGEN_PROP_STATS
};

typedef struct {
  char *model, *device; /* never NULL */
  char *cache_dir;      /* NULL: the user's */
  VidgenSettings settings;
  guint64 seed;
  GstClockTime duration, buffer_time;
  gint num_buffers;
  gboolean is_live, use_buffering;
  VidgenUnderrun on_underrun;
} GstVidgenOptions;

/* VidgenUnderrun */
#define GST_TYPE_VIDGEN_UNDERRUN (gst_vidgen_underrun_get_type ())
GType gst_vidgen_underrun_get_type (void);

void gst_vidgen_options_install (GObjectClass *klass);
/* To the defaults. */
void gst_vidgen_options_init (GstVidgenOptions *options);
void gst_vidgen_options_clear (GstVidgenOptions *options);
/* `id` is any but STATS, which the element itself answers. */
void gst_vidgen_options_set (
    GstVidgenOptions *options, guint id, const GValue *value);
void gst_vidgen_options_get (
    const GstVidgenOptions *options, guint id, GValue *value);

G_END_DECLS
