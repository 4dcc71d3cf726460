/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/sampler.h"
#include "models/wan/wan-private.h"

G_BEGIN_DECLS

/* The memory of a stream, and what is recorded to work in it. One thread at a
 * time; whatever is recorded or on a tape ends before the memory does.
 *
 * Frames of latents are counted from the stream's first one on. The newest ones
 * before the chunk being made are kept, as many as the cache holds or the
 * decoder depends on, in two copies: a chunk reads the one and writes the
 * other, so that one that failed leaves no trace.
 */
typedef struct {
  const VidgenWanModel *model;
  const VidgenWanPreset *preset;
  VidgenFormat format;
  guint64 seed;
  VidgenWanShape shape;
  VidgenPlan *plan;       /* of all spans */
  VidgenMemory *readback; /* a chunk's pictures */
  VidgenDecoderStream *decoder;
  VidgenWanTransformer transformer;
  VidgenWanLatents latents;
  VidgenSpan history[2]; /* newest latents as tokens, in order; not of clips */
  guint newest;          /* the copy that holds them */
  VidgenSpan again;      /* those in the cache, in order */
  VidgenSpan latent;     /* one, as the decoder takes it */
  VidgenSpan picture;    /* of one latent */
  guint64 next_latent;   /* that the decoder is right for, or NOWHERE */
  const VidgenTap *tap;
} VidgenWanWork;

#define VIDGEN_WAN_NOWHERE G_MAXUINT64

/* One chunk to make. */
typedef struct {
  guint64 chunk;
  VidgenSpan position;  /* where it is read from, as of VidgenNoise */
  VidgenSpan positions; /* the view's, as of VidgenWanPass */
  const VidgenChunkRequest *request;
  VidgenWanSchedule schedule;
  VidgenWanContext context; /* before the chunk */
  double guidance;
  gboolean again; /* what is remembered is to be made anew */
} VidgenWanJob;

/* How a stream of the preset uses the network. */
VidgenWanShape vidgen_wan_work_shape (
    const VidgenWanPreset *preset, const VidgenFormat *format);

/* Plans, and tells the device memory that is needed. The model outlives the
 * work, which is to be cleared. */
guint64 vidgen_wan_work_init (VidgenWanWork *work, const VidgenWanModel *model,
    const VidgenFormat *format, guint64 seed);
/* Of a model that is loaded. Error: NO_MEMORY. */
gboolean vidgen_wan_work_allocate (VidgenWanWork *work, GError **error);
void vidgen_wan_work_clear (VidgenWanWork *work);
void vidgen_wan_work_set_tap (VidgenWanWork *work, const VidgenTap *tap);
/* Whatever follows is decoded as if nothing were remembered. */
void vidgen_wan_work_restart (VidgenWanWork *work);

/* What the chunk sees. */
void vidgen_wan_work_view (
    const VidgenWanWork *work, const VidgenWanJob *job, VidgenWanView *view);

/* The work on a prompt, and on one that is guided away from. */
void vidgen_wan_work_record_text (
    VidgenWanWork *work, VidgenRecorder *recorder, GBytes *conditioning);
/* The work on the job's schedule. */
void vidgen_wan_work_record_schedule (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job);
/* The frames in the cache go through the network again, clean. */
void vidgen_wan_work_record_again (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job);
/* Makes the latents of the chunk. */
void vidgen_wan_work_record_sample (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job);
/* Keeps them and, where video is asked for, puts their pictures into
 * `readback`, after decoding the latents that these depend on where the decoder
 * is not ready. */
void vidgen_wan_work_record_output (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job);
/* Whatever that may ever record, for compiling. */
void vidgen_wan_work_record_all_outputs (
    VidgenWanWork *work, VidgenRecorder *recorder);
/* In place of that, where it was recorded before and is run once more. */
void vidgen_wan_work_skip_output (VidgenWanWork *work, const VidgenWanJob *job);

/* Whether what the decoder remembers is right for the chunk, as it is made for
 * the first of a stream or clip. */
gboolean vidgen_wan_work_decoder_is_ready (
    VidgenWanWork *work, const VidgenWanJob *job);
/* The chunk has been made, and another may follow. */
void vidgen_wan_work_advance (VidgenWanWork *work, const VidgenWanJob *job);

/* What was made, once it has run. */
VidgenChunk *vidgen_wan_work_read_back (
    const VidgenWanWork *work, const VidgenWanJob *job);

G_END_DECLS
