/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/kernelcases.h"

#include "shaders/attention.h"
#include "shaders/conv2d.h"
#include "shaders/conv3d.h"
#include "shaders/convert.h"
#include "shaders/gemm.h"
#include "shaders/norm.h"
#include "shaders/picture.h"
#include "shaders/pixelnorm.h"
#include "shaders/rope.h"
#include "shaders/turn3d.h"
#include "shaders/wideattention.h"

#define PATTERN_BYTES (1u << 20)
#define MAX_SPANS 6

struct _VidgenKernelRun {
  VidgenKernelCase one;
  VidgenDevice *device;
  VidgenMemory *memories[MAX_SPANS];
  VidgenSpan spans[MAX_SPANS];
};

/* `step`: a size is cut to multiples of it; 0: never. `bytes`: of the spans,
 * those that the kernel writes last. */
struct _VidgenKernelKind {
  const char *kernel;
  guint n_sizes;
  guint step[VIDGEN_CASE_SIZES];
  double (*operations) (const VidgenKernelCase *one);
  guint (*bytes) (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS]);
  void (*launch) (const VidgenKernelCase *one, const VidgenSpan *spans,
      VidgenRecorder *recorder);
  const char *(*path) (
      const VidgenKernelCase *one, const VidgenDeviceCaps *caps);
};

static double
no_operations (const VidgenKernelCase *one G_GNUC_UNUSED)
{
  return 0;
}

/* Sizes: m, n, k. */

static double
gemm_operations (const VidgenKernelCase *one)
{
  return 2.0 * one->sizes[0] * one->sizes[1] * one->sizes[2];
}

static guint
gemm_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint64 m = one->sizes[0], n = one->sizes[1], k = one->sizes[2];

  bytes[0] = 4 * m * k;
  bytes[1] = vidgen_type_size (one->type, n * k);
  bytes[2] = 4 * n;
  bytes[3] = 4 * m * n;
  return 4;
}

static VidgenGemm
gemm_of (const VidgenKernelCase *one)
{
  return (VidgenGemm){ .m = one->sizes[0],
    .n = one->sizes[1],
    .k = one->sizes[2],
    .a_stride = one->sizes[2],
    .out_stride = one->sizes[1],
    .weight_type = one->type };
}

static void
gemm_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  VidgenGemm gemm = gemm_of (one);

  gemm.a = spans[0];
  gemm.weight = spans[1];
  gemm.bias = spans[2];
  gemm.out = spans[3];
  vidgen_gemm (recorder, &gemm);
}

static const char *
gemm_path (const VidgenKernelCase *one, const VidgenDeviceCaps *caps)
{
  static const char *const names[] = { "plain", "subgroup", "group" };
  const VidgenGemm gemm = gemm_of (one);

  return names[vidgen_gemm_choose (caps, &gemm).path];
}

static const VidgenKernelKind gemm_kind = { "gemm", 3, { 1, 1, 256 },
  gemm_operations, gemm_bytes, gemm_launch, gemm_path };

/* Sizes: queries, keys, heads, size of a head. */

static double
attention_operations (const VidgenKernelCase *one)
{
  return 4.0 * one->sizes[0] * one->sizes[1] * one->sizes[2] * one->sizes[3];
}

static guint
attention_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint64 width = (guint64)one->sizes[2] * one->sizes[3];
  const guint64 row = 4 * width;

  bytes[0] = one->sizes[0] * row;
  bytes[1] = bytes[2] = one->sizes[1] * vidgen_type_size (one->type, width);
  bytes[3] = one->sizes[0] * row;
  return 4;
}

static VidgenAttention
attention_of (const VidgenKernelCase *one)
{
  const guint width = one->sizes[2] * one->sizes[3];

  return (VidgenAttention){ .rows = one->sizes[0],
    .heads = one->sizes[2],
    .head_size = one->sizes[3],
    .scale = 0.1f,
    .q_stride = width,
    .type = one->type,
    .segments = { { .count = one->sizes[1],
        .k_stride = width,
        .v_stride = width } },
    .out_stride = width };
}

static void
attention_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  VidgenAttention attention = attention_of (one);

  attention.q = spans[0];
  attention.segments[0].k = spans[1];
  attention.segments[0].v = spans[2];
  attention.out = spans[3];
  vidgen_attention (recorder, &attention);
}

static const char *
attention_path (const VidgenKernelCase *one, const VidgenDeviceCaps *caps)
{
  const VidgenAttention attention = attention_of (one);

  return vidgen_attention_choose (caps, &attention).path ==
                 VIDGEN_ATTENTION_SUBGROUP
             ? "subgroup"
             : "plain";
}

