/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/vae-stream.h"

#include "shaders/pixelpack.h"

/* Work between what is kept is done in strips of rows. */
#define MIN_STRIP_ROWS 4
/* An image that is doubled at once lies in the end of the room for what becomes
 * of it, with room for so many of its rows more: rows that are made take the
 * place of rows that were read. */
#define MIN_MARGIN_ROWS 2
#define MAX_MARGIN_ROWS 16

/* The frame being made passes these steps; from a step `up` it may go back to
 * where a later level began, for the second frame of those that it has grown
 * into. */
#define STEP_MIDDLE 0
#define STEP_LEVEL(level) (2 * (level) + 1)
#define STEP_UP(level) (2 * (level) + 2)
#define STEP_LAST STEP_LEVEL (VIDGEN_WAN_VAE_STAGES - 1)

guint64
vidgen_wan_vae_past_row_bytes (const VidgenWanVaeStream *self,
    const VidgenWanVaePast *past, guint level, guint channels)
{
  return past->packed ? vidgen_pixelpack_bytes (
                            channels, vidgen_wan_vae_width (self, level))
                      : vidgen_wan_vae_row_bytes (self, level, channels);
}

/* The most channels that images of the level have. */
static guint
level_channels (const VidgenWanVaeStream *self, guint level)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, level);

  return MAX (stage->in, stage->out);
}

guint
vidgen_wan_vae_strip_rows (const VidgenWanVaeStream *self, guint level)
{
  const guint64 fit =
      self->stream.decoder->strip_bytes /
      vidgen_wan_vae_row_bytes (self, level, level_channels (self, level));

  return MIN (MAX (fit, MIN_STRIP_ROWS), vidgen_wan_vae_rows (self, level));
}

static void
plan_past (VidgenWanVaeStream *self, VidgenWanVaePast *past, guint level,
    guint channels)
{
  for (guint i = 0; i < 2; i++)
    vidgen_pool_add (self->stream.pool, &past->frames[i],
        vidgen_wan_vae_rows (self, level) *
            vidgen_wan_vae_past_row_bytes (self, past, level, channels));
}

static void
plan_block (VidgenWanVaeStream *self, VidgenWanVaeBlockPast *past, guint level,
    const VidgenWanVaeBlock *block)
{
  past->first.packed = past->second.packed = self->packed;
  plan_past (self, &past->first, level, block->conv1.in);
  plan_past (self, &past->second, level, block->conv2.in);
}

static void
plan_image (VidgenWanVaeStream *self, VidgenSpan *span, guint level,
    guint channels, guint first, guint last)
{
  vidgen_plan_add (self->stream.plan, span,
      vidgen_wan_vae_rows (self, level) *
          vidgen_wan_vae_row_bytes (self, level, channels) / 4,
      first, last);
}

/* Room for what enters the level, and, in its end, for the image below. */
static guint64
entry_bytes (const VidgenWanVaeStream *self, guint level)
{
  const guint64 bytes = vidgen_wan_vae_image_bytes (
      self, level, vidgen_wan_vae_stage (self, level)->in);
  guint64 row, margin;

  if (level == 0 || !vidgen_wan_vae_doubles (self, level - 1))
    return bytes;
  row = vidgen_wan_vae_row_bytes (
      self, level - 1, vidgen_wan_vae_stage (self, level - 1)->out);
  margin = CLAMP (self->stream.decoder->strip_bytes / row, MIN_MARGIN_ROWS,
      MAX_MARGIN_ROWS);
  return MAX (bytes, vidgen_wan_vae_rows (self, level - 1) * row) +
         margin * row;
}

static void
plan_level (VidgenWanVaeStream *self, guint index)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, index);
  const gboolean widens = stage->in != stage->out;
  const guint leaves =
      stage->grows ? STEP_LAST : MIN (STEP_UP (index), STEP_LAST);
  VidgenWanVaeLevel *level = &self->levels[index];
  guint enters = STEP_MIDDLE;

  for (guint i = 0; i < stage->n_blocks; i++)
    plan_block (self, &level->blocks[i], index, &stage->blocks[i]);
  if (index > 0)
    enters = vidgen_wan_vae_doubles (self, index - 1) ? STEP_UP (index - 2)
                                                      : STEP_UP (index - 1);
  if (widens || !vidgen_wan_vae_doubles (self, index))
    vidgen_plan_add (self->stream.plan, &level->entry,
        entry_bytes (self, index) / 4, enters,
        widens ? STEP_LEVEL (index) : leaves);
  if (widens && !vidgen_wan_vae_doubles (self, index))
    plan_image (
        self, &level->widened, index, stage->out, STEP_LEVEL (index), leaves);
  if (stage->grows) {
    plan_past (self, &level->time, index, stage->out);
    plan_image (self, &level->grown, index, stage->out,
        index == 0 ? STEP_MIDDLE : STEP_UP (index), STEP_UP (index));
  }
}

