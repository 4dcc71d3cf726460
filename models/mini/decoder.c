/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/decoder.h"

#include "models/mini/step.h"
#include "shaders/unpatchify.h"

/* Time steps that an up convolution makes of one. */
#define UP_STEPS 2

void
vidgen_mini_decoder_list (VidgenMiniDecoderWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  static const gboolean has_memory[] = { TRUE, FALSE, TRUE, FALSE };
  const guint c1 = config->decoder.channels[0];
  const guint c2 = config->decoder.channels[1];
  const guint c3 = config->decoder.channels[2];
  const guint c4 = config->decoder.wide;
  const guint channels[] = { c1, c1, c2, c3 };
  const guint values = vidgen_mini_video_values (config);
  const guint padded = vidgen_mini_padded_video_values (config);

  vidgen_mini_loader_table (
      loader, &weights->mean, "latent.mean", 0, values, padded);
  vidgen_mini_loader_table (
      loader, &weights->std, "latent.std", 0, values, padded);
  vidgen_mini_loader_conv (loader, &weights->in, "decoder.in", c1,
      config->latent.channels, vidgen_mini_padded_channels (config), 3);
  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    g_autofree char *name = g_strdup_printf ("decoder.block%u", i + 1);

    vidgen_mini_block_list (
        &weights->blocks[i], loader, name, channels[i], has_memory[i]);
  }
  vidgen_mini_loader_conv (
      loader, &weights->up1, "decoder.up1", UP_STEPS * c2 * 4, c1, c1, 1);
  vidgen_mini_loader_conv (
      loader, &weights->up2, "decoder.up2", UP_STEPS * c3 * 4, c2, c2, 1);
  vidgen_mini_loader_conv (loader, &weights->out, "decoder.out", 12, c3, c3, 3);
  if (c4 == 0)
    return;
  vidgen_mini_loader_conv (
      loader, &weights->up3, "decoder.up3", c4 * 4, c3, c3, 3);
  vidgen_mini_loader_conv (
      loader, &weights->wide, "decoder.wide", 12, c4, c4, 3);
}

static guint
scale_of (const VidgenMiniDecoder *decoder)
{
  return decoder->wide ? VIDGEN_MINI_WIDE : 1;
}

guint
vidgen_mini_decoder_width (const VidgenMiniDecoder *decoder)
{
  return decoder->config->video.width * scale_of (decoder);
}

guint
vidgen_mini_decoder_height (const VidgenMiniDecoder *decoder)
{
  return decoder->config->video.height * scale_of (decoder);
}

/* Level 0 has the latent's size, each level twice that of the one before. */
static VidgenMiniMap
map_of (const VidgenMiniConfig *config, guint level)
{
  return (VidgenMiniMap){ 1u << level,
    (config->video.height / VIDGEN_MINI_DOWNSCALE) << level,
    (config->video.width / VIDGEN_MINI_DOWNSCALE) << level,
    config->decoder.channels[level] };
}

/* What the wide head makes of the last level. */
static VidgenMiniMap
wide_map_of (const VidgenMiniConfig *config)
{
  return (VidgenMiniMap){ VIDGEN_MINI_CHUNK_FRAMES, config->video.height,
    config->video.width, config->decoder.wide };
}

static void
plan_pictures (VidgenMiniDecoder *decoder, VidgenPlan *plan)
{
  const VidgenMiniConfig *config = decoder->config;
  const guint64 pixels = (guint64)vidgen_mini_decoder_width (decoder) *
                         vidgen_mini_decoder_height (decoder);

  vidgen_plan_add (plan, &decoder->output4,
      4 * vidgen_mini_map_frame (map_of (config, 2)), VIDGEN_MINI_STEP_DECODE_4,
      decoder->wide ? VIDGEN_MINI_STEP_DECODE_WIDE : VIDGEN_MINI_STEP_PICTURE);
  if (decoder->wide)
    vidgen_plan_add (plan, &decoder->widened,
        VIDGEN_MINI_CHUNK_FRAMES * vidgen_mini_map_frame (wide_map_of (config)),
        VIDGEN_MINI_STEP_DECODE_WIDE, VIDGEN_MINI_STEP_PICTURE);
  vidgen_plan_add (plan, &decoder->rgb, pixels * 3 * VIDGEN_MINI_CHUNK_FRAMES,
      VIDGEN_MINI_STEP_PICTURE, VIDGEN_MINI_STEP_PICTURE);
}

