/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/vae.h"

#include "shaders/pixelnorm.h"
#include "shaders/wideattention.h"

#define STAGES VIDGEN_WAN_VAE_STAGES
#define MAX_BLOCKS VIDGEN_WAN_VAE_MAX_BLOCKS

/* A picture looks back 26 frames through the last two stages and the output,
 * 14 frames of half the rate through the second stage, and 24 latents through
 * the first stage and the middle: 4 t - 26 is frame 2 t - 13 of the second
 * stage, 2 t - 27 is latent t - 14, and so the first is t - 38. */
#define REACH 38

/* Rows between the two convolutions of a block come in strips of at most this
 * size. */
#define STRIP_BYTES (G_GUINT64_CONSTANT (8) << 20)

/* What a causal convolution saw: its inputs of the two frames before, the
 * newer one last. */
typedef struct {
  VidgenSpan frames[2];
  guint held;
} Past;

typedef struct {
  Past first, second;
} BlockPast;

typedef struct {
  BlockPast blocks[MAX_BLOCKS];
  Past time;
  /* Inputs being made, which change places with what pasts let go. */
  VidgenSpan narrow, wide[2];
  VidgenSpan entry; /* the stage's input where its channels differ */
  VidgenSpan x;
  VidgenSpan grown; /* a frame that growing in time has made */
} Level;

typedef struct {
  VidgenDecoderStream stream;
  VidgenType type;
  Past in, out;
  VidgenSpan latent; /* the input of `in` being made */
  BlockPast middle[2];
  Level levels[STAGES];
  VidgenSpan qkv, attended;
  VidgenSpan strip;
  VidgenSpan rgb;
  guint pictures;
  gboolean is_first;
} VaeStream;

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

static guint64
pixels_of (const VaeStream *self, guint level)
{
  return ((guint64)self->stream.columns << level) *
         ((guint64)self->stream.rows << level);
}

static guint64
image_bytes (const VaeStream *self, guint level, guint channels)
{
  return vidgen_type_size (self->type, pixels_of (self, level) * channels);
}

static void
plan_image (VaeStream *self, VidgenSpan *span, guint level, guint channels)
{
  vidgen_pool_add (
      self->stream.pool, span, image_bytes (self, level, channels));
}

static void
plan_past (VaeStream *self, Past *past, guint level, guint channels)
{
  for (guint i = 0; i < 2; i++)
    plan_image (self, &past->frames[i], level, channels);
}

static void
plan_block (VaeStream *self, BlockPast *past, guint level,
    const VidgenWanVaeBlock *block)
{
  plan_past (self, &past->first, level, block->conv1.in);
  plan_past (self, &past->second, level, block->conv2.in);
}

static guint
strip_rows (const VaeStream *self, guint level, guint channels)
{
  const guint rows = self->stream.rows << level;
  const guint64 row_bytes = image_bytes (self, level, channels) / rows;

  return CLAMP (STRIP_BYTES / row_bytes, 1, rows);
}

static guint64
strip_bytes (const VaeStream *self, guint level, guint channels)
{
  return image_bytes (self, level, channels) / (self->stream.rows << level) *
         strip_rows (self, level, channels);
}

static void
plan_level (VaeStream *self, const VidgenWanVaeStage *stage, guint index)
{
  Level *level = &self->levels[index];

  for (guint i = 0; i < stage->n_blocks; i++)
    plan_block (self, &level->blocks[i], index, &stage->blocks[i]);
  for (guint i = 0; i < 2; i++)
    plan_image (self, &level->wide[i], index, stage->out);
  plan_image (self, &level->x, index, stage->out);
  if (stage->in != stage->out) {
    plan_image (self, &level->narrow, index, stage->in);
    plan_image (self, &level->entry, index, stage->in);
  }
  if (stage->grows) {
    plan_past (self, &level->time, index, stage->out);
    plan_image (self, &level->grown, index, stage->out);
  }
}

