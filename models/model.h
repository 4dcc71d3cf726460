/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

#include "shaders/picture.h"
#include "shaders/runtime/device.h"
#include "shaders/runtime/error.h"

G_BEGIN_DECLS

/* What gst-plugin knows of models: a model is opened, described, loaded onto a
 * device, and streams are drawn from it, chunk by chunk. A family (mini, …)
 * implements models/family.h; nothing above this header knows which.
 *
 * VidgenModel and VidgenConditioning are refcounted, immutable once loaded or
 * made, and may be used from any thread. A VidgenStream belongs to one thread
 * at a time. Content depends only on the model's weights, seed, format, steps,
 * guidance and the chunks at which conditionings took effect.
 */
typedef struct _VidgenModel VidgenModel;
typedef struct _VidgenConditioning VidgenConditioning;
typedef struct _VidgenStream VidgenStream;

/* min, min + step, … max */
typedef struct {
  guint min, max, step;
} VidgenRange;

typedef struct {
  guint width, height;
  guint fps_n, fps_d; /* frames a second */
} VidgenFormat;

typedef enum {
  VIDGEN_CONDITION_TEXT = 1 << 0,
  VIDGEN_CONDITION_NEGATIVE = 1 << 1, /* a negative prompt, with guidance */
  VIDGEN_CONDITION_PICTURE = 1 << 2   /* a first picture */
} VidgenConditionKinds;

typedef struct {
  const char *family; /* "mini" */
  const char *name;   /* of these weights, for people */
  VidgenRange width, height;
  const guint *scales; /* NULL: any width of the range goes with any height;
                          else rising from 1 and ending with 0: of the ranges
                          only what is the native size times one of these */
  VidgenFormat native; /* what caps are fixated to */
  gboolean has_audio;  /* else chunks have no samples */
  guint sample_rate;   /* Hz; also set where there is no audio */
  VidgenConditionKinds kinds;
  const guint *steps; /* the step counts it takes, ending with 0 */
  guint default_steps;
  double guidance_min, guidance_max, default_guidance; /* equal: no guidance */
  guint first_chunk_frames;                            /* of chunk 0 */
  guint chunk_frames;                                  /* of every later one */
  const char *const *prompts; /* examples, NULL-terminated; the first is the
                                 default prompt */
} VidgenModelInfo;

/* The longest prompt, in bytes of UTF-8. */
#define VIDGEN_PROMPT_MAX_BYTES 65536

/* Opens `location`, the name of an embedded model or the path of a checkpoint
 * file or folder, reading headers only: fast, no device needed. Errors:
 * NOT_FOUND (names the location and the embedded models), FORMAT (names the
 * tensor, key or offset).
 */
VidgenModel *vidgen_model_open (const char *location, GError **error);
VidgenModel *vidgen_model_ref (VidgenModel *model);
void vidgen_model_unref (VidgenModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenModel, vidgen_model_unref)

/* Names of the embedded models, NULL-terminated. */
const char *const *vidgen_model_embedded (void);

/* A model that is embedded, or weights that are published and that a family
 * reads, for people. Static. */
typedef struct {
  const char *family;
  const char *name;   /* as the model or its preset is called; NULL: a part, of
                         which every model of the family needs one of its kind */
  const char *title;  /* "LongLive-1.3B"; of a part with its kind before it:
                         "decoder: TAEHV" */
  const char *source; /* address and file; NULL: embedded */
  const char *licence;
  guint64 file_bytes;   /* as published, about; 0: not known */
  VidgenFormat format;  /* its native one; of a part all 0 */
  guint64 memory_bytes; /* on a device at that format, the parts included */
} VidgenPublished;

/* Of all families; an array of VidgenPublished, to be unreferenced. */
GArray *vidgen_model_published (void);

/* What lies at `location` and what a model there lacks, in lines for people:
 * each file, what it is and what is wrong with it, then a verdict, with the
 * memory it needs. *playable tells whether it can be played. Only headers and
 * names are read: damage in the values is not seen. Free it. */
char *vidgen_model_check (const char *location, gboolean *playable);

/* Lives as long as the model. */
const VidgenModelInfo *vidgen_model_info (const VidgenModel *model);

gboolean vidgen_model_makes_size (
    const VidgenModelInfo *info, guint width, guint height);