static const VidgenKernelKind attention_kind = { "attention", 4, { 1, 1 },
  attention_operations, attention_bytes, attention_launch, attention_path };

/* Sizes: frames, height, width, in and out channels, kernel, and 1 where the
 * frame before is read too. */

static double
conv2d_operations (const VidgenKernelCase *one)
{
  const guint *sizes = one->sizes;

  return 2.0 * sizes[0] * sizes[1] * sizes[2] * sizes[3] * (1 + sizes[6]) *
         sizes[4] * sizes[5] * sizes[5];
}

static guint
conv2d_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint *sizes = one->sizes;
  const guint64 pixels = (guint64)sizes[0] * sizes[1] * sizes[2];

  bytes[0] = 4 * pixels * sizes[3];
  bytes[1] = 4 * pixels * sizes[3] * sizes[6];
  bytes[2] = vidgen_conv2d_packed_bytes (
      sizes[4], sizes[3] * (1 + sizes[6]), sizes[5], one->type);
  bytes[3] = 4 * (guint64)sizes[4];
  bytes[4] = 4 * pixels * sizes[4];
  return 5;
}

static void
conv2d_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const guint *sizes = one->sizes;
  const VidgenConv2d conv = {
    .frames = sizes[0],
    .height = sizes[1],
    .width = sizes[2],
    .in_channels = sizes[3],
    .out_channels = sizes[4],
    .kernel = sizes[5],
    .x = spans[0],
    .previous = spans[1],
    .relu = TRUE,
    .weight = spans[2],
    .weight_type = one->type,
    .bias = spans[3],
    .shuffle = 1,
    .steps = 1,
    .out = spans[4],
  };

  vidgen_conv2d (recorder, &conv);
}

static const VidgenKernelKind conv2d_kind = { "conv2d", 7, { 1, 1, 1 },
  conv2d_operations, conv2d_bytes, conv2d_launch, NULL };

/* Sizes: height, width, in and out channels, taps, kernel, scale. */

static double
conv3d_operations (const VidgenKernelCase *one)
{
  const guint *sizes = one->sizes;

  return 2.0 * sizes[0] * sizes[1] * sizes[6] * sizes[6] * sizes[2] * sizes[3] *
         sizes[4] * sizes[5] * sizes[5];
}

static guint
conv3d_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint *sizes = one->sizes;
  const guint64 pixels = (guint64)sizes[0] * sizes[1];

  for (guint i = 0; i < VIDGEN_CONV3D_TAPS; i++)
    bytes[i] = i < sizes[4] ? 2 * pixels * sizes[2] : 0;
  bytes[3] = vidgen_conv2d_packed_bytes (
      sizes[3], sizes[2] * sizes[4], sizes[5], one->type);
  bytes[4] = 4 * (guint64)sizes[3];
  bytes[5] = 2 * pixels * sizes[6] * sizes[6] * sizes[3];
  return 6;
}

static void
conv3d_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const guint *sizes = one->sizes;
  const VidgenConv3d conv = {
    .height = sizes[0],
    .width = sizes[1],
    .in_channels = sizes[2],
    .out_channels = sizes[3],
    .taps = sizes[4],
    .kernel = sizes[5],
    .scale = sizes[6],
    .x = { spans[0], spans[1], spans[2] },
    .type = VIDGEN_F16,
    .weight = spans[3],
    .weight_type = one->type,
    .bias = spans[4],
    .out = spans[5],
    .out_type = VIDGEN_F16,
  };

  vidgen_conv3d (recorder, &conv);
}

static const VidgenKernelKind conv3d_kind = { "conv3d", 7, { 1, 1 },
  conv3d_operations, conv3d_bytes, conv3d_launch, NULL };

/* Sizes: queries and keys, size of the head. */

static double
wideattention_operations (const VidgenKernelCase *one)
{
  return 4.0 * one->sizes[0] * one->sizes[0] * one->sizes[1];
}

static guint
wideattention_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  for (guint i = 0; i < 4; i++)
    bytes[i] = 4 * (guint64)one->sizes[0] * one->sizes[1];
  return 4;
}

