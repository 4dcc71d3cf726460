/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "gst-plugin/tools/launch.h"
#include "models/model.h"

G_BEGIN_DECLS

/* What the verbs that generate have in common: options that become properties
 * of vidgensrc, and the size and rate that its picture is brought to. */
typedef struct {
  char *model;  /* NULL: the element's default */
  char *prompt; /* NULL: the model's first example */
  char *device;
  gint64 seed;
  double seconds;      /* 0: endless */
  guint width, height; /* 0: not given */
  guint fps_n, fps_d;  /* 0: not given */
} VidgenScene;

void vidgen_scene_clear (VidgenScene *scene);

/* Takes the options of VERB out of the arguments, those of the scene and
 * `more` (NULL-terminated entries, may be NULL), and after them `n_words`
 * words, which are `usage`. Returns the words, or NULL with an error that names
 * the bad option. Prints the help and exits for --help.
 */
GStrv vidgen_scene_parse (VidgenScene *scene, const GOptionEntry *more,
    const char *usage, const char *summary, guint n_words, GStrv arguments,
    GError **error);

/* Reads WIDTHxHEIGHT; `name` is the option's, for the error. */
gboolean vidgen_scene_read_size (const char *name, const char *value,
    guint *width, guint *height, GError **error);

/* Opens the model's header, so that its native format is known, and takes its
 * first example for a prompt where none is given. */
VidgenModel *vidgen_scene_open (VidgenScene *scene, GError **error);

/* Appends `vidgensrc name=s` and its properties. */
void vidgen_scene_add_source (const VidgenScene *scene, VidgenLaunch *launch);
/* Appends the steps from raw sound to AAC in stereo at 48 kHz; FALSE where no
 * encoder is installed. */
gboolean vidgen_scene_add_aac (VidgenLaunch *launch, GError **error);

/* NONE where it is endless. */
GstClockTime vidgen_scene_duration (const VidgenScene *scene);

G_END_DECLS
