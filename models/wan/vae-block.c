/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/vae-stream.h"

#include "shaders/pixelnorm.h"
#include "shaders/pixelpack.h"

void
vidgen_wan_vae_look_back (
    const VidgenWanVaePast *past, VidgenSpan now, VidgenConv3d *conv)
{
  conv->packed = past->packed;
  conv->x[0] = past->held > 1 ? past->frames[!past->newest] : VIDGEN_SPAN_NONE;
  conv->x[1] = past->held > 0 ? past->frames[past->newest] : VIDGEN_SPAN_NONE;
  conv->x[2] = now;
}

/* Keeps rows `first` to `end - 1` of an input in place of the oldest one's;
 * `from` begins with row `first`. */
static void
keep_rows (VidgenWanVaeStream *self, VidgenRecorder *recorder,
    const VidgenWanVaePast *past, guint level, guint channels, guint first,
    guint end, VidgenSpan from)
{
  const guint count = end - first;
  const guint64 kept =
      vidgen_wan_vae_past_row_bytes (self, past, level, channels);
  const VidgenSpan to =
      vidgen_span_cut (past->frames[!past->newest], first * kept, count * kept);
  const VidgenPixelpack pack = { .pixels =
                                     count * vidgen_wan_vae_width (self, level),
    .channels = channels,
    .x = from,
    .type = self->type,
    .out = to };

  if (past->packed)
    vidgen_pixelpack (recorder, &pack);
  else
    vidgen_recorder_copy (recorder, to, from);
}

/* All rows are kept: what follows is the next frame. */
static void
advance (VidgenWanVaePast *past)
{
  past->newest = !past->newest;
  past->held = MIN (past->held + 1, 2);
}

void
vidgen_wan_vae_remember (VidgenWanVaeStream *self, VidgenRecorder *recorder,
    VidgenWanVaePast *past, guint level, guint channels, VidgenSpan now)
{
  keep_rows (self, recorder, past, level, channels, 0,
      vidgen_wan_vae_rows (self, level), now);
  advance (past);
}

VidgenSpan
vidgen_wan_vae_cut_rows (const VidgenWanVaeStream *self, VidgenSpan image,
    guint level, guint channels, guint first, guint end)
{
  const guint64 bytes = vidgen_wan_vae_row_bytes (self, level, channels);

  return vidgen_span_cut (image, first * bytes, (end - first) * bytes);
}

void
vidgen_wan_vae_convolve (VidgenWanVaeStream *self, VidgenRecorder *recorder,
    const VidgenConvolution *layer, guint level, VidgenConv3d conv)
{
  conv.height = vidgen_wan_vae_rows (self, level);
  conv.width = vidgen_wan_vae_width (self, level);
  conv.type = self->type;
  conv.out_type = self->type;
  vidgen_convolve (recorder, layer, conv);
}

void
vidgen_wan_vae_normalise (VidgenWanVaeStream *self, VidgenRecorder *recorder,
    guint pixels, guint channels, VidgenSpan x, VidgenSpan gain,
    VidgenActivation activation, VidgenSpan out)
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

/* A block at work on rows `first` to `end - 1` of its first convolution. The
 * second one follows a row behind, since it looks a row ahead; what is kept of
 * the inputs takes the place of the oldest ones, as soon as no row that comes
 * needs those. */
typedef struct {
  VidgenWanVaeStream *self;
  VidgenRecorder *recorder;
  const VidgenWanVaeBlock *block;
  VidgenWanVaeBlockPast *past;
  guint level, rows, width;
  VidgenSpan x, out;
  guint first, end;
  guint middles_first; /* the row with which `middles` begins */
} Work;

