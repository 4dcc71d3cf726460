/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/decoder-private.h"
#include "shaders/unpatchify.h"

/* Levels of doubling size; the last one makes pictures. */
#define LEVELS 3
#define BLOCKS 3
/* Of the three convolutions over time, one frame each, by the level's frames a
 * latent: 3 latents on each of the first two levels, 2 on the third. */
#define REACH 8
#define BOUND 3.0f
/* Frames that a level makes of one for the next. */
static const guint grows[LEVELS] = { 1, 2, 2 };

typedef struct {
  VidgenConvolution convs[3];
} Block;

typedef struct {
  Block blocks[BLOCKS];
  VidgenConvolution up[2]; /* by the frame that it makes */
} Level;

typedef struct {
  VidgenDecoder decoder;
  gboolean standardised; /* latents are to be turned back */
  VidgenSpan mean, std;
  VidgenConvolution in, out;
  Level levels[LEVELS];
} Taehv;

/* What a level remembers: of each block its input of the frame before, of two
 * that change places. */
typedef struct {
  VidgenSpan inputs[BLOCKS][2];
  VidgenSpan made;
  guint frames; /* since the start */
} Memory;

typedef struct {
  VidgenDecoderStream stream;
  VidgenType type;
  VidgenSpan latent;
  Memory memories[LEVELS];
  VidgenSpan inner[2];
  VidgenSpan picture;
  VidgenSpan rgb;
} TaehvStream;

static gboolean
probe (const VidgenCheckpoint *checkpoint)
{
  const VidgenTensor *in =
      vidgen_checkpoint_find (checkpoint, "decoder.1.weight");

  return in && in->n_dims == 4 && in->shape[1] == VIDGEN_DECODER_CHANNELS &&
         vidgen_checkpoint_find (checkpoint, "decoder.3.conv.0.weight") &&
         vidgen_checkpoint_find (checkpoint, "decoder.22.weight");
}

static VidgenDecoder *
create (void)
{
  Taehv *taehv = g_new0 (Taehv, 1);

  return &taehv->decoder;
}

static void
taehv_free (VidgenDecoder *decoder)
{
  g_free (decoder);
}

static gboolean
list_conv (Taehv *taehv, VidgenConvolution *conv, const char *name, guint in,
    guint taps, guint out, GError **error)
{
  g_autofree char *weight = g_strconcat (name, ".weight", NULL);
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);
  const VidgenConvolutionWish wish = { .weight = weight,
    .bias = bias,
    .in = in,
    .taps = taps,
    .kernel = 3,
    .out = out };

  return vidgen_convolutions_add (
      taehv->decoder.convolutions, conv, &wish, error);
}

static gboolean
list_block (
    Taehv *taehv, Block *block, guint index, guint channels, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (block->convs); i++) {
    g_autofree char *name =
        g_strdup_printf ("decoder.%u.conv.%u", index, 2 * i);

    if (!list_conv (taehv, &block->convs[i], name, channels, i == 0 ? 2 : 1,
            channels, error))
      return FALSE;
  }
  return TRUE;
}

/* Growing in time is a product of channels without bias, and so is merged into
 * the convolution after it. Where a file has it for more frames than are made,
 * those that count are the last. */
static gboolean
list_up (Taehv *taehv, guint level, guint index, guint in, guint *out,
    GError **error)
{
  VidgenConvolution *up = taehv->levels[level].up;
  g_autofree char *weight = g_strdup_printf ("decoder.%u.weight", index + 2);
  g_autofree char *grow = g_strdup_printf ("decoder.%u.conv.weight", index + 1);
  const VidgenTensor *tensor =
      vidgen_checkpoint_find (taehv->decoder.checkpoint, grow);
  const guint64 rows = grows[level] * (guint64)in;
  const guint first =
      tensor && tensor->shape[0] > rows ? tensor->shape[0] - rows : 0;

  for (guint frame = 0; frame < grows[level]; frame++) {
    const VidgenConvolutionWish wish = { .weight = weight,
      .in = in,
      .taps = 1,
      .kernel = 3,
      .before = grow,
      .before_first = first + frame * in };

    if (!vidgen_convolutions_add (
            taehv->decoder.convolutions, &up[frame], &wish, error))
      return FALSE;
  }
  *out = up[0].out;
  return TRUE;
}

static void
make_mean (G_GNUC_UNUSED gpointer data, void *out)
{
  memcpy (out, vidgen_wan_latent_mean, sizeof vidgen_wan_latent_mean);
}

static void
make_std (G_GNUC_UNUSED gpointer data, void *out)
{
  memcpy (out, vidgen_wan_latent_std, sizeof vidgen_wan_latent_std);
}

