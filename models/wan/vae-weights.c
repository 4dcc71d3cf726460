/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/vae.h"

#include "shaders/runtime/error.h"

/* Stages that grow in time. */
static const gboolean grows[VIDGEN_WAN_VAE_STAGES] = { TRUE, TRUE, FALSE,
  FALSE };

/* What the two published layouts call things. */
typedef struct {
  const char *unquantise, *in, *out_gain, *out;
  const char *middle[2], *attention;
  const char *gain1, *conv1, *gain2, *conv2, *shortcut; /* of a block */
} Names;

static const Names original = { .unquantise = "conv2",
  .in = "decoder.conv1",
  .out_gain = "decoder.head.0.gamma",
  .out = "decoder.head.2",
  .middle = { "decoder.middle.0", "decoder.middle.2" },
  .attention = "decoder.middle.1",
  .gain1 = "residual.0.gamma",
  .conv1 = "residual.2",
  .gain2 = "residual.3.gamma",
  .conv2 = "residual.6",
  .shortcut = "shortcut" };

static const Names diffusers = { .unquantise = "post_quant_conv",
  .in = "decoder.conv_in",
  .out_gain = "decoder.norm_out.gamma",
  .out = "decoder.conv_out",
  .middle = { "decoder.mid_block.resnets.0", "decoder.mid_block.resnets.1" },
  .attention = "decoder.mid_block.attentions.0",
  .gain1 = "norm1.gamma",
  .conv1 = "conv1",
  .gain2 = "norm2.gamma",
  .conv2 = "conv2",
  .shortcut = "conv_shortcut" };

typedef struct {
  VidgenWanVae *vae;
  const Names *names;
  guint index; /* of the original's next part among all stages */
} Lister;

static gboolean
has (const VidgenCheckpoint *checkpoint, const char *prefix, const char *part)
{
  g_autofree char *name = g_strconcat (prefix, ".", part, ".weight", NULL);

  return vidgen_checkpoint_find (checkpoint, name) != NULL;
}

gboolean
vidgen_wan_vae_probe (const VidgenCheckpoint *checkpoint)
{
  return has (checkpoint, original.middle[0], original.conv1) ||
         has (checkpoint, diffusers.middle[0], diffusers.conv1);
}

static gboolean
list_conv (const Lister *lister, VidgenConvolution *conv, const char *name,
    VidgenConvolutionWish wish, GError **error)
{
  g_autofree char *weight = g_strconcat (name, ".weight", NULL);
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);

  wish.weight = weight;
  wish.bias = bias;
  return vidgen_convolutions_add (
      lister->vae->decoder.convolutions, conv, &wish, error);
}

/* A convolution over time as well. */
static gboolean
list_causal (const Lister *lister, VidgenConvolution *conv, const char *name,
    guint in, guint out, guint size, GError **error)
{
  return list_conv (lister, conv, name,
      (VidgenConvolutionWish){ .in = in,
          .out = out,
          .taps = size,
          .kernel = size,
          .over_time = TRUE },
      error);
}

static gboolean
list_gain (const Lister *lister, VidgenSpan *gain, const char *name,
    guint channels, GError **error)
{
  return vidgen_convolutions_add_vector (
      lister->vae->decoder.convolutions, gain, name, channels, error);
}

/* `out` 0: as many channels as there are. */
static gboolean
list_block (const Lister *lister, VidgenWanVaeBlock *block, const char *prefix,
    guint in, guint out, GError **error)
{
  const Names *names = lister->names;
  g_autofree char *gain1 = g_strconcat (prefix, ".", names->gain1, NULL);
  g_autofree char *conv1 = g_strconcat (prefix, ".", names->conv1, NULL);
  g_autofree char *gain2 = g_strconcat (prefix, ".", names->gain2, NULL);
  g_autofree char *conv2 = g_strconcat (prefix, ".", names->conv2, NULL);
  g_autofree char *shortcut = g_strconcat (prefix, ".", names->shortcut, NULL);

  if (!list_gain (lister, &block->gain1, gain1, in, error) ||
      !list_causal (lister, &block->conv1, conv1, in, out, 3, error))
    return FALSE;
  if (!list_gain (lister, &block->gain2, gain2, block->conv1.out, error) ||
      !list_causal (lister, &block->conv2, conv2, block->conv1.out,
          block->conv1.out, 3, error))
    return FALSE;
  return block->conv1.out == in ||
         list_causal (lister, &block->shortcut, shortcut, in, block->conv1.out,
             1, error);
}

/* The prefix of block `block` of stage `stage`, or of what doubles its size. */
static char *
part_name (const Lister *lister, guint stage, guint block, gboolean is_up)
{
  if (lister->names == &original)
    return g_strdup_printf ("decoder.upsamples.%u", lister->index);
  if (is_up)
    return g_strdup_printf ("decoder.up_blocks.%u.upsamplers.0", stage);
  return g_strdup_printf ("decoder.up_blocks.%u.resnets.%u", stage, block);
}

static gboolean
list_time (const Lister *lister, VidgenWanVaeStage *stage, const char *name,
    GError **error)
{
  for (guint frame = 0; frame < 2; frame++)
    if (!list_conv (lister, &stage->time[frame], name,
            (VidgenConvolutionWish){ .in = stage->out,
                .taps = 3,
                .kernel = 1,
                .over_time = TRUE,
                .first = frame * stage->out,
                .out = stage->out },
            error))
      return FALSE;
  return TRUE;
}