static void
wideattention_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const guint size = one->sizes[1];
  const VidgenWideattention attention = {
    .rows = one->sizes[0],
    .keys = one->sizes[0],
    .head_size = size,
    .scale = 0.05f,
    .q = spans[0],
    .q_stride = size,
    .k = spans[1],
    .k_stride = size,
    .v = spans[2],
    .v_stride = size,
    .out = spans[3],
    .out_stride = size,
  };

  vidgen_wideattention (recorder, &attention);
}

static const VidgenKernelKind wideattention_kind = { "wideattention", 2, { 1 },
  wideattention_operations, wideattention_bytes, wideattention_launch, NULL };

/* Sizes: pixels, channels. */

static guint
pixelnorm_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  bytes[0] = 2 * (guint64)one->sizes[0] * one->sizes[1];
  bytes[1] = 4 * (guint64)one->sizes[1];
  bytes[2] = bytes[0];
  return 3;
}

static void
pixelnorm_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const VidgenPixelnorm norm = {
    .pixels = one->sizes[0],
    .channels = one->sizes[1],
    .x = spans[0],
    .type = VIDGEN_F16,
    .gain = spans[1],
    .activation = VIDGEN_SILU,
    .out = spans[2],
    .out_type = VIDGEN_F16,
  };

  vidgen_pixelnorm (recorder, &norm);
}

static const VidgenKernelKind pixelnorm_kind = { "pixelnorm", 2, { 1 },
  no_operations, pixelnorm_bytes, pixelnorm_launch, NULL };

/* Sizes: rows, values of a row. */

static guint
norm_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint64 row = 4 * (guint64)one->sizes[1];

  bytes[0] = one->sizes[0] * row;
  bytes[1] = bytes[2] = row;
  bytes[3] = one->sizes[0] * row;
  return 4;
}

static void
norm_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const VidgenNorm norm = {
    .rows = one->sizes[0],
    .size = one->sizes[1],
    .x = spans[0],
    .scale = spans[1],
    .shift = spans[2],
    .out = spans[3],
  };

  vidgen_norm (recorder, &norm);
}

static const VidgenKernelKind norm_kind = { "norm", 2, { 1 }, no_operations,
  norm_bytes, norm_launch, NULL };

/* Sizes: rows, heads, size of a head. */

static guint
rope_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint64 rows = one->sizes[0];

  bytes[0] = 4 * rows * one->sizes[1] * one->sizes[2];
  bytes[1] = 4 * rows * one->sizes[2];
  bytes[2] = bytes[0];
  return 3;
}

static void
rope_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const guint width = one->sizes[1] * one->sizes[2];
  const VidgenRope rope = {
    .groups = 1,
    .rows = one->sizes[0],
    .heads = one->sizes[1],
    .head_size = one->sizes[2],
    .x = spans[0],
    .x_stride = width,
    .table = spans[1],
    .out = spans[2],
    .out_stride = width,
  };

  vidgen_rope (recorder, &rope);
}

static const VidgenKernelKind rope_kind = { "rope", 3, { 1 }, no_operations,
  rope_bytes, rope_launch, NULL };

/* Sizes: frames, tokens of a frame, heads, size of a head. */

static guint
turn3d_time_pairs (const VidgenKernelCase *one)
{
  return one->sizes[3] / 6;
}

static guint
turn3d_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint64 frames = one->sizes[0], tokens = one->sizes[1];
  const guint time_pairs = turn3d_time_pairs (one);

  bytes[0] = vidgen_type_size (
      one->type, frames * tokens * one->sizes[2] * one->sizes[3]);
  bytes[1] = 8 * frames * time_pairs;
  bytes[2] = 8 * tokens * (one->sizes[3] / 2 - time_pairs);
  bytes[3] = bytes[0];
  return 4;
}

static void
turn3d_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const VidgenTurn3d turn = {
    .frames = one->sizes[0],
    .tokens = one->sizes[1],
    .heads = one->sizes[2],
    .head_size = one->sizes[3],
    .time_pairs = turn3d_time_pairs (one),
    .type = one->type,
    .x = spans[0],
    .times = spans[1],
    .places = spans[2],
    .out = spans[3],
  };

  vidgen_turn3d (recorder, &turn);
}

static const VidgenKernelKind turn3d_kind = { "turn3d", 4, { 1, 1 },
  no_operations, turn3d_bytes, turn3d_launch, NULL };

/* Sizes: rows, size. */

static guint
convert_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  const guint64 count = (guint64)one->sizes[0] * one->sizes[1];

  bytes[0] = 4 * count;
  bytes[1] = 2 * count;
  return 2;
}

