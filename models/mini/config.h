/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The config of models/mini/FORMAT.md section 1. Every field is checked: sizes
 * lie in the ranges below, belong together, and their products stay far from
 * overflow. Immutable. */

/* What the kernels ask for: heads of 16, 32, 64 or 128 values, inner sizes that
 * are multiples of 8, channels of convolutions that are multiples of 4. */
#define VIDGEN_MINI_MAX_PICTURE 2048
#define VIDGEN_MINI_MAX_TOKENS 16384 /* of a chunk */
#define VIDGEN_MINI_MAX_SIZE 4096
#define VIDGEN_MINI_MAX_LAYERS 64
#define VIDGEN_MINI_MAX_WINDOW 64
#define VIDGEN_MINI_MAX_STEPS 64
#define VIDGEN_MINI_MAX_CACHE_BYTES (G_GUINT64_CONSTANT (1) << 36)
#define VIDGEN_MINI_CHUNK_FRAMES 4 /* what the decoder's graph gives */
#define VIDGEN_MINI_DOWNSCALE 8
#define VIDGEN_MINI_WIDE 2 /* times as wide and high is the wide size */

typedef struct {
  guint n_steps;
  double *times; /* n_steps, falling from 1 */
} VidgenMiniSchedule;

typedef struct {
  char *name;
  struct {
    guint width, height;
    guint fps_n, fps_d;
  } video;
  struct {
    guint sample_rate;
  } audio;
  struct {
    guint frames, samples;
  } chunk;
  struct {
    guint channels, patch;
  } latent;
  struct {
    guint tokens, token_size, frames_per_token, hop;
    guint bands, tonal_bands;
    float *band_edges_hz; /* bands + 1 */
    double tonality_floor;
    gboolean mid_side; /* the channels, otherwise left and right */
  } sound;
  struct {
    guint size, layers, heads, mlp, tokens, buckets;
    char **vocabulary;
    guint n_vocabulary;
    GArray *completions; /* VidgenMiniRule */
  } text;
  struct {
    guint size, layers, heads, mlp, time_size;
    double time_scale, time_period;
    struct {
      guint n_time, n_vertical, n_horizontal;
      double *time, *vertical, *horizontal;
      double sound_position[2];
    } rope;
  } transformer;
  struct {
    guint channels[2];
  } encoder;
  struct {
    guint channels[3];
    double latent_bound;
    guint wide; /* channels; 0: no wide pictures */
  } decoder;
  struct {
    guint window, sink;
    double timestep;
  } context;
  VidgenMiniSchedule *schedules; /* rising n_steps */
  guint n_schedules;
  guint steps; /* the default */
  char **prompts;
} VidgenMiniConfig;

/* Errors: FORMAT, naming the key; `file` is named in messages. */
VidgenMiniConfig *vidgen_mini_config_parse (
    const char *json, const char *file, GError **error);
void vidgen_mini_config_free (VidgenMiniConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMiniConfig, vidgen_mini_config_free)

/* Video tokens of a chunk: rows, columns. */
guint vidgen_mini_rows (const VidgenMiniConfig *config);
guint vidgen_mini_columns (const VidgenMiniConfig *config);
guint vidgen_mini_video_tokens (const VidgenMiniConfig *config);
/* Video and audio tokens of a chunk. */
guint vidgen_mini_tokens (const VidgenMiniConfig *config);
/* Values of a video token. */
guint vidgen_mini_video_values (const VidgenMiniConfig *config);
/* Channels of the latent as the kernels want them, and so the values of a
 * video token with zeros at its end. */
guint vidgen_mini_padded_channels (const VidgenMiniConfig *config);
guint vidgen_mini_padded_video_values (const VidgenMiniConfig *config);
guint vidgen_mini_padded_audio_values (const VidgenMiniConfig *config);
/* Sound frames of a chunk. */
guint vidgen_mini_sound_frames (const VidgenMiniConfig *config);
/* Slots of the context: the window, the sink, the chunk being made. */
guint vidgen_mini_slots (const VidgenMiniConfig *config);
/* NULL where `steps` has none. */
const VidgenMiniSchedule *vidgen_mini_schedule (
    const VidgenMiniConfig *config, guint steps);

G_END_DECLS