static void
plan (VaeStream *self, const VidgenWanVae *vae)
{
  const guint last = STAGES - 1, middle = vae->in.out;
  guint64 strip = strip_bytes (self, 0, middle);

  self->stream.pool = vidgen_pool_new ();
  plan_past (self, &self->in, 0, vae->in.in);
  plan_image (self, &self->latent, 0, vae->in.in);
  for (guint i = 0; i < 2; i++)
    plan_block (self, &self->middle[i], 0, &vae->middle[i]);
  for (guint i = 0; i < STAGES; i++) {
    plan_level (self, &vae->stages[i], i);
    strip = MAX (strip, strip_bytes (self, i, vae->stages[i].out));
  }
  plan_past (self, &self->out, last, vae->out.in);
  vidgen_pool_add (
      self->stream.pool, &self->qkv, 4 * pixels_of (self, 0) * vae->qkv.out);
  vidgen_pool_add (
      self->stream.pool, &self->attended, 4 * pixels_of (self, 0) * middle);
  vidgen_pool_add (self->stream.pool, &self->strip, strip);
  vidgen_pool_add (self->stream.pool, &self->rgb,
      4 * VIDGEN_DECODER_STEPS * pixels_of (self, last) * vae->out.out);
}

static VidgenDecoderStream *
stream_create (const VidgenDecoder *decoder, guint columns, guint rows)
{
  const VidgenWanVae *vae = (const VidgenWanVae *)decoder;
  VaeStream *self = g_new0 (VaeStream, 1);

  self->stream.columns = columns;
  self->stream.rows = rows;
  self->type = vae->in.type;
  plan (self, vae);
  if (self->type == VIDGEN_F32 &&
      vidgen_pool_bytes (self->stream.pool) > VIDGEN_DECODER_MAX_FLOAT_BYTES) {
    vidgen_pool_free (self->stream.pool);
    self->type = VIDGEN_F16;
    plan (self, vae);
  }
  return &self->stream;
}

static void
stream_free (VidgenDecoderStream *stream)
{
  g_free (stream);
}

static void
forget_block (BlockPast *past)
{
  past->first.held = past->second.held = 0;
}

static void
stream_forget (VidgenDecoderStream *stream)
{
  VaeStream *self = (VaeStream *)stream;

  self->in.held = self->out.held = 0;
  for (guint i = 0; i < 2; i++)
    forget_block (&self->middle[i]);
  for (guint i = 0; i < STAGES; i++) {
    self->levels[i].time.held = 0;
    for (guint j = 0; j < MAX_BLOCKS; j++)
      forget_block (&self->levels[i].blocks[j]);
  }
}

/* The inputs of a causal convolution whose newest one is `now`. */
static void
look_back (const Past *past, VidgenSpan now, VidgenSpan x[3])
{
  x[0] = past->held > 1 ? past->frames[0] : VIDGEN_SPAN_NONE;
  x[1] = past->held > 0 ? past->frames[1] : VIDGEN_SPAN_NONE;
  x[2] = now;
}

/* Keeps *now for the frames that follow and gives what is no longer needed in
 * its place. */
static void
remember (Past *past, VidgenSpan *now)
{
  const VidgenSpan old = past->frames[0];

  past->frames[0] = past->frames[1];
  past->frames[1] = *now;
  *now = old;
  past->held = MIN (past->held + 1, 2);
}

static const VidgenWanVae *
vae_of (const VaeStream *self)
{
  return (const VidgenWanVae *)self->stream.decoder;
}

/* `conv` of an image of the level; types are the stream's unless it says
 * otherwise. */
static void
convolve (VaeStream *self, VidgenRecorder *recorder,
    const VidgenConvolution *layer, guint level, VidgenConv3d conv)
{
  conv.height = self->stream.rows << level;
  conv.width = self->stream.columns << level;
  conv.type = self->type;
  conv.out_type = self->type;
  vidgen_convolve (recorder, layer, conv);
}