static void
convert_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const VidgenConvert convert = {
    .rows = one->sizes[0], .size = one->sizes[1], .x = spans[0], .out = spans[1]
  };

  vidgen_convert (recorder, &convert);
}

static const VidgenKernelKind convert_kind = { "convert", 2, { 1 },
  no_operations, convert_bytes, convert_launch, NULL };

/* Sizes: frames, width, height, VidgenPictureFormat. */

static guint
picture_bytes (const VidgenKernelCase *one, guint64 bytes[MAX_SPANS])
{
  VidgenPictureLayout layout;

  vidgen_picture_layout (one->sizes[3], one->sizes[1], one->sizes[2], &layout);
  bytes[0] = 12 * (guint64)one->sizes[0] * one->sizes[1] * one->sizes[2];
  bytes[1] = (guint64)one->sizes[0] * layout.size;
  return 2;
}

static void
picture_launch (const VidgenKernelCase *one, const VidgenSpan *spans,
    VidgenRecorder *recorder)
{
  const VidgenPicture picture = {
    .frames = one->sizes[0],
    .width = one->sizes[1],
    .height = one->sizes[2],
    .format = one->sizes[3],
    .rgb = spans[0],
    .out = spans[1],
  };

  vidgen_picture (recorder, &picture);
}

static const VidgenKernelKind picture_kind = { "picture", 4, { 1, 0, 2 },
  no_operations, picture_bytes, picture_launch, NULL };

/* Mini at 192x112; Wan 2.1 1.3B at 832x480 in chunks of 3 latent frames, 12 of
 * them in the window, and its TAEHV decoder; LTX-2 19B at 768x512 in blocks of
 * 3 latent frames, 16 in the window. */