/* LightX2V's weights, alone of this layout, were made for latents as the VAE
 * has them; nothing but the name tells them. */
static void
list_standardisation (Taehv *taehv)
{
  g_autofree char *base =
      g_path_get_basename (vidgen_checkpoint_name (taehv->decoder.checkpoint));

  taehv->standardised = strstr (base, "lighttae") != NULL;
  if (!taehv->standardised)
    return;
  vidgen_upload_made (taehv->decoder.upload, &taehv->mean,
      sizeof vidgen_wan_latent_mean, make_mean, NULL);
  vidgen_upload_made (taehv->decoder.upload, &taehv->std,
      sizeof vidgen_wan_latent_std, make_std, NULL);
}

static gboolean
list (VidgenDecoder *decoder, GError **error)
{
  Taehv *taehv = (Taehv *)decoder;
  guint channels, index = 3;
  /* Published for 0 black to 1 white. */
  VidgenConvolutionWish out = { .weight = "decoder.22.weight",
    .bias = "decoder.22.bias",
    .taps = 1,
    .kernel = 3,
    .out = 3,
    .gain = 2,
    .offset = -1 };

  list_standardisation (taehv);
  if (!list_conv (
          taehv, &taehv->in, "decoder.1", VIDGEN_DECODER_CHANNELS, 1, 0, error))
    return FALSE;
  channels = taehv->in.out;
  for (guint level = 0; level < LEVELS; level++) {
    for (guint i = 0; i < BLOCKS; i++)
      if (!list_block (
              taehv, &taehv->levels[level].blocks[i], index++, channels, error))
        return FALSE;
    if (!list_up (taehv, level, index, channels, &channels, error))
      return FALSE;
    index += 3;
  }
  out.in = channels;
  return vidgen_convolutions_add (
      decoder->convolutions, &taehv->out, &out, error);
}

static guint64
level_values (const VidgenDecoderStream *stream, guint level, guint channels)
{
  return ((guint64)stream->columns << level) *
         ((guint64)stream->rows << level) * channels;
}

static void
plan (TaehvStream *self, const Taehv *taehv)
{
  VidgenDecoderStream *stream = &self->stream;
  guint64 inner = 0;

  stream->pool = vidgen_pool_new ();
  vidgen_pool_add (stream->pool, &self->latent,
      4 * level_values (stream, 0, VIDGEN_DECODER_CHANNELS));
  for (guint level = 0; level < LEVELS; level++) {
    Memory *memory = &self->memories[level];
    const guint channels = taehv->levels[level].blocks[0].convs[0].in;
    const guint64 bytes =
        vidgen_type_size (self->type, level_values (stream, level, channels));

    for (guint i = 0; i < BLOCKS; i++)
      for (guint j = 0; j < 2; j++)
        vidgen_pool_add (stream->pool, &memory->inputs[i][j], bytes);
    vidgen_pool_add (stream->pool, &memory->made, bytes);
    inner = MAX (inner, bytes);
  }
  for (guint i = 0; i < 2; i++)
    vidgen_pool_add (stream->pool, &self->inner[i], inner);
  vidgen_pool_add (stream->pool, &self->picture,
      vidgen_type_size (
          self->type, level_values (stream, LEVELS, taehv->out.in)));
  vidgen_pool_add (stream->pool, &self->rgb,
      4 * VIDGEN_DECODER_STEPS * level_values (stream, LEVELS, 3));
}

static VidgenDecoderStream *
stream_create (const VidgenDecoder *decoder, guint columns, guint rows)
{
  const Taehv *taehv = (const Taehv *)decoder;
  TaehvStream *self = g_new0 (TaehvStream, 1);

  self->stream.decoder = decoder;
  self->stream.columns = columns;
  self->stream.rows = rows;
  self->type = taehv->in.type;
  plan (self, taehv);
  if (self->type == VIDGEN_F32 &&
      vidgen_decoder_planned_bytes (&self->stream) > decoder->max_float_bytes) {
    vidgen_decoder_drop_plan (&self->stream);
    self->type = VIDGEN_F16;
    plan (self, taehv);
  }
  return &self->stream;
}

static void
stream_free (VidgenDecoderStream *stream)
{
  g_free (stream);
}

static void
stream_place (VidgenDecoderStream *stream)
{
  TaehvStream *self = (TaehvStream *)stream;
  guint frames = stream->n_latents;

  for (guint level = 0; level < LEVELS; level++) {
    self->memories[level].frames = frames;
    frames *= grows[level];
  }
}