/* The sizes that it makes, for people: "192 x 112 or 384 x 224". Free it. */
char *vidgen_model_tell_sizes (const VidgenModelInfo *info);

/* Frames of chunk `chunk`, and the frames before it. */
guint vidgen_model_chunk_frames (const VidgenModelInfo *info, guint64 chunk);
guint64 vidgen_model_chunk_start (const VidgenModelInfo *info, guint64 chunk);
/* The chunk that holds frame `frame`. */
guint64 vidgen_model_chunk_of (const VidgenModelInfo *info, guint64 frame);
/* Samples that lie before frame `frame`: floor (frame * rate * fps_d / fps_n),
 * without overflow below 2^63 samples. */
guint64 vidgen_model_samples_before (
    const VidgenModelInfo *info, const VidgenFormat *format, guint64 frame);

/* Device memory that the weights and one stream at `format`, one of the
 * model's, need, in bytes. */
guint64 vidgen_model_memory_needed (
    const VidgenModel *model, const VidgenFormat *format);

/* `phase` is "load" or "warmup"; fraction 0..1. On the calling thread. */
typedef void (*VidgenLoadProgress) (
    const char *phase, double fraction, gpointer user_data);

/* Puts the weights on `device` and compiles the pipelines. Weights of the same
 * file on the same device are shared between models. Loading a loaded model
 * does nothing. Errors: FORMAT, NO_MEMORY, DEVICE_LOST, cancelled; the model
 * can be loaded again after any of them.
 */
gboolean vidgen_model_load (VidgenModel *model, VidgenDevice *device,
    VidgenLoadProgress progress, gpointer user_data, GCancellable *cancellable,
    GError **error);

/* Who is told of what takes long once the model is loaded, on the thread that
 * asked for it: phase "encode" while a prompt is encoded that was not kept,
 * "warmup" while pipelines are compiled for a stream. 1 ends a phase; one that
 * fails has no end. NULL, as at first: nobody. To be set while nobody else uses
 * the model; it must not call the model. */
void vidgen_model_set_progress (
    VidgenModel *model, VidgenLoadProgress progress, gpointer user_data);

/* Where prompts that are dear to encode are kept, from the next one on; NULL,
 * as at first: nowhere. */
void vidgen_model_set_cache_dir (VidgenModel *model, const char *path);

/* The prompt with what it leaves open drawn by `seed` and put into words, where
 * a family makes more of that: to be encoded for streams of this seed. One that
 * says everything, or nothing that the model knows, stays as it is. Free it.
 * Any thread. */
char *vidgen_model_complete (
    const VidgenModel *model, const char *prompt, guint64 seed);

/* Encodes a prompt on a loaded model. `negative` may be NULL. Errors: INVALID
 * (not UTF-8, longer than VIDGEN_PROMPT_MAX_BYTES), UNSUPPORTED (a negative
 * prompt where there is no guidance), device errors.
 */
VidgenConditioning *vidgen_model_encode (VidgenModel *model, const char *prompt,
    const char *negative, GCancellable *cancellable, GError **error);

/* Encodes a prompt, on `device` where the model is not loaded, and keeps it in
 * the folder "prompts" beside the weights: whoever has these can play it then,
 * without a text encoder too. Errors as vidgen_model_encode(); UNSUPPORTED
 * (encoding costs so little that nothing is kept), FAILED (the folder cannot be
 * written). */
gboolean vidgen_model_keep_prompt (VidgenModel *model, VidgenDevice *device,
    const char *prompt, const char *negative, GCancellable *cancellable,
    GError **error);

VidgenConditioning *vidgen_conditioning_ref (VidgenConditioning *conditioning);
void vidgen_conditioning_unref (VidgenConditioning *conditioning);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenConditioning, vidgen_conditioning_unref)

/* For caches on disk: opaque, checked when read back. Errors: INVALID where
 * `data` was made by other weights or is damaged. */
GBytes *vidgen_conditioning_serialise (const VidgenConditioning *conditioning);
VidgenConditioning *vidgen_conditioning_parse (
    VidgenModel *model, GBytes *data, GError **error);

typedef struct {
  guint64 seed;
  VidgenFormat format;
  gboolean forward_only; /* never goes back: changes are forgotten once they
                            are made, so that any number of them is free */
} VidgenStreamParams;

