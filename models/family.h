/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/model.h"

G_BEGIN_DECLS

/* What a family of models implements; included by families, the registry and
 * tests only. models/model.c holds what families share (reference counting,
 * checks of arguments, the history of changes behind seek and replay), so that
 * a family sees only valid calls: a loaded model, valid UTF-8 within the
 * limit, a format within its ranges, one thread a stream.
 */
typedef struct _VidgenFamily VidgenFamily;

struct _VidgenFamily {
  const char *name;

  /* Whether `location` (a path, or the name of an embedded model) is this
   * family's. Cheap; never fails. */
  gboolean (*probe) (const char *location);
  /* A new model, its `info` filled. */
  VidgenModel *(*open) (const char *location, GError **error);
  void (*free) (VidgenModel *model);
  guint64 (*memory_needed) (
      const VidgenModel *model, const VidgenFormat *format);
  /* model->device is `device` already; model.c takes it back on error, after
   * which another load may follow. Under the model's lock. */
  gboolean (*load) (VidgenModel *model, VidgenDevice *device,
      VidgenLoadProgress progress, gpointer user_data,
      GCancellable *cancellable, GError **error);

  /* vidgen_model_complete(); may be NULL: prompts stay as they are. */
  char *(*complete) (
      const VidgenModel *model, const char *prompt, guint64 seed);
  /* Encoded prompts as bytes; the family alone knows what is in them. Encode
   * is called under the model's lock. */
  GBytes *(*encode) (VidgenModel *model, const char *prompt,
      const char *negative, GCancellable *cancellable, GError **error);
  /* Where encoding is dear, encoded prompts are kept on disk, and this tells
   * what they depend on besides the prompt: a digest of tokenizer and text
   * encoder or, where these are too large to read, their names, sizes and times
   * of change. Lives as long as the model. No function, or NULL: nothing is
   * kept. */
  const char *(*encoder_identity) (const VidgenModel *model);
  /* Whether encode needs the model's device only, not that it is loaded. */
  gboolean encodes_unloaded;
  /* Whether bytes from elsewhere have the right shape. They begin at a multiple
   * of 8 bytes. */
  gboolean (*check_conditioning) (VidgenModel *model, GBytes *data);
  /* What a stream is conditioned on until it is told, where to encode the empty
   * prompt for that would be dear; may be NULL: the empty prompt. */
  GBytes *(*blank) (VidgenModel *model);
  /* (1 - weight) * from + weight * to, 0 < weight < 1; any thread. */
  GBytes *(*blend) (
      VidgenModel *model, GBytes *from, GBytes *to, double weight);

  VidgenStream *(*stream_new) (
      VidgenModel *model, const VidgenStreamParams *params, GError **error);
  void (*stream_free) (VidgenStream *stream);
  /* Goes back to chunk 0 in its initial state. */
  void (*stream_restart) (VidgenStream *stream);
  /* Makes chunk `position` under `settings`; must leave the state as it was
   * on error. Chunks are asked for in order. */
  VidgenChunk *(*stream_next) (VidgenStream *stream,
      const VidgenChunkRequest *request, GCancellable *cancellable,
      GError **error);
  void (*stream_stats) (const VidgenStream *stream, VidgenStreamStats *stats);
  /* Appends what is there of this family, VidgenPublished; may be NULL. */
  void (*list_published) (GArray *list);
  /* Appends a line a file at `location` that may be the family's, with what it
   * is and what is wrong with it; may be NULL. */
  void (*tell_files) (const char *location, GString *report);
  /* May be NULL: UNSUPPORTED. */
  gboolean (*stream_set_picture) (VidgenStream *stream, const guint8 *rgb,
      guint width, guint height, guint stride, GError **error);
};

/* Families embed these as the first member of their own structs. */
struct _VidgenModel {
  gatomicrefcount references;
  const VidgenFamily *family;
  VidgenModelInfo info;
  VidgenDevice *device;        /* NULL until loaded; owned */
  GMutex lock;                 /* guards load, encode and cache_dir */
  VidgenLoadProgress progress; /* of vidgen_model_set_progress() */
  gpointer progress_data;
  char *cache_dir;   /* of model.c */
  char *prompts_dir; /* where prompts are that were kept beside the weights;
                        set when it is opened or NULL, freed by model.c */
};

struct _VidgenStream {
  VidgenModel *model; /* owned */
  VidgenStreamParams params;
  guint64 position;
  /* What holds for the chunk at `position`, kept up to date by model.c. */
  struct {
    GBytes *conditioning;
    gboolean conditioning_changed; /* since the chunk before */
    gboolean prompt_started; /* a new prompt takes (or begins to take) effect
                                at this chunk */
    gboolean blending;       /* it lies between two prompts */
    guint steps;
    double guidance;
  } settings;
  struct _VidgenHistory *history; /* of model.c */
};

/* Tells whoever vidgen_model_set_progress() named. */
void vidgen_model_tell (
    const VidgenModel *model, const char *phase, double fraction);

/* A chunk whose pictures and sound the caller fills; any of the sizes may be
 * 0. `pictures` and `sound` of the result point into one allocation. */
VidgenChunk *vidgen_chunk_new (gsize picture_bytes, guint samples);
guint8 *vidgen_chunk_pictures (VidgenChunk *chunk);
float *vidgen_chunk_sound (VidgenChunk *chunk);

/* The families that are built in, one after the other; then NULL. */
const VidgenFamily *vidgen_model_family (guint index);

/* Adds a family in front of those built in, for tests. Not thread-safe. */
void vidgen_model_register_family (const VidgenFamily *family);

G_END_DECLS
