/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/elements/fakemodel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 8
#define ROWS 4
#define FRAME_BITS 17
#define PROMPT_BITS 6
#define SEED_BITS 3
#define STEP_BITS 3
#define GUIDANCE_BITS 3

FakeModel fake;

static const guint steps[] = { 1, 2, 4, 0 };
static const guint scales[] = { 1, 2, 0 };
static const char *const prompts[] = { "an example", "another", NULL };

static guint
low_bits (guint64 value, guint bits)
{
  return value & ((1u << bits) - 1);
}

guint
fake_prompt (const char *text)
{
  return low_bits (g_str_hash (text) * 2654435761u >> 16, PROMPT_BITS);
}

float
fake_left (guint64 sample, guint prompt)
{
  return (0.3 + 0.1 * prompt / (1 << PROMPT_BITS)) *
         sin (2 * G_PI * (sample % 240) / 240);
}

float
fake_right (guint64 sample)
{
  return low_bits (sample, 20) / 1048576.0f;
}

/* The fields one after another, the lowest bits first. */
static guint32
put (guint32 bits, guint value, guint n_bits)
{
  return bits << n_bits | low_bits (value, n_bits);
}

static guint32
pack (const FakeContent *content)
{
  guint32 bits = low_bits (content->guidance, GUIDANCE_BITS);

  bits = put (bits, content->steps, STEP_BITS);
  bits = put (bits, content->seed, SEED_BITS);
  bits = put (bits, content->prompt, PROMPT_BITS);
  return put (bits, content->frame, FRAME_BITS);
}

static guint
take (guint32 *bits, guint n_bits)
{
  const guint value = low_bits (*bits, n_bits);

  *bits >>= n_bits;
  return value;
}

static FakeContent
unpack (guint32 bits)
{
  FakeContent content;

  content.frame = take (&bits, FRAME_BITS);
  content.prompt = take (&bits, PROMPT_BITS);
  content.seed = take (&bits, SEED_BITS);
  content.steps = take (&bits, STEP_BITS);
  content.guidance = take (&bits, GUIDANCE_BITS);
  return content;
}

FakeContent
fake_read (GstBuffer *buffer, const GstCaps *caps)
{
  GstVideoFrame frame;
  GstVideoInfo info;
  guint32 bits = 0;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  for (guint i = 0; i < COLUMNS * ROWS; i++) {
    const guint x = (2 * (i % COLUMNS) + 1) * info.width / COLUMNS / 2;
    const guint y = (2 * (i / COLUMNS) + 1) * info.height / ROWS / 2;
    const guint8 *row = (const guint8 *)GST_VIDEO_FRAME_COMP_DATA (&frame, 0) +
                        y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0);
    if (row[x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0)] > 127)
      bits |= 1u << i;
  }
  gst_video_frame_unmap (&frame);
  return unpack (bits);
}

static gboolean
fake_probe (const char *location)
{
  return g_str_has_prefix (location, "fake");
}

static VidgenModel *
fake_open (const char *location, G_GNUC_UNUSED GError **error)
{
  VidgenModel *model = g_new0 (VidgenModel, 1);

  model->info = (VidgenModelInfo){
    .family = "fake",
    .name = location,
    .width = { 16, 64, fake.size_step },
    .height = { 8, 64, (fake.size_step + 1) / 2 },
    .scales = fake.coupled ? scales : NULL,
    .native = { 32, 16, fake.fps_n, fake.fps_d },
    .has_audio = fake.has_audio,
    .sample_rate = fake.rate,
    .kinds = VIDGEN_CONDITION_TEXT | VIDGEN_CONDITION_NEGATIVE,
    .steps = steps,
    .default_steps = 2,
    .guidance_min = 0,
    .guidance_max = 10,
    .default_guidance = 1,
    .first_chunk_frames = fake.first_chunk_frames,
    .chunk_frames = fake.chunk_frames,
    .prompts = prompts,
  };
  if (fake.coupled) {
    model->info.width = (VidgenRange){ 32, 64, 32 };
    model->info.height = (VidgenRange){ 16, 32, 16 };
  }
  model->info.name = g_intern_string (location);
  g_atomic_int_inc (&fake.models);
  return model;
}

