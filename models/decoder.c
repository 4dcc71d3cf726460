/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/decoder-private.h"

#include "shaders/runtime/error.h"

G_STATIC_ASSERT (VIDGEN_DECODER_PHASES == 2 * (VIDGEN_DECODER_SETTLED + 2));

static const VidgenDecoderKind *const kinds[] = {
  &vidgen_taehv_kind,
  &vidgen_wan_vae_kind,
};

const float vidgen_wan_latent_mean[VIDGEN_DECODER_CHANNELS] = { -0.7571f,
  -0.7089f, -0.9113f, 0.1075f, -0.1745f, 0.9653f, -0.1517f, 1.5508f, 0.4134f,
  -0.0715f, 0.5517f, -0.3632f, -0.1922f, -0.9497f, 0.2503f, -0.2921f };
const float vidgen_wan_latent_std[VIDGEN_DECODER_CHANNELS] = { 2.8184f, 1.4541f,
  2.3275f, 2.6558f, 1.2196f, 1.7708f, 2.6052f, 2.0743f, 3.2687f, 2.1526f,
  2.8652f, 1.5579f, 1.6382f, 1.1253f, 2.8251f, 1.9160f };

static const VidgenDecoderKind *
find_kind (const VidgenCheckpoint *checkpoint)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i]->probe (checkpoint))
      return kinds[i];
  return NULL;
}

gboolean
vidgen_decoder_probe (const VidgenCheckpoint *checkpoint)
{
  return find_kind (checkpoint) != NULL;
}

VidgenDecoder *
vidgen_decoder_open (VidgenCheckpoint *checkpoint, GError **error)
{
  const VidgenDecoderKind *kind = find_kind (checkpoint);
  g_autoptr (VidgenDecoder) decoder = NULL;

  if (!kind) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "%s is no decoder: it has neither decoder.3.conv.0.weight (TAEHV) nor "
        "decoder.conv1.weight or decoder.conv_in.weight (Wan VAE).",
        vidgen_checkpoint_name (checkpoint));
    return NULL;
  }
  decoder = kind->create ();
  decoder->kind = kind;
  decoder->checkpoint = vidgen_checkpoint_ref (checkpoint);
  decoder->upload = vidgen_upload_new ();
  decoder->convolutions = vidgen_convolutions_new (checkpoint, decoder->upload);
  decoder->memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  decoder->max_float_bytes = VIDGEN_DECODER_MAX_FLOAT_BYTES;
  decoder->max_half_bytes = VIDGEN_DECODER_MAX_HALF_BYTES;
  decoder->strip_bytes = VIDGEN_DECODER_STRIP_BYTES;
  if (!kind->list (decoder, error))
    return NULL;
  return g_steal_pointer (&decoder);
}

void
vidgen_decoder_free (VidgenDecoder *decoder)
{
  if (!decoder)
    return;
  vidgen_convolutions_free (decoder->convolutions);
  vidgen_upload_free (decoder->upload);
  g_ptr_array_unref (decoder->memories);
  g_clear_pointer (&decoder->device, vidgen_device_unref);
  vidgen_checkpoint_unref (decoder->checkpoint);
  decoder->kind->free (decoder);
}

const char *
vidgen_decoder_kind (const VidgenDecoder *decoder)
{
  return decoder->kind->name;
}

guint
vidgen_decoder_reach (const VidgenDecoder *decoder)
{
  return decoder->kind->reach;
}

guint64
vidgen_decoder_bytes (const VidgenDecoder *decoder)
{
  return vidgen_upload_bytes (decoder->upload);
}

static VidgenDecoderStream *
create_stream (const VidgenDecoder *decoder, guint columns, guint rows)
{
  VidgenDecoderStream *stream =
      decoder->kind->stream_create (decoder, columns, rows);

  stream->from_start = TRUE;
  return stream;
}

guint64
vidgen_decoder_planned_bytes (const VidgenDecoderStream *stream)
{
  return vidgen_pool_bytes (stream->pool) +
         (stream->plan ? vidgen_plan_bytes (stream->plan) : 0);
}

void
vidgen_decoder_drop_plan (VidgenDecoderStream *stream)
{
  g_clear_pointer (&stream->pool, vidgen_pool_free);
  g_clear_pointer (&stream->plan, vidgen_plan_free);
}

guint64
vidgen_decoder_stream_bytes (
    const VidgenDecoder *decoder, guint columns, guint rows)
{
  g_autoptr (VidgenDecoderStream) stream =
      create_stream (decoder, columns, rows);

  return vidgen_decoder_planned_bytes (stream);
}

gboolean
vidgen_decoder_load (VidgenDecoder *decoder, VidgenDevice *device,
    VidgenUploadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  if (decoder->device)
    return TRUE;
  if (!vidgen_upload_run (decoder->upload, device, decoder->memories, progress,
          user_data, cancellable, error) ||
      !vidgen_convolutions_check (decoder->convolutions, error)) {
    g_ptr_array_set_size (decoder->memories, 0);
    return FALSE;
  }
  decoder->device = vidgen_device_ref (device);
  return TRUE;
}

VidgenDecoderStream *
vidgen_decoder_stream_new (
    VidgenDecoder *decoder, guint columns, guint rows, GError **error)
{
  g_autoptr (VidgenDecoderStream) stream =
      create_stream (decoder, columns, rows);

  if (!vidgen_pool_allocate (stream->pool, decoder->device, error))
    return NULL;
  if (stream->plan &&
      !vidgen_plan_allocate (stream->plan, decoder->device, error))
    return NULL;
  return g_steal_pointer (&stream);
}

void
vidgen_decoder_stream_free (VidgenDecoderStream *stream)
{
  if (!stream)
    return;
  vidgen_decoder_drop_plan (stream);
  stream->decoder->kind->stream_free (stream);
}

void
vidgen_decoder_stream_reset (VidgenDecoderStream *stream, gboolean at_start)
{
  stream->from_start = at_start;
  stream->n_latents = 0;
  stream->decoder->kind->stream_place (stream);
}

guint
vidgen_decoder_stream_record (VidgenDecoderStream *stream,
    VidgenRecorder *recorder, VidgenSpan latent, VidgenSpan *rgb)
{
  const gboolean is_first = stream->from_start && stream->n_latents == 0;
  const guint pictures = is_first ? VIDGEN_DECODER_FIRST : VIDGEN_DECODER_STEPS;

  *rgb = stream->decoder->kind->stream_record (
      stream, recorder, latent, VIDGEN_DECODER_STEPS - pictures);
  vidgen_decoder_stream_skip (stream);
  return pictures;
}

guint
vidgen_decoder_stream_phase (const VidgenDecoderStream *stream)
{
  return 2 * stream->n_latents + !!stream->from_start;
}

void
vidgen_decoder_stream_skip (VidgenDecoderStream *stream)
{
  if (++stream->n_latents == VIDGEN_DECODER_SETTLED + 2)
    stream->n_latents = VIDGEN_DECODER_SETTLED;
  stream->decoder->kind->stream_place (stream);
}
