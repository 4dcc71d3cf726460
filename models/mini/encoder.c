/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/encoder.h"

#include <string.h>

#include "models/plan.h"

/* The pictures are unshuffled by 4, the maps then halved. */
#define UNSHUFFLE 4
#define COLOURS 3
#define PIXEL_VALUES                                                           \
  (VIDGEN_MINI_CHUNK_FRAMES * COLOURS * UNSHUFFLE * UNSHUFFLE)

void
vidgen_mini_encoder_list (VidgenMiniEncoderWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  const guint e1 = config->encoder.channels[0];
  const guint e2 = config->encoder.channels[1];

  vidgen_mini_loader_conv (
      loader, &weights->in, "encoder.in", e1, PIXEL_VALUES, PIXEL_VALUES, 3);
  vidgen_mini_block_list (
      &weights->block1, loader, "encoder.block1", e1, FALSE);
  vidgen_mini_loader_conv_down (loader, &weights->down, "encoder.down", e2, e1);
  vidgen_mini_block_list (&weights->block2, loader, "encoder.block2", e2, TRUE);
  vidgen_mini_loader_conv (
      loader, &weights->out, "encoder.out", config->latent.channels, e2, e2, 3);
}

typedef struct {
  VidgenMiniMap pixels, wide, folded, narrow, latent;
  VidgenSpan in, wide_x, wide_inner, wide_out, folded_x;
  VidgenSpan narrow_x, none, narrow_inner, narrow_out, out;
} Encoding;

static VidgenPlan *
plan (Encoding *encoding, const VidgenMiniConfig *config)
{
  const guint height = config->video.height / UNSHUFFLE;
  const guint width = config->video.width / UNSHUFFLE;
  const guint e1 = config->encoder.channels[0];
  const guint e2 = config->encoder.channels[1];
  VidgenPlan *plan = vidgen_plan_new ();

  encoding->pixels = (VidgenMiniMap){ 1, height, width, PIXEL_VALUES };
  encoding->wide = (VidgenMiniMap){ 1, height, width, e1 };
  encoding->folded = (VidgenMiniMap){ 1, height / 2, width / 2, 4 * e1 };
  encoding->narrow = (VidgenMiniMap){ 1, height / 2, width / 2, e2 };
  encoding->latent =
      (VidgenMiniMap){ 1, height / 2, width / 2, config->latent.channels };
  const struct {
    VidgenSpan *span;
    const VidgenMiniMap *map;
  } wishes[] = {
    { &encoding->in, &encoding->pixels },
    { &encoding->wide_x, &encoding->wide },
    { &encoding->wide_inner, &encoding->wide },
    { &encoding->wide_out, &encoding->wide },
    { &encoding->folded_x, &encoding->folded },
    { &encoding->narrow_x, &encoding->narrow },
    { &encoding->none, &encoding->narrow },
    { &encoding->narrow_inner, &encoding->narrow },
    { &encoding->narrow_out, &encoding->narrow },
    { &encoding->out, &encoding->latent },
  };
  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    vidgen_plan_keep (
        plan, wishes[i].span, vidgen_mini_map_frame (*wishes[i].map));
  return plan;
}

/* Channel ((frame * 3 + colour) * 4 + y) * 4 + x, all frames alike. */
static void
write_pixels (VidgenMiniMap map, const guint8 *rgb, guint stride, float *pixels)
{
  for (guint row = 0; row < map.height; row++) {
    for (guint column = 0; column < map.width; column++) {
      for (guint channel = 0; channel < PIXEL_VALUES; channel++) {
        const guint x = channel % UNSHUFFLE;
        const guint y = channel / UNSHUFFLE % UNSHUFFLE;
        const guint colour = channel / UNSHUFFLE / UNSHUFFLE % COLOURS;
        const gsize line = (gsize)(row * UNSHUFFLE + y) * stride;
        const gsize place = (column * UNSHUFFLE + x) * COLOURS + colour;

        *pixels++ = rgb[line + place] / 127.5f - 1;
      }
    }
  }
}

/* As vidgen_mini_loader_conv_down() has it. */
static void
record_fold (const Encoding *encoding, VidgenRecorder *recorder)
{
  const VidgenMiniMap wide = encoding->wide;

  for (guint row = 0; row < wide.height; row++) {
    for (guint column = 0; column < wide.width; column++) {
      const guint64 from = (guint64)row * wide.width + column;
      const guint64 pixel =
          (guint64)row / 2 * encoding->folded.width + column / 2;
      const guint64 to = 4 * pixel + row % 2 * 2 + column % 2;

      vidgen_recorder_copy (recorder,
          vidgen_floats (encoding->folded_x, to * wide.channels, wide.channels),
          vidgen_floats (
              encoding->wide_out, from * wide.channels, wide.channels));
    }
  }
}

static void
record (const Encoding *encoding, const VidgenMiniEncoderWeights *weights,
    VidgenRecorder *recorder)
{
  vidgen_mini_convolve (recorder, &weights->in, encoding->pixels,
      (VidgenConv2d){ .x = encoding->in, .out = encoding->wide_x });
  vidgen_mini_block_record (recorder, &weights->block1, encoding->wide,
      encoding->wide_x, VIDGEN_SPAN_NONE, encoding->wide_inner,
      encoding->wide_out);
  record_fold (encoding, recorder);
  vidgen_mini_convolve (recorder, &weights->down, encoding->folded,
      (VidgenConv2d){ .x = encoding->folded_x, .out = encoding->narrow_x });
  vidgen_mini_block_record (recorder, &weights->block2, encoding->narrow,
      encoding->narrow_x, encoding->none, encoding->narrow_inner,
      encoding->narrow_out);
  vidgen_mini_convolve (recorder, &weights->out, encoding->narrow,
      (VidgenConv2d){ .x = encoding->narrow_out, .out = encoding->out });
}

gboolean
vidgen_mini_encoder_still (const VidgenMiniEncoderWeights *weights,
    const VidgenMiniConfig *config, VidgenDevice *device, const guint8 *rgb,
    guint stride, float *latent, GError **error)
{
  Encoding encoding;
  g_autoptr (VidgenPlan) memory = plan (&encoding, config);
  const guint64 pixels = vidgen_mini_map_frame (encoding.pixels);
  const guint64 values = vidgen_mini_map_frame (encoding.latent);
  g_autoptr (VidgenMemory) upload = NULL;
  g_autoptr (VidgenMemory) readback = NULL;
  g_autoptr (VidgenRecorder) recorder = NULL;

  if (!vidgen_plan_allocate (memory, device, error))
    return FALSE;
  upload = vidgen_memory_new (device, 4 * pixels, VIDGEN_MEMORY_UPLOAD, error);
  if (!upload)
    return FALSE;
  readback =
      vidgen_memory_new (device, 4 * values, VIDGEN_MEMORY_READBACK, error);
  if (!readback)
    return FALSE;
  recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  if (!recorder)
    return FALSE;
  write_pixels (encoding.pixels, rgb, stride,
      vidgen_span_map (vidgen_memory_span (upload)));
  vidgen_recorder_copy (recorder, encoding.in, vidgen_memory_span (upload));
  record (&encoding, weights, recorder);
  vidgen_recorder_copy (recorder, vidgen_memory_span (readback), encoding.out);
  if (!vidgen_recorder_finish (recorder, NULL, error))
    return FALSE;
  memcpy (latent, vidgen_span_map (vidgen_memory_span (readback)), 4 * values);
  return TRUE;
}