static void
convolve (TaehvStream *self, VidgenRecorder *recorder,
    const VidgenConvolution *layer, guint level, VidgenConv3d conv)
{
  conv.height = self->stream.rows << level;
  conv.width = self->stream.columns << level;
  conv.relu = TRUE;
  conv.type = conv.out_type = self->type;
  vidgen_convolve (recorder, layer, conv);
}

/* Where the input of block `i` goes that belongs to the frame being made. */
static VidgenSpan
input_now (const Memory *memory, guint i)
{
  return memory->inputs[i][memory->frames % 2];
}

static void
record_block (TaehvStream *self, VidgenRecorder *recorder, const Block *block,
    guint level, guint i)
{
  const Memory *memory = &self->memories[level];
  const VidgenSpan x = input_now (memory, i);
  const VidgenSpan before = memory->frames == 0
                                ? VIDGEN_SPAN_NONE
                                : memory->inputs[i][(memory->frames + 1) % 2];
  const VidgenSpan out =
      i + 1 < BLOCKS ? input_now (memory, i + 1) : memory->made;

  convolve (self, recorder, &block->convs[0], level,
      (VidgenConv3d){ .x = { x, before }, .out = self->inner[0] });
  convolve (self, recorder, &block->convs[1], level,
      (VidgenConv3d){ .x = { self->inner[0] }, .out = self->inner[1] });
  convolve (self, recorder, &block->convs[2], level,
      (VidgenConv3d){ .x = { self->inner[1] }, .residual = x, .out = out });
}

static void
record_picture (TaehvStream *self, VidgenRecorder *recorder,
    const VidgenConvolution *up, guint picture)
{
  const Taehv *taehv = (const Taehv *)self->stream.decoder;
  const guint64 bytes = 4 * level_values (&self->stream, LEVELS, 3);

  convolve (self, recorder, up, LEVELS - 1,
      (VidgenConv3d){ .x = { self->memories[LEVELS - 1].made },
          .scale = 2,
          .out = self->picture });
  vidgen_convolve (recorder, &taehv->out,
      (VidgenConv3d){ .height = self->stream.rows << LEVELS,
          .width = self->stream.columns << LEVELS,
          .type = self->type,
          .x = { self->picture },
          .out = vidgen_span_cut (self->rgb, picture * bytes, bytes) });
}

/* Makes the frame whose first input is in place, and all that come of it. */
static void
record_level (TaehvStream *self, VidgenRecorder *recorder, guint level,
    guint *picture, guint skip)
{
  const Taehv *taehv = (const Taehv *)self->stream.decoder;
  const Level *layers = &taehv->levels[level];
  Memory *memory = &self->memories[level];

  for (guint i = 0; i < BLOCKS; i++)
    record_block (self, recorder, &layers->blocks[i], level, i);
  memory->frames++;
  for (guint frame = 0; frame < grows[level]; frame++) {
    if (level + 1 == LEVELS) {
      if (*picture >= skip)
        record_picture (self, recorder, &layers->up[frame], *picture - skip);
      ++*picture;
      continue;
    }
    vidgen_convolve (recorder, &layers->up[frame],
        (VidgenConv3d){ .height = self->stream.rows << level,
            .width = self->stream.columns << level,
            .type = self->type,
            .x = { memory->made },
            .scale = 2,
            .out = input_now (&self->memories[level + 1], 0),
            .out_type = self->type });
    record_level (self, recorder, level + 1, picture, skip);
  }
}

static VidgenSpan
stream_record (VidgenDecoderStream *stream, VidgenRecorder *recorder,
    VidgenSpan latent, guint skip)
{
  const Taehv *taehv = (const Taehv *)stream->decoder;
  TaehvStream *self = (TaehvStream *)stream;
  const VidgenUnpatchify bound = { .rows = stream->rows,
    .columns = stream->columns,
    .channels = VIDGEN_DECODER_CHANNELS,
    .patch = 1,
    .bound = BOUND,
    .tokens = latent,
    .std = taehv->std,
    .mean = taehv->mean,
    .out = self->latent };
  guint picture = 0;

  vidgen_unpatchify (recorder, &bound);
  vidgen_convolve (recorder, &taehv->in,
      (VidgenConv3d){ .height = stream->rows,
          .width = stream->columns,
          .x = { self->latent },
          .relu = TRUE,
          .out = input_now (&self->memories[0], 0),
          .out_type = self->type });
  record_level (self, recorder, 0, &picture, skip);
  return self->rgb;
}

const VidgenDecoderKind vidgen_taehv_kind = {
  .name = "taehv",
  .reach = REACH,
  .probe = probe,
  .create = create,
  .list = list,
  .free = taehv_free,
  .stream_create = stream_create,
  .stream_free = stream_free,
  .stream_place = stream_place,
  .stream_record = stream_record,
};