void
vidgen_mini_decoder_plan (VidgenMiniDecoder *decoder, VidgenPlan *plan)
{
  const VidgenMiniConfig *config = decoder->config;
  const guint64 level0 = vidgen_mini_map_frame (map_of (config, 0));
  const guint64 level1 = vidgen_mini_map_frame (map_of (config, 1));
  const guint64 level2 = vidgen_mini_map_frame (map_of (config, 2));
  const guint64 padded = (guint64)vidgen_mini_video_tokens (config) *
                         vidgen_mini_padded_video_values (config);
  const struct {
    VidgenSpan *span;
    guint64 count;
    VidgenMiniStep first, last;
  } wishes[] = {
    { &decoder->latent, padded, VIDGEN_MINI_STEP_DECODE_IN,
        VIDGEN_MINI_STEP_DECODE_IN },
    { &decoder->input1, 2 * level0, VIDGEN_MINI_STEP_DECODE_IN,
        VIDGEN_MINI_STEP_DECODE_1 },
    { &decoder->inner1, level0, VIDGEN_MINI_STEP_DECODE_1,
        VIDGEN_MINI_STEP_DECODE_1 },
    { &decoder->output1, level0, VIDGEN_MINI_STEP_DECODE_1,
        VIDGEN_MINI_STEP_DECODE_2 },
    { &decoder->inner2, level0, VIDGEN_MINI_STEP_DECODE_2,
        VIDGEN_MINI_STEP_DECODE_2 },
    { &decoder->output2, level0, VIDGEN_MINI_STEP_DECODE_2,
        VIDGEN_MINI_STEP_DECODE_2 },
    { &decoder->input3, 3 * level1, VIDGEN_MINI_STEP_DECODE_2,
        VIDGEN_MINI_STEP_DECODE_3 },
    { &decoder->inner3, 2 * level1, VIDGEN_MINI_STEP_DECODE_3,
        VIDGEN_MINI_STEP_DECODE_3 },
    { &decoder->output3, 2 * level1, VIDGEN_MINI_STEP_DECODE_3,
        VIDGEN_MINI_STEP_DECODE_3 },
    { &decoder->input4, 4 * level2, VIDGEN_MINI_STEP_DECODE_3,
        VIDGEN_MINI_STEP_DECODE_4 },
    { &decoder->inner4, 4 * level2, VIDGEN_MINI_STEP_DECODE_4,
        VIDGEN_MINI_STEP_DECODE_4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    vidgen_plan_add (
        plan, wishes[i].span, wishes[i].count, wishes[i].first, wishes[i].last);
  plan_pictures (decoder, plan);
  vidgen_plan_keep (plan, &decoder->padded, padded);
  vidgen_mini_carry_plan (&decoder->memory1, plan, level0);
  vidgen_mini_carry_plan (&decoder->memory3, plan, level1);
}

static void
record_unpatchify (const VidgenMiniDecoder *decoder, VidgenRecorder *recorder,
    VidgenSpan tokens)
{
  const VidgenMiniConfig *config = decoder->config;
  const VidgenUnpatchify unpatchify = { .rows = vidgen_mini_rows (config),
    .columns = vidgen_mini_columns (config),
    .channels = vidgen_mini_padded_channels (config),
    .patch = config->latent.patch,
    .bound = (float)config->decoder.latent_bound,
    .tokens = vidgen_pad (recorder, tokens, vidgen_mini_video_tokens (config),
        vidgen_mini_video_values (config), decoder->padded,
        vidgen_mini_padded_video_values (config)),
    .std = decoder->weights->std,
    .mean = decoder->weights->mean,
    .out = decoder->latent };

  vidgen_unpatchify (recorder, &unpatchify);
  vidgen_tap (decoder->tap, recorder, decoder->latent, "latent");
}

static void
record_first_level (const VidgenMiniDecoder *decoder, VidgenRecorder *recorder,
    gboolean at_start)
{
  const VidgenMiniConfig *config = decoder->config;
  const VidgenMiniDecoderWeights *weights = decoder->weights;
  const VidgenMiniMap map = map_of (config, 0);
  const guint64 frame = vidgen_mini_map_frame (map);
  const VidgenSpan before = vidgen_floats (decoder->input1, 0, frame);
  const VidgenSpan x = vidgen_floats (decoder->input1, frame, frame);
  VidgenMiniMap latent = map;

  latent.channels = vidgen_mini_padded_channels (config);
  vidgen_mini_carry_read (&decoder->memory1, recorder, at_start, before);
  vidgen_mini_convolve (recorder, &weights->in, latent,
      (VidgenConv2d){ .x = decoder->latent, .out = x });
  vidgen_mini_carry_write (&decoder->memory1, recorder, x);
  vidgen_mini_block_record (recorder, &weights->blocks[0], map, x, before,
      decoder->inner1, decoder->output1);
  vidgen_mini_block_record (recorder, &weights->blocks[1], map,
      decoder->output1, VIDGEN_SPAN_NONE, decoder->inner2, decoder->output2);
}

static void
record_second_level (const VidgenMiniDecoder *decoder, VidgenRecorder *recorder,
    gboolean at_start)
{
  const VidgenMiniDecoderWeights *weights = decoder->weights;
  const VidgenMiniMap below = map_of (decoder->config, 0);
  const VidgenMiniMap map = map_of (decoder->config, 1);
  const guint64 frame = vidgen_mini_map_frame (map);
  const VidgenSpan x = vidgen_floats (decoder->input3, frame, 2 * frame);

  vidgen_mini_carry_read (&decoder->memory3, recorder, at_start,
      vidgen_floats (decoder->input3, 0, frame));
  vidgen_mini_convolve (recorder, &weights->up1, below,
      (VidgenConv2d){
          .x = decoder->output2, .shuffle = 2, .steps = UP_STEPS, .out = x });
  vidgen_mini_carry_write (&decoder->memory3, recorder,
      vidgen_floats (decoder->input3, 2 * frame, frame));
  vidgen_mini_block_record (recorder, &weights->blocks[2], map, x,
      vidgen_floats (decoder->input3, 0, 2 * frame), decoder->inner3,
      decoder->output3);
}

static void
record_wide (const VidgenMiniDecoder *decoder, VidgenRecorder *recorder)
{
  const VidgenMiniDecoderWeights *weights = decoder->weights;

  vidgen_mini_convolve (recorder, &weights->up3, map_of (decoder->config, 2),
      (VidgenConv2d){ .x = decoder->output4,
          .relu = TRUE,
          .shuffle = 2,
          .out = decoder->widened });
  vidgen_mini_convolve (recorder, &weights->wide, wide_map_of (decoder->config),
      (VidgenConv2d){ .x = decoder->widened,
          .relu = TRUE,
          .shuffle = 2,
          .out = decoder->rgb });
}

static void
record_picture (const VidgenMiniDecoder *decoder, VidgenRecorder *recorder)
{
  if (decoder->wide)
    record_wide (decoder, recorder);
  else
    vidgen_mini_convolve (recorder, &decoder->weights->out,
        map_of (decoder->config, 2),
        (VidgenConv2d){ .x = decoder->output4,
            .relu = TRUE,
            .shuffle = 2,
            .out = decoder->rgb });
}

void
vidgen_mini_decoder_prepare_other (
    const VidgenMiniDecoder *decoder, VidgenRecorder *recorder)
{
  const VidgenMiniDecoder other = { .config = decoder->config,
    .weights = decoder->weights,
    .wide = !decoder->wide };

  if (decoder->config->decoder.wide)
    record_picture (&other, recorder);
}

static void
record_third_level (const VidgenMiniDecoder *decoder, VidgenRecorder *recorder)
{
  const VidgenMiniDecoderWeights *weights = decoder->weights;
  const VidgenMiniMap map = map_of (decoder->config, 2);

  vidgen_mini_convolve (recorder, &weights->up2, map_of (decoder->config, 1),
      (VidgenConv2d){ .x = decoder->output3,
          .shuffle = 2,
          .steps = UP_STEPS,
          .out = decoder->input4 });
  vidgen_mini_block_record (recorder, &weights->blocks[3], map, decoder->input4,
      VIDGEN_SPAN_NONE, decoder->inner4, decoder->output4);
  record_picture (decoder, recorder);
  vidgen_tap (decoder->tap, recorder, decoder->rgb, "frames");
}

void
vidgen_mini_decoder_record (VidgenMiniDecoder *decoder,
    VidgenRecorder *recorder, VidgenSpan tokens, gboolean at_start)
{
  record_unpatchify (decoder, recorder, tokens);
  record_first_level (decoder, recorder, at_start);
  record_second_level (decoder, recorder, at_start);
  record_third_level (decoder, recorder);
}

void
vidgen_mini_decoder_advance (VidgenMiniDecoder *decoder)
{
  vidgen_mini_carry_flip (&decoder->memory1);
  vidgen_mini_carry_flip (&decoder->memory3);
}
