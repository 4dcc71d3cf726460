/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/vae-stream.h"

#include "shaders/wideattention.h"

/* A picture looks back 26 frames through the last two stages and the output,
 * 14 frames of half the rate through the second stage, and 24 latents through
 * the first stage and the middle: 4 t - 26 is frame 2 t - 13 of the second
 * stage, 2 t - 27 is latent t - 14, and so the first is t - 38. */
#define REACH 38

static VidgenDecoder *
create (void)
{
  VidgenWanVae *vae = g_new0 (VidgenWanVae, 1);

  return &vae->decoder;
}

static gboolean
list (VidgenDecoder *decoder, GError **error)
{
  return vidgen_wan_vae_list ((VidgenWanVae *)decoder, error);
}

static void
vae_free (VidgenDecoder *decoder)
{
  g_free (decoder);
}

static void
stream_free (VidgenDecoderStream *stream)
{
  g_free (stream);
}

/* After `frames` frames. */
static void
place_past (VidgenWanVaePast *past, guint frames)
{
  past->newest = frames % 2;
  past->held = MIN (frames, 2);
}

static void
place_block (VidgenWanVaeBlockPast *past, guint frames)
{
  place_past (&past->first, frames);
  place_past (&past->second, frames);
}

/* Of the first latent of all a level sees one frame, of others as many as the
 * levels before it make; and growing in time does not see the first one. */
static void
stream_place (VidgenDecoderStream *stream)
{
  VidgenWanVaeStream *self = (VidgenWanVaeStream *)stream;
  const guint first = stream->from_start ? MIN (stream->n_latents, 1) : 0;
  guint later = stream->n_latents - first;

  place_past (&self->in, stream->n_latents);
  self->pictures_held = MIN (stream->n_latents, 1);
  for (guint i = 0; i < 2; i++)
    place_block (&self->middle[i], stream->n_latents);
  for (guint i = 0; i < VIDGEN_WAN_VAE_STAGES; i++) {
    for (guint j = 0; j < VIDGEN_WAN_VAE_MAX_BLOCKS; j++)
      place_block (&self->levels[i].blocks[j], first + later);
    place_past (&self->levels[i].time, later);
    if (vidgen_wan_vae_stage (self, i)->grows)
      later *= 2;
  }
}

static void
record_attention (VidgenWanVaeStream *self, VidgenRecorder *recorder)
{
  const VidgenWanVae *vae = vidgen_wan_vae_weights (self);
  const VidgenWanVaeLevel *level = &self->levels[0];
  const guint pixels = vidgen_wan_vae_pixels (self, 0);
  const guint channels = vae->project.in;
  const guint64 bytes = 4 * (guint64)channels;
  const VidgenWideattention attention = { .rows = pixels,
    .keys = pixels,
    .head_size = channels,
    .scale = 1 / sqrtf ((float)channels),
    .q = self->qkv,
    .q_stride = 3 * channels,
    .k = vidgen_span_cut (self->qkv, bytes, self->qkv.size - bytes),
    .k_stride = 3 * channels,
    .v = vidgen_span_cut (self->qkv, 2 * bytes, self->qkv.size - 2 * bytes),
    .v_stride = 3 * channels,
    .out = self->attended,
    .out_stride = channels };
  VidgenConv3d qkv = { .height = self->stream.rows,
    .width = self->stream.columns };
  VidgenConv3d project = qkv;

  vidgen_wan_vae_normalise (self, recorder, pixels, channels,
      vidgen_wan_vae_image (self, 0), vae->attention_gain, VIDGEN_LINEAR,
      level->grown);
  qkv.x[0] = level->grown;
  qkv.type = self->type;
  qkv.out = self->qkv;
  vidgen_convolve (recorder, &vae->qkv, qkv);
  vidgen_wideattention (recorder, &attention);
  project.x[0] = self->attended;
  project.residual = project.out = vidgen_wan_vae_image (self, 0);
  project.out_type = self->type;
  vidgen_convolve (recorder, &vae->project, project);
}

/* The last convolution makes so few channels that its sums are kept, not its
 * inputs. */