static void
normalise (VaeStream *self, VidgenRecorder *recorder, guint pixels,
    guint channels, VidgenSpan x, VidgenSpan gain, VidgenActivation activation,
    VidgenSpan out)
{
  const VidgenPixelnorm norm = { .pixels = pixels,
    .channels = channels,
    .x = x,
    .type = self->type,
    .gain = gain,
    .activation = activation,
    .out = out,
    .out_type = self->type };

  vidgen_pixelnorm (recorder, &norm);
}

/* The first convolution of a block and the norm after it, strip by strip, from
 * `now` into `next`. */
static void
record_first_half (VaeStream *self, VidgenRecorder *recorder,
    const VidgenWanVaeBlock *block, const Past *past, guint level,
    VidgenSpan now, VidgenSpan next)
{
  const guint channels = block->conv1.out;
  const guint rows = self->stream.rows << level;
  const guint width = self->stream.columns << level;
  const guint most = strip_rows (self, level, channels);
  const guint64 row_bytes = image_bytes (self, level, channels) / rows;

  for (guint row = 0; row < rows; row += most) {
    const guint count = MIN (most, rows - row);
    VidgenConv3d conv = { .first_row = row, .rows = count, .out = self->strip };

    look_back (past, now, conv.x);
    convolve (self, recorder, &block->conv1, level, conv);
    normalise (self, recorder, count * width, channels, self->strip,
        block->gain2, VIDGEN_SILU,
        vidgen_span_cut (next, row * row_bytes, count * row_bytes));
  }
}

/* From x into `out`, which is x where the channels stay as they are. */
static void
record_block (VaeStream *self, VidgenRecorder *recorder,
    const VidgenWanVaeBlock *block, BlockPast *past, guint index, VidgenSpan x,
    VidgenSpan out)
{
  Level *level = &self->levels[index];
  const gboolean widens = block->conv1.in != block->conv1.out;
  VidgenSpan *now = widens ? &level->narrow : &level->wide[0];
  VidgenSpan *next = &level->wide[1];
  VidgenConv3d second = { .residual = out, .out = out };

  normalise (self, recorder, pixels_of (self, index), block->conv1.in, x,
      block->gain1, VIDGEN_SILU, *now);
  record_first_half (self, recorder, block, &past->first, index, *now, *next);
  remember (&past->first, now);
  if (widens)
    convolve (self, recorder, &block->shortcut, index,
        (VidgenConv3d){ .x = { x }, .out = out });
  look_back (&past->second, *next, second.x);
  convolve (self, recorder, &block->conv2, index, second);
  remember (&past->second, next);
}

static void
record_attention (VaeStream *self, VidgenRecorder *recorder)
{
  const VidgenWanVae *vae = vae_of (self);
  Level *level = &self->levels[0];
  const guint pixels = pixels_of (self, 0), channels = vae->project.in;
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
  const VidgenConv3d image = { .height = self->stream.rows,
    .width = self->stream.columns };
  VidgenConv3d qkv = image, project = image;

  normalise (self, recorder, pixels, channels, level->x, vae->attention_gain,
      VIDGEN_LINEAR, level->wide[0]);
  qkv.x[0] = level->wide[0];
  qkv.type = self->type;
  qkv.out = self->qkv;
  vidgen_convolve (recorder, &vae->qkv, qkv);
  vidgen_wideattention (recorder, &attention);
  project.x[0] = self->attended;
  project.residual = project.out = level->x;
  project.out_type = self->type;
  vidgen_convolve (recorder, &vae->project, project);
}