static void
fake_free (VidgenModel *model)
{
  g_atomic_int_add (&fake.models, -1);
  g_free (model);
}

static guint64
fake_memory_needed (G_GNUC_UNUSED const VidgenModel *model,
    G_GNUC_UNUSED const VidgenFormat *format)
{
  return 0;
}

static gboolean
work_for (gint us, GCancellable *cancellable, GError **error)
{
  const gint64 end = g_get_monotonic_time () + us;

  while (g_get_monotonic_time () < end) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    g_usleep (MIN (us, 1000));
  }
  return TRUE;
}

static gboolean
fake_load (G_GNUC_UNUSED VidgenModel *model, G_GNUC_UNUSED VidgenDevice *device,
    VidgenLoadProgress progress, gpointer user_data, GCancellable *cancellable,
    GError **error)
{
  progress ("load", 0, user_data);
  if (!work_for (g_atomic_int_get (&fake.load_us), cancellable, error))
    return FALSE;
  if (g_atomic_int_get (&fake.fail_load)) {
    g_set_error (error, VIDGEN_ERROR, fake.fail_code, "A fault in loading.");
    return FALSE;
  }
  progress ("load", 1, user_data);
  progress ("warmup", 1, user_data);
  return TRUE;
}

static char *
fake_complete (
    G_GNUC_UNUSED const VidgenModel *model, const char *prompt, guint64 seed)
{
  if (!fake.completes)
    return g_strdup (prompt);
  return g_strdup_printf ("%s %" G_GUINT64_FORMAT, prompt, seed);
}

static GBytes *
fake_encode (VidgenModel *model, const char *prompt, const char *negative,
    GCancellable *cancellable, GError **error)
{
  const double code = fake_prompt (prompt) + (negative ? 1 : 0);

  if (g_atomic_int_get (&fake.refuse)) {
    vidgen_model_tell (model, "encode", 0);
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "A prompt that cannot be encoded.");
    return NULL;
  }
  if (!work_for (g_atomic_int_get (&fake.encode_us), cancellable, error))
    return NULL;
  g_atomic_int_inc (&fake.encodes);
  return g_bytes_new (&code, sizeof code);
}

static const char *
fake_encoder_identity (G_GNUC_UNUSED const VidgenModel *model)
{
  return fake.dear ? "the fake encoder" : NULL;
}

static gboolean
fake_check_conditioning (G_GNUC_UNUSED VidgenModel *model, GBytes *data)
{
  return g_bytes_get_size (data) == sizeof (double);
}

static double
code_of (GBytes *conditioning)
{
  double code;

  memcpy (&code, g_bytes_get_data (conditioning, NULL), sizeof code);
  return code;
}

static GBytes *
fake_blend (
    G_GNUC_UNUSED VidgenModel *model, GBytes *from, GBytes *to, double weight)
{
  const double code = (1 - weight) * code_of (from) + weight * code_of (to);

  return g_bytes_new (&code, sizeof code);
}

static VidgenStream *
fake_stream_new (G_GNUC_UNUSED VidgenModel *model,
    G_GNUC_UNUSED const VidgenStreamParams *params,
    G_GNUC_UNUSED GError **error)
{
  g_atomic_int_inc (&fake.streams);
  return g_new0 (VidgenStream, 1);
}

static void
fake_stream_free (VidgenStream *stream)
{
  g_atomic_int_add (&fake.streams, -1);
  g_free (stream);
}

static void
fake_stream_restart (G_GNUC_UNUSED VidgenStream *stream)
{
}

/* The first pixel of a column of blocks. */
static guint
edge (guint column, guint width)
{
  return (column * width + COLUMNS - 1) / COLUMNS;
}

