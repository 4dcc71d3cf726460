/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* How a published checkpoint of the family is meant to be used: how many frames
 * of latents it makes at once, in how many steps, and what it remembers. A
 * preset is chosen by the names of the checkpoint and of its folder, and
 * changed by a text file beside it, "vidgen.ini" or the checkpoint's own name
 * with ".ini" after it, of which the group [wan] may have these keys:
 *
 *   preset         name of another preset to start from
 *   transformer, text-encoder, decoder, lora
 *                  a file, or for the encoder a folder, relative to the text
 *                  file; instead of what is found in the folder
 *   part           dictionary of the checkpoint that holds the weights
 *   weights        bf16: matrices that are published in f32 become bf16, in
 *                  which the published code computes; published: they stay
 *   cache          f16, f32: of what is remembered
 *   chunk, window, sink, steps, first-steps
 *   positions      relative, absolute
 *   prompt-change  recache: what is remembered is made anew under the new
 *                  prompt, once, when that holds alone; keep: it stays, and the
 *                  change is slow; cut: it is forgotten when a prompt begins
 *   shift, guidance, negative-prompt, width, height
 */
typedef enum {
  VIDGEN_WAN_RECACHE,
  VIDGEN_WAN_KEEP,
  VIDGEN_WAN_CUT
} VidgenWanChange;

typedef struct {
  char *name;       /* "self-forcing" */
  char *part;       /* preferred dictionary; NULL: any */
  gboolean halves;  /* weights: bf16 */
  VidgenType cache; /* of cached keys and values, F32 or F16 */
  gboolean clip;    /* makes clips, all frames of which see each other */
  guint chunk;      /* frames of latents */
  guint window, sink;
  gboolean relative;
  guint steps, first_steps; /* first: of chunk 0 */
  double shift;
  double guidance; /* 1: none */
  char *negative;
  VidgenWanChange change;
  guint width, height; /* native */
  /* Paths; NULL where none is given. */
  char *transformer, *text_encoder, *decoder, *lora;
} VidgenWanPreset;

/* The preset that the path of a checkpoint speaks of. */
VidgenWanPreset *vidgen_wan_preset_guess (const char *path);
/* NULL where there is none of that name. */
VidgenWanPreset *vidgen_wan_preset_new (const char *name);
void vidgen_wan_preset_free (VidgenWanPreset *preset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenWanPreset, vidgen_wan_preset_free)

/* Names of all presets, NULL-terminated. */
const char *const *vidgen_wan_preset_names (void);

/* What a preset is for, for people and for `vidgen models`. */
typedef struct {
  const char *title;
  const char *source; /* where the weights are published, and the file's name */
  const char *licence;
} VidgenWanPresetAbout;

/* NULL where there is none of that name. */
const VidgenWanPresetAbout *vidgen_wan_preset_about (const char *name);

/* Takes what the text file at `path` says into *preset; it may replace it.
 * Errors: NOT_FOUND, FORMAT (names file and key). */
gboolean vidgen_wan_preset_read (
    VidgenWanPreset **preset, const char *path, GError **error);

/* Whether the numbers belong together. Error: INVALID. */
gboolean vidgen_wan_preset_check (
    const VidgenWanPreset *preset, GError **error);

/* Step counts that the preset takes, ending with 0. */
const guint *vidgen_wan_preset_steps (const VidgenWanPreset *preset);

G_END_DECLS