static void
work_first (Work *work)
{
  VidgenWanVaeStream *self = work->self;
  const VidgenWanVaeBlock *block = work->block;
  const guint in = block->conv1.in, level = work->level;
  const guint top = work->first > 0 ? work->first - 1 : 0;
  const guint bottom = MIN (work->end + 1, work->rows);
  const guint kept_end = work->end == work->rows ? work->end : work->end - 1;
  VidgenConv3d conv = { .first_row = work->first,
    .rows = work->end - work->first,
    .x_row = top,
    .out = self->levels[level].made };

  vidgen_wan_vae_normalise (self, work->recorder, (bottom - top) * work->width,
      in, vidgen_wan_vae_cut_rows (self, work->x, level, in, top, bottom),
      block->gain1, VIDGEN_SILU, self->levels[level].inputs);
  vidgen_wan_vae_look_back (
      &work->past->first, self->levels[level].inputs, &conv);
  vidgen_wan_vae_convolve (self, work->recorder, &block->conv1, level, conv);
  keep_rows (self, work->recorder, &work->past->first, level, in, top, kept_end,
      vidgen_wan_vae_cut_rows (
          self, self->levels[level].inputs, level, in, 0, kept_end - top));
}

/* Puts the rows that the first convolution made behind the last two of those
 * before. */
static void
work_middle (Work *work)
{
  VidgenWanVaeStream *self = work->self;
  const guint channels = work->block->conv2.in, level = work->level;
  const guint begin = work->first > 0 ? work->first - 2 : 0;
  const guint held = work->first - begin;
  const guint at = begin - work->middles_first;

  if (held > 0)
    vidgen_recorder_copy (work->recorder,
        vidgen_wan_vae_cut_rows (
            self, self->levels[level].middles, level, channels, 0, held),
        vidgen_wan_vae_cut_rows (
            self, self->levels[level].middles, level, channels, at, at + held));
  work->middles_first = begin;
  vidgen_wan_vae_normalise (self, work->recorder,
      (work->end - work->first) * work->width, channels,
      self->levels[level].made, work->block->gain2, VIDGEN_SILU,
      vidgen_wan_vae_cut_rows (self, self->levels[level].middles, level,
          channels, held, work->end - begin));
}

static void
work_second (Work *work)
{
  VidgenWanVaeStream *self = work->self;
  const guint channels = work->block->conv2.in, level = work->level;
  const gboolean is_last = work->end == work->rows;
  const guint first = work->first > 0 ? work->first - 1 : 0;
  const guint end = is_last ? work->end : work->end - 1;
  const guint kept_end = is_last ? work->end : work->end - 2;
  const VidgenSpan rows =
      vidgen_wan_vae_cut_rows (self, work->out, level, channels, first, end);
  VidgenConv3d conv = { .first_row = first,
    .rows = end - first,
    .x_row = work->middles_first,
    .residual = rows,
    .out = rows };

  vidgen_wan_vae_look_back (
      &work->past->second, self->levels[level].middles, &conv);
  vidgen_wan_vae_convolve (
      self, work->recorder, &work->block->conv2, level, conv);
  keep_rows (self, work->recorder, &work->past->second, level, channels,
      work->middles_first, kept_end,
      vidgen_wan_vae_cut_rows (self, self->levels[level].middles, level,
          channels, 0, kept_end - work->middles_first));
}

void
vidgen_wan_vae_record_block (VidgenWanVaeStream *self, VidgenRecorder *recorder,
    const VidgenWanVaeBlock *block, VidgenWanVaeBlockPast *past, guint level,
    VidgenSpan x, VidgenSpan out)
{
  const guint most = vidgen_wan_vae_strip_rows (self, level);
  Work work = { .self = self,
    .recorder = recorder,
    .block = block,
    .past = past,
    .level = level,
    .rows = vidgen_wan_vae_rows (self, level),
    .width = vidgen_wan_vae_width (self, level),
    .x = x,
    .out = out };

  if (block->conv1.in != block->conv1.out)
    vidgen_wan_vae_convolve (self, recorder, &block->shortcut, level,
        (VidgenConv3d){ .x = { x }, .out = out });
  for (work.first = 0; work.first < work.rows; work.first = work.end) {
    work.end = MIN (work.first + most, work.rows);
    work_first (&work);
    work_middle (&work);
    work_second (&work);
  }
  advance (&past->first);
  advance (&past->second);
}
