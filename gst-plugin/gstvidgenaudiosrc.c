/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenaudiosrc.h"

#include <math.h>

#include "gst-plugin/gstvidgencaps.h"

/* How long sound fades before and behind fillers. */
#define FADE_HZ 50

struct _GstVidgenAudioSrc {
  GstVidgenPadSrc parent;

  GstAudioInfo info;
  guint64 next_sample;               /* of the output */
  guint64 start_sample, stop_sample; /* the part that was sought */
};

G_DEFINE_TYPE (GstVidgenAudioSrc, gst_vidgen_audio_src, GST_TYPE_VIDGEN_PAD_SRC)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDGEN_AUDIO_CAPS));

static GstCaps *
gst_vidgen_audio_src_get_caps (GstBaseSrc *base, GstCaps *filter)
{
  g_autoptr (VidgenModel) model =
      gst_vidgen_pad_src_ref_model (GST_VIDGEN_PAD_SRC (base));

  return gst_vidgen_caps_restrict (
      model ? gst_vidgen_caps_audio (vidgen_model_info (model))
            : gst_static_pad_template_get_caps (&src_template),
      filter);
}

static GstCaps *
gst_vidgen_audio_src_fixate (G_GNUC_UNUSED GstBaseSrc *base, GstCaps *caps)
{
  return gst_vidgen_caps_fixate_audio (caps);
}

static gboolean
gst_vidgen_audio_src_set_caps (GstBaseSrc *base, GstCaps *caps)
{
  return gst_audio_info_from_caps (&GST_VIDGEN_AUDIO_SRC (base)->info, caps);
}

/* Buffers differ in length, so pools of one size are of no use. */
static gboolean
gst_vidgen_audio_src_decide_allocation (GstBaseSrc *base, GstQuery *query)
{
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
  return GST_BASE_SRC_CLASS (gst_vidgen_audio_src_parent_class)
      ->decide_allocation (base, query);
}

static void
gst_vidgen_audio_src_restarted (GstVidgenPadSrc *pad_src,
    const VidgenTimeline *timeline, GstClockTime start, GstClockTime stop)
{
  GstVidgenAudioSrc *src = GST_VIDGEN_AUDIO_SRC (pad_src);

  src->start_sample = vidgen_timeline_sample_at (timeline, start);
  src->stop_sample = GST_CLOCK_TIME_IS_VALID (stop)
                         ? vidgen_timeline_sample_at (timeline, stop)
                         : G_MAXUINT64;
}

/* A span of output samples that one buffer carries. */
typedef struct {
  guint64 first;
  guint skip, samples; /* skip: of the slot's samples, left out */
} Span;

static Span
span_of (GstVidgenAudioSrc *src, const VidgenTimeline *timeline,
    const VidgenSlot *slot)
{
  guint64 start = src->next_sample;

  if (slot->discont && !slot->resumes)
    start = vidgen_timeline_samples_before (timeline, slot->slot);
  /* Fillers bring the count back to where the frames are. */
  const guint64 filler_end =
      vidgen_timeline_samples_before (timeline, slot->slot + 1);
  const guint64 end =
      slot->filler ? MAX (filler_end, start) : start + slot->samples;
  const guint64 first = CLAMP (src->start_sample, start, end);
  const guint64 last = CLAMP (src->stop_sample, first, end);

  src->next_sample = end;
  return (Span){ first, first - start, last - first };
}

static guint
fade_length (const GstVidgenAudioSrc *src, guint samples)
{
  return MIN ((guint)GST_AUDIO_INFO_RATE (&src->info) / FADE_HZ, samples);
}

static float
fade (guint i, guint length)
{
  return i < length ? 0.5f - 0.5f * cosf (G_PI * (i + 0.5f) / length) : 1;
}

typedef struct {
  float left, right;
} Sample;

static Sample
sound_at (const VidgenChunk *chunk, guint i)
{
  if (!chunk->sound || chunk->samples == 0)
    return (Sample){ 0, 0 };
  const float *sample = chunk->sound + 2 * MIN (i, chunk->samples - 1);
  return (Sample){ sample[0], sample[1] };
}

static Sample
scaled (Sample sample, float gain)
{
  return (Sample){ sample.left * gain, sample.right * gain };
}

/* Behind the last content its mirror image fades out, which has no step. */
static Sample
filler_at (const VidgenSlot *slot, guint i, guint length)
{
  const guint end = slot->first_sample + slot->samples;

  if (slot->filler_index > 0 || i >= length || i >= end)
    return (Sample){ 0, 0 };
  return scaled (sound_at (slot->chunk, end - 1 - i), 1 - fade (i, length));
}

static Sample
content_at (const VidgenSlot *slot, guint i, guint length)
{
  const Sample sample = sound_at (slot->chunk, slot->first_sample + i);

  return slot->resumes ? scaled (sample, fade (i, length)) : sample;
}

static void
write_value (const GstAudioInfo *info, guint8 *to, float value)
{
  if (GST_AUDIO_INFO_FORMAT (info) == GST_AUDIO_FORMAT_F32LE)
    GST_WRITE_FLOAT_LE (to, value);
  else
    GST_WRITE_UINT16_LE (
        to, (guint16)lrintf (CLAMP (value, -1.0f, 1.0f) * 32767));
}