static const VidgenKernelCase cases[] = {
  { "any", "ggml's product", &gemm_kind, { 512, 4096, 14336 }, VIDGEN_F16 },
  { "any", "ggml's product", &gemm_kind, { 512, 4096, 14336 }, VIDGEN_F32 },
  { "any", "ggml's product", &gemm_kind, { 512, 4096, 14336 }, VIDGEN_BF16 },
  { "any", "ggml's product", &gemm_kind, { 512, 4096, 14336 }, VIDGEN_Q8_0 },
  { "any", "ggml's product", &gemm_kind, { 512, 4096, 14336 }, VIDGEN_Q4_0 },
  { "any", "ggml's product", &gemm_kind, { 512, 4096, 14336 }, VIDGEN_Q4_K },
  { "mini", "q, k and v", &gemm_kind, { 88, 576, 192 }, VIDGEN_F16 },
  { "mini", "attention out", &gemm_kind, { 88, 192, 192 }, VIDGEN_F16 },
  { "mini", "mlp up", &gemm_kind, { 88, 768, 192 }, VIDGEN_F16 },
  { "mini", "mlp down", &gemm_kind, { 88, 192, 768 }, VIDGEN_F16 },
  { "mini", "modulation", &gemm_kind, { 1, 1152, 192 }, VIDGEN_F16 },
  { "mini", "attention", &attention_kind, { 88, 552, 6, 32 }, 0 },
  { "mini", "norm", &norm_kind, { 88, 192 }, 0 },
  { "mini", "rope", &rope_kind, { 88, 6, 32 }, 0 },
  { "mini", "memory 1/8", &conv2d_kind, { 1, 14, 24, 96, 96, 3, 1 },
      VIDGEN_F16 },
  { "mini", "memory 1/4", &conv2d_kind, { 2, 28, 48, 48, 48, 3, 1 },
      VIDGEN_F16 },
  { "mini", "last layer", &conv2d_kind, { 4, 56, 96, 16, 12, 3, 0 },
      VIDGEN_F16 },
  { "mini", "wide up", &conv2d_kind, { 4, 56, 96, 16, 64, 3, 0 }, VIDGEN_F16 },
  { "mini", "wide last", &conv2d_kind, { 4, 112, 192, 16, 12, 3, 0 },
      VIDGEN_F16 },
  { "mini", "to I420", &picture_kind, { 4, 192, 112, VIDGEN_PICTURE_I420 }, 0 },
  { "wan-1.3b", "q, k, v, o", &gemm_kind, { 4680, 1536, 1536 }, VIDGEN_BF16 },
  { "wan-1.3b", "mlp up", &gemm_kind, { 4680, 8960, 1536 }, VIDGEN_BF16 },
  { "wan-1.3b", "mlp down", &gemm_kind, { 4680, 1536, 8960 }, VIDGEN_BF16 },
  { "wan-1.3b", "mlp down", &gemm_kind, { 4680, 1536, 8960 }, VIDGEN_Q8_0 },
  { "wan-1.3b", "text in", &gemm_kind, { 512, 1536, 4096 }, VIDGEN_BF16 },
  { "wan-1.3b", "umT5 gate", &gemm_kind, { 512, 10240, 4096 }, VIDGEN_BF16 },
  { "wan-1.3b", "self-attention", &attention_kind, { 4680, 18720, 12, 128 },
      VIDGEN_F32 },
  { "wan-1.3b", "self-attention", &attention_kind, { 4680, 18720, 12, 128 },
      VIDGEN_F16 },
  { "wan-1.3b", "cross-attention", &attention_kind, { 4680, 512, 12, 128 },
      VIDGEN_F16 },
  { "wan-1.3b", "norm", &norm_kind, { 4680, 1536 }, 0 },
  { "wan-1.3b", "rope of queries", &turn3d_kind, { 3, 1560, 12, 128 },
      VIDGEN_F32 },
  { "wan-1.3b", "rope of keys", &turn3d_kind, { 12, 1560, 12, 128 },
      VIDGEN_F16 },
  { "wan-1.3b", "to the cache", &convert_kind, { 4680, 1536 }, 0 },
  { "wan-1.3b", "TAEHV 60x104", &conv2d_kind, { 3, 60, 104, 256, 256, 3, 1 },
      VIDGEN_F16 },
  { "wan-1.3b", "TAEHV 240x416", &conv2d_kind, { 6, 240, 416, 64, 64, 3, 1 },
      VIDGEN_F16 },
  { "wan-1.3b", "TAEHV last", &conv2d_kind, { 12, 480, 832, 64, 4, 3, 0 },
      VIDGEN_F16 },
  { "wan-1.3b", "VAE 60x104", &conv3d_kind, { 60, 104, 384, 384, 3, 3, 1 },
      VIDGEN_F16 },
  { "wan-1.3b", "VAE 240x416", &conv3d_kind, { 240, 416, 192, 192, 3, 3, 1 },
      VIDGEN_F16 },
  { "wan-1.3b", "VAE up to 480", &conv3d_kind, { 240, 416, 192, 96, 1, 3, 2 },
      VIDGEN_F16 },
  { "wan-1.3b", "VAE 480x832", &conv3d_kind, { 480, 832, 96, 96, 3, 3, 1 },
      VIDGEN_F16 },
  { "wan-1.3b", "VAE norm", &pixelnorm_kind, { 399360, 96 }, 0 },
  { "wan-1.3b", "VAE attention", &wideattention_kind, { 6240, 384 }, 0 },
  { "wan-1.3b", "to I420", &picture_kind, { 12, 832, 480, VIDGEN_PICTURE_I420 },
      0 },
  { "wan-1.3b", "to NV12", &picture_kind, { 12, 832, 480, VIDGEN_PICTURE_NV12 },
      0 },
  { "ltx-2", "video q, k, v", &gemm_kind, { 1152, 4096, 4096 }, VIDGEN_BF16 },
  { "ltx-2", "video mlp up", &gemm_kind, { 1152, 16384, 4096 }, VIDGEN_BF16 },
  { "ltx-2", "video mlp down", &gemm_kind, { 1152, 4096, 16384 }, VIDGEN_BF16 },
  { "ltx-2", "video mlp down", &gemm_kind, { 1152, 4096, 16384 }, VIDGEN_Q4_K },
  { "ltx-2", "audio mlp up", &gemm_kind, { 25, 8192, 2048 }, VIDGEN_BF16 },
  { "ltx-2", "video attention", &attention_kind, { 1152, 6144, 32, 128 }, 0 },
  { "ltx-2", "text attention", &attention_kind, { 1152, 1024, 32, 128 }, 0 },
  { "ltx-2", "audio to video", &attention_kind, { 1152, 126, 32, 64 }, 0 },
  { "ltx-2", "audio attention", &attention_kind, { 25, 126, 32, 64 }, 0 },
  { "ltx-2", "norm", &norm_kind, { 1152, 4096 }, 0 },
};

const VidgenKernelCase *
vidgen_kernel_cases (guint *n_cases)
{
  *n_cases = G_N_ELEMENTS (cases);
  return cases;
}

const char *
vidgen_kernel_case_kernel (const VidgenKernelCase *one)
{
  return one->kind->kernel;
}

