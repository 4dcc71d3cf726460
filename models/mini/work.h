/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/decoder.h"
#include "models/mini/mini-private.h"
#include "models/mini/sound.h"
#include "models/mini/transformer.h"

G_BEGIN_DECLS

/* The memory of a stream, and what is recorded to work in it. One thread at a
 * time; whatever is recorded or on a tape ends before the memory does. */

/* Latents of the chunk being made and of those its decoding depends on; a
 * multiple of the two copies of what is carried on, so that tapes are few. */
#define VIDGEN_MINI_LATENTS 4
G_STATIC_ASSERT (VIDGEN_MINI_LATENTS > VIDGEN_MINI_DECODER_REACH);

typedef struct {
  const VidgenMiniConfig *config;
  guint64 seed;
  VidgenPlan *plan;       /* of all spans */
  VidgenMemory *upload;   /* the prompt's states */
  VidgenMemory *readback; /* pictures, then samples */
  VidgenMiniTransformer transformer;
  VidgenMiniDecoder decoder;
  VidgenMiniSound sound;
  VidgenSpan video;                        /* standardised video tokens */
  VidgenSpan latents[VIDGEN_MINI_LATENTS]; /* the same of chunks, by number */
  VidgenSpan audio;                        /* standardised audio tokens */
  VidgenSpan picture;
  guint64 next_decoded; /* the chunk that the decoder's memory is right for */
} VidgenMiniWork;

/* One chunk to make. */
typedef struct {
  guint64 chunk;
  VidgenSpan position; /* where it is read from, as of VidgenNoise */
  gboolean at_start;   /* silence came before */
  const VidgenChunkRequest *request;
  const VidgenMiniView *view;
  const VidgenMiniSchedule *schedule;
  guint n_text;
  gboolean prompt_started;
} VidgenMiniJob;

/* Device memory that vidgen_mini_work_init() takes. */
guint64 vidgen_mini_work_bytes (const VidgenMiniConfig *config, gboolean wide);
/* `wide`: the size of pictures, where the config has decoder.wide. The model is
 * loaded and outlives the work, which is to be cleared on error too. Errors as
 * vidgen_memory_new(). */
gboolean vidgen_mini_work_init (VidgenMiniWork *work,
    const VidgenMiniModel *model, guint64 seed, gboolean wide, GError **error);
void vidgen_mini_work_clear (VidgenMiniWork *work);

/* The work on the first n_text rows of `upload` and on the schedule. */
void vidgen_mini_work_record_prompt (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job);
/* Makes the tokens of the chunk. */
void vidgen_mini_work_record_sample (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job);
/* Makes what is asked for of them and puts it into `readback`; decodes the
 * chunks that its pictures depend on first where the decoder is not ready. */
void vidgen_mini_work_record_output (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job);
/* The part of that which turns what was decoded into pictures of a format. */
void vidgen_mini_work_record_picture (
    VidgenMiniWork *work, VidgenRecorder *recorder, VidgenPictureFormat format);

/* Whether what the decoder remembers is right for the chunk. */
gboolean vidgen_mini_work_decoder_is_ready (
    const VidgenMiniWork *work, const VidgenMiniJob *job);
/* The chunk has been made, and another may follow. */
void vidgen_mini_work_advance (VidgenMiniWork *work, const VidgenMiniJob *job);
/* Whatever follows is decoded as if nothing were remembered. */
void vidgen_mini_work_restart (VidgenMiniWork *work);

/* What was made, once it has run. */
VidgenChunk *vidgen_mini_work_read_back (
    const VidgenMiniWork *work, const VidgenChunkRequest *request);

G_END_DECLS