/* A stream of a loaded model, at chunk 0, conditioned on the empty prompt or,
 * where that is dear to encode, on none at all, until it is told otherwise.
 * Everything it needs is allocated here. Errors: INVALID (format), NO_MEMORY.
 */
VidgenStream *vidgen_stream_new (
    VidgenModel *model, const VidgenStreamParams *params, GError **error);
/* Holds a reference on its model. */
void vidgen_stream_free (VidgenStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenStream, vidgen_stream_free)

/* The chunk that vidgen_stream_next() makes next. */
guint64 vidgen_stream_position (const VidgenStream *stream);

/* From the next chunk on; over `blend_chunks` chunks the old conditioning
 * turns into the new one (0: at once; at chunk 0 there is none to turn from).
 * Forgets changes that an earlier pass had made at this chunk or later (see
 * seek). Returns the chunk at which it begins to take effect. */
guint64 vidgen_stream_set_conditioning (
    VidgenStream *stream, VidgenConditioning *conditioning, guint blend_chunks);
/* 0: the model's default. From the next chunk on. Errors: INVALID. */
gboolean vidgen_stream_set_steps (
    VidgenStream *stream, guint steps, GError **error);
gboolean vidgen_stream_set_guidance (
    VidgenStream *stream, double scale, GError **error);
/* A first picture, RGB bytes, at chunk 0 only; of the model's native size, also
 * where the stream's is another. Errors: UNSUPPORTED, INVALID. */
gboolean vidgen_stream_set_picture (VidgenStream *stream, const guint8 *rgb,
    guint width, guint height, guint stride, GError **error);

/* Moves to the nearest chunk at or before `chunk` from which the stream can go
 * on to make `chunk` with the bytes it would have had anyway; returns that
 * chunk. The caller makes and drops the chunks between. Changes of
 * conditioning, steps and guidance are replayed at their chunks. A stream that
 * is forward_only must not be asked for a chunk before its position. */
guint64 vidgen_stream_seek (VidgenStream *stream, guint64 chunk);

/* What is wanted of a chunk; what is not wanted is not computed where the
 * model can leave it out without changing later chunks. */
typedef struct {
  gboolean video;
  VidgenPictureFormat picture_format;
  gboolean audio;
} VidgenChunkRequest;

/* One generated chunk. Refcounted, host memory, immutable. */
typedef struct {
  guint64 index;
  guint64 first_frame;
  guint frames;
  guint width, height;
  gboolean has_video;
  VidgenPictureFormat picture_format;
  VidgenPictureLayout layout;
  const guint8 *pictures; /* `frames` pictures of layout.size bytes */
  guint64 first_sample;
  guint samples;      /* 0 where the model has no sound */
  const float *sound; /* [samples][2], -1..1; NULL where not wanted */
  guint64 time_ns;    /* what its making took: host time or, where that is less
                         because some of it was made ahead, device time */
} VidgenChunk;

VidgenChunk *vidgen_chunk_ref (VidgenChunk *chunk);
void vidgen_chunk_unref (VidgenChunk *chunk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenChunk, vidgen_chunk_unref)

/* Makes the chunk at the stream's position and moves on. On any error,
 * cancellation included, the position stays and the same chunk can be asked
 * for again, with the same result; but where the device fails at its work short
 * of being lost, some of the next chunk may be made already and what that needs
 * of this one's past be gone, and the result be another. Errors: cancelled,
 * DEVICE_LOST, NO_MEMORY, FAILED. */
VidgenChunk *vidgen_stream_next (VidgenStream *stream,
    const VidgenChunkRequest *request, GCancellable *cancellable,
    GError **error);

/* Device time of the newest chunk by stage, and what the stream occupies. */
#define VIDGEN_MAX_STAGES 8
typedef struct {
  guint64 chunks;
  guint n_stages;
  struct {
    const char *name; /* "text", "transformer", "decode", "sound", "output" */
    guint64 time_ns;
    double operations; /* floating-point */
  } stages[VIDGEN_MAX_STAGES];
  guint64 total_device_ns; /* of all chunks */
  guint64 memory_bytes;    /* device memory of this stream */
} VidgenStreamStats;

void vidgen_stream_stats (const VidgenStream *stream, VidgenStreamStats *stats);

G_END_DECLS