static gboolean
list_up (Lister *lister, VidgenWanVaeStage *stage, guint index, GError **error)
{
  g_autofree char *prefix = part_name (lister, index, 0, TRUE);
  g_autofree char *time = g_strconcat (prefix, ".time_conv", NULL);
  g_autofree char *up = g_strconcat (prefix, ".resample.1", NULL);

  lister->index++;
  stage->grows = grows[index];
  if (stage->grows && !list_time (lister, stage, time, error))
    return FALSE;
  return list_conv (lister, &stage->up, up,
      (VidgenConvolutionWish){ .in = stage->out, .taps = 1, .kernel = 3 },
      error);
}

static gboolean
list_stage (Lister *lister, guint index, guint in, GError **error)
{
  const VidgenCheckpoint *checkpoint = lister->vae->decoder.checkpoint;
  VidgenWanVaeStage *stage = &lister->vae->stages[index];

  stage->in = stage->out = in;
  for (guint i = 0;; i++) {
    g_autofree char *prefix = part_name (lister, index, i, FALSE);

    if (i > 0 && !has (checkpoint, prefix, lister->names->conv1) &&
        !has (checkpoint, prefix, lister->names->conv2))
      break;
    if (i == VIDGEN_WAN_VAE_MAX_BLOCKS) {
      g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
          "'%s' in %s is a block more than is supported.", prefix,
          vidgen_checkpoint_name (checkpoint));
      return FALSE;
    }
    if (!list_block (lister, &stage->blocks[i], prefix, stage->out,
            index > 0 && i == 0 ? 0 : stage->out, error))
      return FALSE;
    stage->out = stage->blocks[i].conv1.out;
    stage->n_blocks++;
    lister->index++;
  }
  return index + 1 == VIDGEN_WAN_VAE_STAGES ||
         list_up (lister, stage, index, error);
}

static gboolean
list_attention (const Lister *lister, guint channels, GError **error)
{
  VidgenWanVae *vae = lister->vae;
  const char *prefix = lister->names->attention;
  g_autofree char *gain = g_strconcat (prefix, ".norm.gamma", NULL);
  g_autofree char *qkv = g_strconcat (prefix, ".to_qkv", NULL);
  g_autofree char *project = g_strconcat (prefix, ".proj", NULL);

  return list_gain (lister, &vae->attention_gain, gain, channels, error) &&
         list_conv (lister, &vae->qkv, qkv,
             (VidgenConvolutionWish){
                 .in = channels, .out = 3 * channels, .taps = 1, .kernel = 1 },
             error) &&
         list_conv (lister, &vae->project, project,
             (VidgenConvolutionWish){
                 .in = channels, .out = channels, .taps = 1, .kernel = 1 },
             error);
}

static gboolean
list_first (const Lister *lister, GError **error)
{
  VidgenWanVae *vae = lister->vae;

  return list_conv (lister, &vae->unquantise, lister->names->unquantise,
             (VidgenConvolutionWish){ .in = VIDGEN_DECODER_CHANNELS,
                 .out = VIDGEN_DECODER_CHANNELS,
                 .taps = 1,
                 .kernel = 1,
                 .over_time = TRUE,
                 .mean = vidgen_wan_latent_mean,
                 .std = vidgen_wan_latent_std },
             error) &&
         list_causal (lister, &vae->in, lister->names->in,
             VIDGEN_DECODER_CHANNELS, 0, 3, error);
}

static gboolean
list_out (const Lister *lister, guint channels, GError **error)
{
  VidgenWanVae *vae = lister->vae;
  g_autofree char *weight = g_strconcat (lister->names->out, ".weight", NULL);
  g_autofree char *bias = g_strconcat (lister->names->out, ".bias", NULL);

  for (guint tap = 0; tap < 3; tap++) {
    const VidgenConvolutionWish wish = { .weight = weight,
      .bias = tap == 2 ? bias : NULL,
      .in = channels,
      .out = 3,
      .taps = 3,
      .kernel = 3,
      .over_time = TRUE,
      .one_tap = TRUE,
      .tap = tap };

    if (!vidgen_convolutions_add (
            vae->decoder.convolutions, &vae->out[tap], &wish, error))
      return FALSE;
  }
  return list_gain (
      lister, &vae->out_gain, lister->names->out_gain, channels, error);
}

gboolean
vidgen_wan_vae_list (VidgenWanVae *vae, GError **error)
{
  Lister lister = { .vae = vae };
  guint channels;

  lister.names =
      has (vae->decoder.checkpoint, original.middle[0], original.conv1)
          ? &original
          : &diffusers;
  if (!list_first (&lister, error))
    return FALSE;
  channels = vae->in.out;
  for (guint i = 0; i < 2; i++) {
    if (!list_block (&lister, &vae->middle[i], lister.names->middle[i],
            channels, channels, error))
      return FALSE;
    if (i == 0 && !list_attention (&lister, channels, error))
      return FALSE;
  }
  for (guint i = 0; i < VIDGEN_WAN_VAE_STAGES; i++) {
    if (!list_stage (&lister, i, channels, error))
      return FALSE;
    channels = vae->stages[i].up.out;
  }
  return list_out (&lister, vae->stages[VIDGEN_WAN_VAE_STAGES - 1].out, error);
}