static void
record_picture (VaeStream *self, VidgenRecorder *recorder)
{
  const VidgenWanVae *vae = vae_of (self);
  const guint last = STAGES - 1;
  const guint64 bytes = 4 * pixels_of (self, last) * vae->out.out;
  Level *level = &self->levels[last];
  VidgenConv3d conv = { .height = self->stream.rows << last,
    .width = self->stream.columns << last,
    .type = self->type,
    .out = vidgen_span_cut (self->rgb, self->pictures * bytes, bytes) };

  normalise (self, recorder, pixels_of (self, last), vae->out.in, level->x,
      vae->out_gain, VIDGEN_SILU, level->wide[0]);
  look_back (&self->out, level->wide[0], conv.x);
  vidgen_convolve (recorder, &vae->out, conv);
  remember (&self->out, &level->wide[0]);
  self->pictures++;
}

static VidgenSpan
entry_of (VaeStream *self, guint index)
{
  const VidgenWanVaeStage *stage = &vae_of (self)->stages[index];
  const Level *level = &self->levels[index];

  return stage->in != stage->out ? level->entry : level->x;
}

static void record_stage (
    VaeStream *self, VidgenRecorder *recorder, guint index);

static void
record_up (
    VaeStream *self, VidgenRecorder *recorder, guint index, VidgenSpan frame)
{
  convolve (self, recorder, &vae_of (self)->stages[index].up, index,
      (VidgenConv3d){
          .x = { frame }, .scale = 2, .out = entry_of (self, index + 1) });
  record_stage (self, recorder, index + 1);
}

/* Makes two frames of each but the first, which what follows does not see. */
static void
record_growth (VaeStream *self, VidgenRecorder *recorder, guint index)
{
  const VidgenWanVaeStage *stage = &vae_of (self)->stages[index];
  Level *level = &self->levels[index];

  for (guint frame = 0; frame < 2; frame++) {
    VidgenConv3d conv = { .out = level->grown };

    look_back (&level->time, level->x, conv.x);
    convolve (self, recorder, &stage->time[frame], index, conv);
    record_up (self, recorder, index, level->grown);
  }
  remember (&level->time, &level->x);
}

/* Makes what comes of the frame that is in the stage's entry. */
static void
record_stage (VaeStream *self, VidgenRecorder *recorder, guint index)
{
  const VidgenWanVaeStage *stage = &vae_of (self)->stages[index];
  Level *level = &self->levels[index];
  VidgenSpan x = entry_of (self, index);

  for (guint i = 0; i < stage->n_blocks; i++) {
    record_block (self, recorder, &stage->blocks[i], &level->blocks[i], index,
        x, level->x);
    x = level->x;
  }
  if (index + 1 == STAGES)
    record_picture (self, recorder);
  else if (stage->grows && !self->is_first)
    record_growth (self, recorder, index);
  else
    record_up (self, recorder, index, level->x);
}

static void
record_middle (VaeStream *self, VidgenRecorder *recorder)
{
  const VidgenWanVae *vae = vae_of (self);
  const VidgenSpan x = self->levels[0].x;

  record_block (self, recorder, &vae->middle[0], &self->middle[0], 0, x, x);
  record_attention (self, recorder);
  record_block (self, recorder, &vae->middle[1], &self->middle[1], 0, x, x);
}

static VidgenSpan
stream_record (VidgenDecoderStream *stream, VidgenRecorder *recorder,
    VidgenSpan latent, guint skip)
{
  VaeStream *self = (VaeStream *)stream;
  const VidgenWanVae *vae = vae_of (self);
  VidgenConv3d in = { .out = self->levels[0].x };

  self->is_first = skip > 0;
  self->pictures = 0;
  vidgen_convolve (recorder, &vae->unquantise,
      (VidgenConv3d){ .height = stream->rows,
          .width = stream->columns,
          .x = { latent },
          .out = self->latent,
          .out_type = self->type });
  look_back (&self->in, self->latent, in.x);
  convolve (self, recorder, &vae->in, 0, in);
  remember (&self->in, &self->latent);
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
  .stream_create = stream_create,
  .stream_free = stream_free,
  .stream_forget = stream_forget,
  .stream_record = stream_record,
};