static void
plan_strips (VidgenWanVaeStream *self, guint index)
{
  const guint first = index == 0 ? STEP_MIDDLE : STEP_LEVEL (index);
  const guint64 count =
      (vidgen_wan_vae_strip_rows (self, index) + 2) *
      vidgen_wan_vae_row_bytes (self, index, level_channels (self, index)) / 4;
  VidgenWanVaeLevel *level = &self->levels[index];
  VidgenSpan *strips[] = { &level->inputs, &level->made, &level->middles };

  for (guint i = 0; i < G_N_ELEMENTS (strips); i++)
    vidgen_plan_add (
        self->stream.plan, strips[i], count, first, STEP_LEVEL (index));
}

static void
plan (VidgenWanVaeStream *self, const VidgenWanVae *vae)
{
  const guint64 pixels = vidgen_wan_vae_pixels (self, 0);
  const guint64 values =
      3 * vidgen_wan_vae_pixels (self, VIDGEN_WAN_VAE_STAGES - 1);

  self->stream.pool = vidgen_pool_new ();
  self->stream.plan = vidgen_plan_new ();
  plan_past (self, &self->in, 0, vae->in.in);
  plan_image (self, &self->latent, 0, vae->in.in, STEP_MIDDLE, STEP_MIDDLE);
  for (guint i = 0; i < 2; i++)
    plan_block (self, &self->middle[i], 0, &vae->middle[i]);
  for (guint i = 0; i < VIDGEN_WAN_VAE_STAGES; i++) {
    plan_level (self, i);
    plan_strips (self, i);
  }
  for (guint i = 0; i < 2; i++)
    vidgen_pool_add (self->stream.pool, &self->sums[i], 4 * values);
  vidgen_plan_add (self->stream.plan, &self->qkv, pixels * vae->qkv.out,
      STEP_MIDDLE, STEP_MIDDLE);
  vidgen_plan_add (self->stream.plan, &self->attended, pixels * vae->project.in,
      STEP_MIDDLE, STEP_MIDDLE);
  vidgen_plan_keep (
      self->stream.plan, &self->rgb, VIDGEN_DECODER_STEPS * values);
}

/* Whether the plan takes more than `limit`; it is dropped then. */
static gboolean
exceeds (VidgenWanVaeStream *self, guint64 limit)
{
  if (vidgen_decoder_planned_bytes (&self->stream) <= limit)
    return FALSE;
  vidgen_decoder_drop_plan (&self->stream);
  return TRUE;
}

VidgenDecoderStream *
vidgen_wan_vae_stream_create (
    const VidgenDecoder *decoder, guint columns, guint rows)
{
  const VidgenWanVae *vae = (const VidgenWanVae *)decoder;
  VidgenWanVaeStream *self = g_new0 (VidgenWanVaeStream, 1);

  self->stream.decoder = decoder;
  self->stream.columns = columns;
  self->stream.rows = rows;
  self->type = vae->in.type;
  plan (self, vae);
  if (self->type == VIDGEN_F32 && exceeds (self, decoder->max_float_bytes)) {
    self->type = VIDGEN_F16;
    plan (self, vae);
  }
  if (self->type == VIDGEN_F16 && exceeds (self, decoder->max_half_bytes)) {
    self->packed = TRUE;
    plan (self, vae);
  }
  return &self->stream;
}

VidgenSpan
vidgen_wan_vae_entry (const VidgenWanVaeStream *self, guint level)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, level);

  if (vidgen_wan_vae_doubles (self, level) && stage->in == stage->out)
    return vidgen_wan_vae_image (self, level);
  return vidgen_span_cut (self->levels[level].entry, 0,
      vidgen_wan_vae_image_bytes (self, level, stage->in));
}

VidgenSpan
vidgen_wan_vae_image (const VidgenWanVaeStream *self, guint level)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, level);
  const guint64 bytes = vidgen_wan_vae_image_bytes (self, level, stage->out);

  if (vidgen_wan_vae_doubles (self, level)) {
    const VidgenSpan room = self->levels[level + 1].entry;

    return vidgen_span_cut (room, room.size - bytes, bytes);
  }
  return stage->in == stage->out ? vidgen_wan_vae_entry (self, level)
                                 : self->levels[level].widened;
}