static void
record_picture_rows (VidgenWanVaeStream *self, VidgenRecorder *recorder,
    VidgenSpan rgb, guint first, guint end)
{
  const VidgenWanVae *vae = vidgen_wan_vae_weights (self);
  const guint last = VIDGEN_WAN_VAE_STAGES - 1, channels = vae->out[0].in;
  const guint top = first > 0 ? first - 1 : 0;
  const guint bottom = MIN (end + 1, vidgen_wan_vae_rows (self, last));
  const guint64 bytes = 4 * 3 * (guint64)vidgen_wan_vae_width (self, last);
  VidgenConv3d conv = { .height = vidgen_wan_vae_rows (self, last),
    .width = vidgen_wan_vae_width (self, last),
    .first_row = first,
    .rows = end - first,
    .x = { self->levels[last].inputs },
    .x_row = top,
    .type = self->type };
  VidgenSpan rows[3];

  for (guint i = 0; i < 3; i++)
    rows[i] = vidgen_span_cut (
        i < 2 ? self->sums[i] : rgb, first * bytes, (end - first) * bytes);
  vidgen_wan_vae_normalise (self, recorder,
      (bottom - top) * vidgen_wan_vae_width (self, last), channels,
      vidgen_wan_vae_cut_rows (
          self, vidgen_wan_vae_image (self, last), last, channels, top, bottom),
      vae->out_gain, VIDGEN_SILU, self->levels[last].inputs);
  for (guint i = 3; i-- > 0;) {
    conv.residual =
        i > 0 && self->pictures_held > 0 ? rows[i - 1] : VIDGEN_SPAN_NONE;
    conv.out = rows[i];
    vidgen_convolve (recorder, &vae->out[i], conv);
  }
}

static void
record_picture (VidgenWanVaeStream *self, VidgenRecorder *recorder)
{
  const guint last = VIDGEN_WAN_VAE_STAGES - 1;
  const guint rows = vidgen_wan_vae_rows (self, last);
  const guint most = vidgen_wan_vae_strip_rows (self, last);
  const guint64 bytes = 4 * 3 * vidgen_wan_vae_pixels (self, last);
  const VidgenSpan rgb =
      vidgen_span_cut (self->rgb, self->pictures * bytes, bytes);

  for (guint row = 0; row < rows; row += most)
    record_picture_rows (self, recorder, rgb, row, MIN (row + most, rows));
  self->pictures++;
  self->pictures_held = 1;
}

static void record_stage (
    VidgenWanVaeStream *self, VidgenRecorder *recorder, guint index);

static void
record_up (VidgenWanVaeStream *self, VidgenRecorder *recorder, guint index,
    VidgenSpan frame)
{
  vidgen_wan_vae_convolve (self, recorder,
      &vidgen_wan_vae_stage (self, index)->up, index,
      (VidgenConv3d){ .x = { frame },
          .scale = 2,
          .out = vidgen_wan_vae_entry (self, index + 1) });
  record_stage (self, recorder, index + 1);
}

/* Doubles the image that lies in the end of the room for what becomes of it, as
 * many rows at a time as there is room for before the next ones to be read. */
static void
record_doubling (
    VidgenWanVaeStream *self, VidgenRecorder *recorder, guint index)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, index);
  const guint rows = vidgen_wan_vae_rows (self, index);
  const guint in = vidgen_wan_vae_stage (self, index + 1)->in;
  const guint64 read_bytes = vidgen_wan_vae_row_bytes (self, index, stage->out);
  const guint64 made_bytes = 2 * vidgen_wan_vae_row_bytes (self, index + 1, in);
  const VidgenSpan image = vidgen_wan_vae_image (self, index);
  const guint64 begin = image.offset - self->levels[index + 1].entry.offset;
  guint end;

  for (guint first = 0; first < rows; first = end) {
    const guint top = first > 0 ? first - 1 : 0;

    end = MIN (rows, (begin + top * read_bytes) / made_bytes);
    vidgen_wan_vae_convolve (self, recorder, &stage->up, index,
        (VidgenConv3d){ .first_row = 2 * first,
            .rows = 2 * (end - first),
            .x = { vidgen_wan_vae_cut_rows (
                self, image, index, stage->out, top, MIN (end + 1, rows)) },
            .x_row = top,
            .scale = 2,
            .out = vidgen_wan_vae_cut_rows (self,
                vidgen_wan_vae_entry (self, index + 1), index + 1, in,
                2 * first, 2 * end) });
  }
  record_stage (self, recorder, index + 1);
}