static void
draw (guint8 *picture, VidgenPictureFormat format, guint width, guint height,
    guint32 bits)
{
  VidgenPictureLayout layout;
  guint8 *luma;

  vidgen_picture_layout (format, width, height, &layout);
  memset (picture, 128, layout.size);
  luma = picture + layout.offset[0];
  const guint bytes = layout.row_bytes[0] / width;
  for (guint y = 0; y < height; y++) {
    for (guint column = 0; column < COLUMNS; column++) {
      const guint bit = y * ROWS / height * COLUMNS + column;
      const guint from = edge (column, width), to = edge (column + 1, width);
      memset (luma + y * layout.stride[0] + from * bytes,
          bits >> bit & 1 ? 235 : 16, (to - from) * bytes);
    }
  }
}

void
fake_colour (guint64 frame, double rgb[3])
{
  for (guint i = 0; i < 3; i++)
    rgb[i] = frame >> i & 1;
}

/* Codes of the colours, in the order of the format's bytes. */
static void
paint (guint8 *picture, VidgenPictureFormat format, guint width, guint height,
    guint64 frame)
{
  VidgenPictureLayout layout;
  double rgb[3];

  fake_colour (frame, rgb);
  vidgen_picture_layout (format, width, height, &layout);
  const double luma = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
  const guint8 yuv[3] = { lrint (16 + 219 * luma),
    lrint (128 + 112 * (rgb[2] - luma) / 0.9278),
    lrint (128 + 112 * (rgb[0] - luma) / 0.7874) };
  for (guint i = 0; i < layout.size; i++) {
    switch (format) {
    case VIDGEN_PICTURE_I420:
      picture[i] = yuv[(i >= layout.offset[1]) + (i >= layout.offset[2])];
      break;
    case VIDGEN_PICTURE_NV12:
      picture[i] = i < layout.offset[1] ? yuv[0] : yuv[1 + i % 2];
      break;
    case VIDGEN_PICTURE_RGBA:
      picture[i] = i % 4 == 3 ? 255 : 255 * rgb[i % 4];
      break;
    case VIDGEN_PICTURE_BGRX:
      picture[i] = i % 4 == 3 ? 255 : 255 * rgb[2 - i % 4];
      break;
    case VIDGEN_PICTURE_RGB:
      picture[i] = 255 * rgb[i % layout.stride[0] % 3];
      break;
    }
  }
}

static void
fill_pictures (const VidgenStream *stream, VidgenChunk *chunk, guint prompt)
{
  for (guint i = 0; i < chunk->frames; i++) {
    const FakeContent content = {
      .frame = chunk->first_frame + i,
      .prompt = prompt,
      .seed = stream->params.seed,
      .steps = stream->settings.steps,
      .guidance = stream->settings.guidance,
    };
    guint8 *picture =
        vidgen_chunk_pictures (chunk) + (gsize)i * chunk->layout.size;
    if (fake.flat)
      paint (picture, chunk->picture_format, chunk->width, chunk->height,
          content.frame);
    else
      draw (picture, chunk->picture_format, chunk->width, chunk->height,
          pack (&content));
  }
}

static void
fill_sound (VidgenChunk *chunk, guint prompt)
{
  float *sound = vidgen_chunk_sound (chunk);

  for (guint i = 0; i < chunk->samples; i++) {
    sound[2 * i] = fake_left (chunk->first_sample + i, prompt);
    sound[2 * i + 1] = fake_right (chunk->first_sample + i);
  }
}

static gboolean
wait_for_ration (GCancellable *cancellable, GError **error)
{
  while (g_atomic_int_get (&fake.ration) == 0) {
    if (!work_for (1000, cancellable, error))
      return FALSE;
  }
  if (g_atomic_int_get (&fake.ration) > 0)
    g_atomic_int_add (&fake.ration, -1);
  return TRUE;
}