char *
vidgen_kernel_case_shape (const VidgenKernelCase *one)
{
  g_autoptr (GString) shape = g_string_new (NULL);

  for (guint i = 0; i < one->kind->n_sizes; i++)
    g_string_append_printf (shape, "%s%u", i ? "x" : "", one->sizes[i]);
  if (one->kind == &gemm_kind)
    g_string_append_printf (shape, " %s", vidgen_type_name (one->type));
  return g_string_free (g_steal_pointer (&shape), FALSE);
}

double
vidgen_kernel_case_operations (const VidgenKernelCase *one)
{
  return one->kind->operations (one);
}

double
vidgen_kernel_case_bytes (const VidgenKernelCase *one)
{
  guint64 bytes[MAX_SPANS];
  const guint n = one->kind->bytes (one, bytes);
  double sum = 0;

  for (guint i = 0; i < n; i++)
    sum += (double)bytes[i];
  return sum;
}

const char *
vidgen_kernel_case_path (
    const VidgenKernelCase *one, const VidgenDeviceCaps *caps)
{
  return one->kind->path ? one->kind->path (one, caps) : "plain";
}

gboolean
vidgen_kernel_case_halve (VidgenKernelCase *one)
{
  const guint *step = one->kind->step;
  gint largest = -1;

  for (guint i = 0; i < one->kind->n_sizes; i++)
    if (step[i] && one->sizes[i] >= 2 * step[i] &&
        (largest < 0 || one->sizes[i] > one->sizes[largest]))
      largest = (gint)i;
  if (largest < 0)
    return FALSE;
  one->sizes[largest] = one->sizes[largest] / 2 / step[largest] * step[largest];
  return TRUE;
}

/* Every 16 bits are a half, and every 32 a float, that is positive, normal and
 * no larger than 1. */
static VidgenMemory *
pattern_new (VidgenDevice *device, GError **error)
{
  VidgenMemory *memory =
      vidgen_memory_new (device, PATTERN_BYTES, VIDGEN_MEMORY_UPLOAD, error);
  guint32 state = 1;
  guint16 *halves;

  if (!memory)
    return NULL;
  halves = vidgen_span_map (vidgen_memory_span (memory));
  for (guint i = 0; i < PATTERN_BYTES / 2; i++) {
    state = state * 1664525u + 1013904223u;
    halves[i] = (guint16)(0x2c00 + (state >> 16) % 0x1000);
  }
  return memory;
}

static void
fill (VidgenRecorder *recorder, VidgenSpan span, VidgenSpan pattern)
{
  for (guint64 at = 0; at < span.size; at += pattern.size)
    vidgen_recorder_copy (recorder,
        vidgen_span_cut (span, at, MIN (pattern.size, span.size - at)),
        pattern);
}

static gboolean
run_allocate (VidgenKernelRun *run, GError **error)
{
  g_autoptr (VidgenMemory) pattern = pattern_new (run->device, error);
  g_autoptr (VidgenRecorder) recorder =
      pattern ? vidgen_recorder_new (run->device, VIDGEN_RECORDER_RUN, error)
              : NULL;
  guint64 bytes[MAX_SPANS];
  const guint n = run->one.kind->bytes (&run->one, bytes);

  if (!recorder)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (!bytes[i])
      continue;
    run->memories[i] = vidgen_memory_new (
        run->device, (bytes[i] + 3) & ~3ull, VIDGEN_MEMORY_DEVICE, error);
    if (!run->memories[i])
      return FALSE;
    run->spans[i] = vidgen_memory_span (run->memories[i]);
    fill (recorder, run->spans[i], vidgen_memory_span (pattern));
  }
  return vidgen_recorder_finish (recorder, NULL, error);
}

VidgenKernelRun *
vidgen_kernel_run_new (
    VidgenDevice *device, const VidgenKernelCase *one, GError **error)
{
  g_autoptr (VidgenKernelRun) run = g_new0 (VidgenKernelRun, 1);

  run->one = *one;
  run->device = vidgen_device_ref (device);
  return run_allocate (run, error) ? g_steal_pointer (&run) : NULL;
}

void
vidgen_kernel_run_free (VidgenKernelRun *run)
{
  if (!run)
    return;
  for (guint i = 0; i < MAX_SPANS; i++)
    vidgen_memory_unref (run->memories[i]);
  vidgen_device_unref (run->device);
  g_free (run);
}

void
vidgen_kernel_run_launch (VidgenKernelRun *run, VidgenRecorder *recorder)
{
  run->one.kind->launch (&run->one, run->spans, recorder);
}