/* Makes two frames of each but the first, which what follows does not see. */
static void
record_growth (VidgenWanVaeStream *self, VidgenRecorder *recorder, guint index)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, index);
  const VidgenSpan image = vidgen_wan_vae_image (self, index);
  VidgenWanVaeLevel *level = &self->levels[index];

  for (guint frame = 0; frame < 2; frame++) {
    VidgenConv3d conv = { .out = level->grown };

    vidgen_wan_vae_look_back (&level->time, image, &conv);
    vidgen_wan_vae_convolve (self, recorder, &stage->time[frame], index, conv);
    record_up (self, recorder, index, level->grown);
  }
  vidgen_wan_vae_remember (
      self, recorder, &level->time, index, stage->out, image);
}

/* Makes what comes of the frame that has entered the level. */
static void
record_stage (VidgenWanVaeStream *self, VidgenRecorder *recorder, guint index)
{
  const VidgenWanVaeStage *stage = vidgen_wan_vae_stage (self, index);
  const VidgenSpan image = vidgen_wan_vae_image (self, index);
  VidgenSpan x = vidgen_wan_vae_entry (self, index);

  for (guint i = 0; i < stage->n_blocks; i++) {
    vidgen_wan_vae_record_block (self, recorder, &stage->blocks[i],
        &self->levels[index].blocks[i], index, x, image);
    x = image;
  }
  if (index + 1 == VIDGEN_WAN_VAE_STAGES)
    record_picture (self, recorder);
  else if (vidgen_wan_vae_doubles (self, index))
    record_doubling (self, recorder, index);
  else if (!self->is_first)
    record_growth (self, recorder, index);
  else
    record_up (self, recorder, index, image);
}

static void
record_middle (VidgenWanVaeStream *self, VidgenRecorder *recorder)
{
  const VidgenWanVae *vae = vidgen_wan_vae_weights (self);
  const VidgenSpan x = vidgen_wan_vae_image (self, 0);

  vidgen_wan_vae_record_block (
      self, recorder, &vae->middle[0], &self->middle[0], 0, x, x);
  record_attention (self, recorder);
  vidgen_wan_vae_record_block (
      self, recorder, &vae->middle[1], &self->middle[1], 0, x, x);
}

static VidgenSpan
stream_record (VidgenDecoderStream *stream, VidgenRecorder *recorder,
    VidgenSpan latent, guint skip)
{
  VidgenWanVaeStream *self = (VidgenWanVaeStream *)stream;
  const VidgenWanVae *vae = vidgen_wan_vae_weights (self);
  VidgenConv3d in = { .out = vidgen_wan_vae_image (self, 0) };

  self->is_first = skip > 0;
  self->pictures = 0;
  vidgen_convolve (recorder, &vae->unquantise,
      (VidgenConv3d){ .height = stream->rows,
          .width = stream->columns,
          .x = { latent },
          .out = self->latent,
          .out_type = self->type });
  vidgen_wan_vae_look_back (&self->in, self->latent, &in);
  vidgen_wan_vae_convolve (self, recorder, &vae->in, 0, in);
  vidgen_wan_vae_remember (
      self, recorder, &self->in, 0, vae->in.in, self->latent);
  record_middle (self, recorder);
  record_stage (self, recorder, 0);
  return self->rgb;
}

const VidgenDecoderKind vidgen_wan_vae_kind = {
  .name = "wan-vae",
  .reach = REACH,
  .probe = vidgen_wan_vae_probe,
  .create = create,
  .list = list,
  .free = vae_free,
  .stream_create = vidgen_wan_vae_stream_create,
  .stream_free = stream_free,
  .stream_place = stream_place,
  .stream_record = stream_record,
};