static VidgenChunk *
fake_stream_next (VidgenStream *stream, const VidgenChunkRequest *request,
    GCancellable *cancellable, GError **error)
{
  const VidgenModelInfo *info = &stream->model->info;
  const VidgenFormat *format = &stream->params.format;
  const guint64 first = vidgen_model_chunk_start (info, stream->position);
  const guint frames = vidgen_model_chunk_frames (info, stream->position);
  const guint64 first_sample =
      vidgen_model_samples_before (info, format, first);
  const guint samples =
      vidgen_model_samples_before (info, format, first + frames) - first_sample;
  const gboolean sound = request->audio && info->has_audio;
  const guint prompt = lrint (code_of (stream->settings.conditioning));
  VidgenPictureLayout layout = { 0 };

  if (!wait_for_ration (cancellable, error) ||
      !work_for (g_atomic_int_get (&fake.chunk_us), cancellable, error))
    return NULL;
  if ((gint64)stream->position == g_atomic_int_get (&fake.fail_chunk)) {
    g_set_error (error, VIDGEN_ERROR, fake.fail_code, "A fault in a chunk.");
    return NULL;
  }
  if (request->video)
    vidgen_picture_layout (
        request->picture_format, format->width, format->height, &layout);
  VidgenChunk *chunk =
      vidgen_chunk_new ((gsize)layout.size * frames, sound ? samples : 0);
  chunk->index = stream->position;
  chunk->first_frame = first;
  chunk->frames = frames;
  chunk->width = format->width;
  chunk->height = format->height;
  chunk->has_video = request->video;
  chunk->picture_format = request->picture_format;
  chunk->layout = layout;
  chunk->first_sample = first_sample;
  chunk->samples = info->has_audio ? samples : 0;
  if (request->video && !fake.blank)
    fill_pictures (stream, chunk, prompt);
  if (sound)
    fill_sound (chunk, prompt);
  g_atomic_int_set (&fake.last_video, request->video);
  g_atomic_int_set (&fake.last_audio, request->audio);
  g_atomic_int_inc (&fake.chunks);
  return chunk;
}

static void
fake_stream_stats (
    G_GNUC_UNUSED const VidgenStream *stream, VidgenStreamStats *stats)
{
  stats->total_device_ns = 1000;
}

static const VidgenFamily family = {
  .name = "fake",
  .probe = fake_probe,
  .open = fake_open,
  .free = fake_free,
  .memory_needed = fake_memory_needed,
  .load = fake_load,
  .complete = fake_complete,
  .encode = fake_encode,
  .encoder_identity = fake_encoder_identity,
  .check_conditioning = fake_check_conditioning,
  .blend = fake_blend,
  .stream_new = fake_stream_new,
  .stream_free = fake_stream_free,
  .stream_restart = fake_stream_restart,
  .stream_next = fake_stream_next,
  .stream_stats = fake_stream_stats,
};

void
fake_leave_in_order (void)
{
  static gsize arranged = 0;

  if (!g_once_init_enter (&arranged))
    return;
  if (g_getenv ("VIDGEN_DEINIT"))
    atexit (gst_deinit);
  g_once_init_leave (&arranged, 1);
}

void
fake_reset (void)
{
  static gsize registered = 0;

  if (g_once_init_enter (&registered)) {
    vidgen_model_register_family (&family);
    fake_leave_in_order ();
    g_once_init_leave (&registered, 1);
  }
  fake = (FakeModel){
    .fps_n = 16,
    .fps_d = 1,
    .rate = 24000,
    .first_chunk_frames = 3,
    .chunk_frames = 4,
    .size_step = 16,
    .has_audio = TRUE,
    .ration = -1,
    .fail_chunk = -1,
    .fail_code = VIDGEN_ERROR_FAILED,
    .models = fake.models,
    .streams = fake.streams,
  };
}

void
fake_start (GstElement *pipeline, GstState state)
{
  g_atomic_int_set (&fake.ration, 0);
  gst_element_set_state (pipeline, state);
  g_atomic_int_set (&fake.ration, -1);
}
