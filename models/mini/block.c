/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/block.h"

void
vidgen_mini_convolve (VidgenRecorder *recorder, const VidgenMiniConv *weights,
    VidgenMiniMap map, VidgenConv2d conv)
{
  conv.frames = map.frames;
  conv.height = map.height;
  conv.width = map.width;
  conv.in_channels = map.channels;
  conv.out_channels = weights->out;
  conv.kernel = weights->kernel;
  conv.weight = weights->weight;
  conv.weight_type = weights->type;
  conv.bias = weights->bias;
  conv.shuffle = MAX (conv.shuffle, 1);
  conv.steps = MAX (conv.steps, 1);
  vidgen_conv2d (recorder, &conv);
}

void
vidgen_mini_block_list (VidgenMiniBlock *block, VidgenMiniLoader *loader,
    const char *name, guint channels, gboolean has_memory)
{
  const guint in = has_memory ? 2 * channels : channels;
  g_autofree char *conv1 = g_strconcat (name, ".conv1", NULL);
  g_autofree char *conv2 = g_strconcat (name, ".conv2", NULL);

  vidgen_mini_loader_conv (loader, &block->conv1, conv1, channels, in, in, 3);
  vidgen_mini_loader_conv (
      loader, &block->conv2, conv2, channels, channels, channels, 3);
}

void
vidgen_mini_block_record (VidgenRecorder *recorder,
    const VidgenMiniBlock *block, VidgenMiniMap map, VidgenSpan x,
    VidgenSpan previous, VidgenSpan inner, VidgenSpan out)
{
  vidgen_mini_convolve (recorder, &block->conv1, map,
      (VidgenConv2d){
          .x = x, .previous = previous, .relu = TRUE, .out = inner });
  vidgen_mini_convolve (recorder, &block->conv2, map,
      (VidgenConv2d){ .x = inner, .relu = TRUE, .residual = x, .out = out });
}