static void
write_sample (const GstAudioInfo *info, guint8 *to, Sample sample)
{
  if (GST_AUDIO_INFO_CHANNELS (info) == 1) {
    write_value (info, to, 0.5f * (sample.left + sample.right));
    return;
  }
  write_value (info, to, sample.left);
  write_value (info, to + GST_AUDIO_INFO_BPS (info), sample.right);
}

static gboolean
write_sound (const GstVidgenAudioSrc *src, GstBuffer *buffer,
    const VidgenSlot *slot, const Span *span)
{
  const guint length = fade_length (src, slot->samples);
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    return FALSE;
  for (guint i = 0; i < span->samples; i++) {
    const guint at = span->skip + i;
    write_sample (&src->info, map.data + i * GST_AUDIO_INFO_BPF (&src->info),
        slot->filler ? filler_at (slot, at, length)
                     : content_at (slot, at, length));
  }
  gst_buffer_unmap (buffer, &map);
  return TRUE;
}

static void
stamp (GstBuffer *buffer, VidgenSession *session, const VidgenSlot *slot,
    const Span *span)
{
  const VidgenTimeline *timeline = vidgen_session_timeline (session);
  const GstClockTime start = vidgen_timeline_sample_ns (timeline, span->first);
  const guint64 end = span->first + span->samples;

  GST_BUFFER_PTS (buffer) = vidgen_session_origin (session) + start;
  GST_BUFFER_DURATION (buffer) =
      vidgen_timeline_sample_ns (timeline, end) - start;
  GST_BUFFER_OFFSET (buffer) = span->first;
  GST_BUFFER_OFFSET_END (buffer) = end;
  if (slot->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  /* Fillers are no gap: audioresample leaves gaps out and is milliseconds off
   * after each. */
  if (!slot->chunk->sound)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
}

static GstBuffer *
allocate (GstBaseSrc *base, gsize size)
{
  GstAllocator *allocator;
  GstAllocationParams params;

  gst_base_src_get_allocator (base, &allocator, &params);
  GstBuffer *buffer = gst_buffer_new_allocate (allocator, size, &params);
  gst_clear_object (&allocator);
  return buffer;
}

static GstFlowReturn
gst_vidgen_audio_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  GstBaseSrc *base = GST_BASE_SRC (push);
  GstVidgenPadSrc *pad_src = GST_VIDGEN_PAD_SRC (push);
  GstVidgenAudioSrc *src = GST_VIDGEN_AUDIO_SRC (push);
  VidgenSession *session = gst_vidgen_pad_src_get_session (pad_src);
  g_auto (VidgenSlot) slot = { 0 };
  Span span;

  do {
    vidgen_slot_clear (&slot);
    const GstFlowReturn result = gst_vidgen_pad_src_take (pad_src, &slot);
    if (result != GST_FLOW_OK)
      return result;
    span = span_of (src, vidgen_session_timeline (session), &slot);
  } while (span.samples == 0 && span.first < src->stop_sample);
  if (span.samples == 0)
    return GST_FLOW_EOS;

  if (gst_pad_needs_reconfigure (GST_BASE_SRC_PAD (base)) &&
      !gst_base_src_negotiate (base))
    return GST_FLOW_NOT_NEGOTIATED;
  *buffer =
      allocate (base, (gsize)span.samples * GST_AUDIO_INFO_BPF (&src->info));
  if (!*buffer || !write_sound (src, *buffer, &slot, &span)) {
    GST_ELEMENT_ERROR (src, RESOURCE, NO_SPACE_LEFT, (NULL),
        ("No buffer for %u samples.", span.samples));
    gst_clear_buffer (buffer);
    return GST_FLOW_ERROR;
  }
  stamp (*buffer, session, &slot, &span);
  return GST_FLOW_OK;
}

static void
gst_vidgen_audio_src_class_init (GstVidgenAudioSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);
  GstVidgenPadSrcClass *pad_class = GST_VIDGEN_PAD_SRC_CLASS (klass);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Generated audio",
      "Source/Audio", "The sound of vidgensrc", "The vidgensrc authors");
  base_class->get_caps = gst_vidgen_audio_src_get_caps;
  base_class->fixate = gst_vidgen_audio_src_fixate;
  base_class->set_caps = gst_vidgen_audio_src_set_caps;
  base_class->decide_allocation = gst_vidgen_audio_src_decide_allocation;
  GST_PUSH_SRC_CLASS (klass)->create = gst_vidgen_audio_src_create;
  pad_class->track = VIDGEN_TRACK_AUDIO;
  pad_class->restarted = gst_vidgen_audio_src_restarted;
  pad_class->unit_at = vidgen_timeline_sample_at;
  pad_class->unit_time = vidgen_timeline_sample_ns;
}

static void
gst_vidgen_audio_src_init (GstVidgenAudioSrc *src)
{
  gst_audio_info_init (&src->info);
}
