/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/video/video.h>

#include "models/family.h"

G_BEGIN_DECLS

/* A family for tests whose pictures and sound tell where they come from. It
 * answers to every location that begins with "fake". A picture is eight by
 * four blocks, each black or white for a bit of a number; of the sound the
 * left channel is a smooth tone of 100 Hz and the right one counts samples.
 */
typedef struct {
  /* Read when a model is opened. */
  guint fps_n, fps_d, rate;
  guint first_chunk_frames, chunk_frames;
  guint size_step;  /* of 16 to 64 by 8 to 64 pixels */
  gboolean coupled; /* 32 by 16 or 64 by 32 pixels instead */
  gboolean has_audio;
  gboolean dear;      /* to encode: prompts are kept on disk */
  gboolean completes; /* prompts, with the seed behind them */
  gboolean blank;     /* pictures are left out, whatever they would take */
  gboolean flat;      /* pictures are of one colour each, fake_colour() */
  /* Read at any time. */
  gint chunk_us, load_us, encode_us; /* how long each takes, atomic */
  gint ration;                       /* chunks that may still be made; -1: any,
                                        atomic */
  gint fail_chunk; /* the chunk that fails, -1: none, atomic */
  gint fail_load;  /* atomic */
  gint refuse;     /* prompts, amid telling that they are encoded, atomic */
  VidgenError fail_code;
  /* Written. */
  gint chunks, encodes;        /* made so far, atomic */
  gint models, streams;        /* alive, atomic */
  gint last_video, last_audio; /* asked for in the newest chunk, atomic */
} FakeModel;

extern FakeModel fake;

/* Registers the family at the first call and puts `fake` back to 16 frames a
 * second, 24 kHz, chunks of 3 and then 4 frames, sizes in steps of 16 by 8, no
 * delays and no faults, and calls fake_leave_in_order(). */
void fake_reset (void);

/* Changes to a state, and makes no chunk before all elements were told of it:
 * uridecodebin3 of GStreamer 1.22, and so playbin3, starts its source before
 * the decodebin3 behind it, which loses what any source sends meanwhile and
 * never ends. Real models take longer than that. */
void fake_start (GstElement *pipeline, GstState state);

/* With VIDGEN_DEINIT in the environment GStreamer is left in order at the exit,
 * for those who count what remains. */
void fake_leave_in_order (void);

/* What a picture of the family says. */
typedef struct {
  guint frame, prompt, seed, steps, guidance;
} FakeContent;

/* The colour of a flat picture, each part 0 or 1. */
void fake_colour (guint64 frame, double rgb[3]);
FakeContent fake_read (GstBuffer *buffer, const GstCaps *caps);
/* The `prompt` of a text; amid a transition it lies between those of both. */
guint fake_prompt (const char *text);
/* The samples of the family. */
float fake_left (guint64 sample, guint prompt);
float fake_right (guint64 sample);

G_END_DECLS
