/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenpadsrc.h"

GST_DEBUG_CATEGORY_EXTERN (gst_vidgen_debug);
#define GST_CAT_DEFAULT gst_vidgen_debug

typedef struct {
  VidgenModel *model;
  VidgenSession *session;
  char *comment;
  char *prompt; /* GRefString; the one that the last TAG event told */
  GstClockID clock_id;
  gboolean flushing;
} GstVidgenPadSrcPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (
    GstVidgenPadSrc, gst_vidgen_pad_src, GST_TYPE_PUSH_SRC)

static GstVidgenPadSrcPrivate *
get_private (GstVidgenPadSrc *src)
{
  return gst_vidgen_pad_src_get_instance_private (src);
}

static VidgenTrack
get_track (GstVidgenPadSrc *src)
{
  return GST_VIDGEN_PAD_SRC_GET_CLASS (src)->track;
}

void
gst_vidgen_pad_src_set_model (GstVidgenPadSrc *src, VidgenModel *model)
{
  GstVidgenPadSrcPrivate *priv = get_private (src);

  GST_OBJECT_LOCK (src);
  VidgenModel *old = priv->model;
  priv->model = model ? vidgen_model_ref (model) : NULL;
  GST_OBJECT_UNLOCK (src);
  if (old)
    vidgen_model_unref (old);
}

VidgenModel *
gst_vidgen_pad_src_ref_model (GstVidgenPadSrc *src)
{
  const GstVidgenPadSrcPrivate *priv = get_private (src);

  GST_OBJECT_LOCK (src);
  VidgenModel *model = priv->model ? vidgen_model_ref (priv->model) : NULL;
  GST_OBJECT_UNLOCK (src);
  return model;
}

void
gst_vidgen_pad_src_set_session (
    GstVidgenPadSrc *src, VidgenSession *session, const char *comment)
{
  GstVidgenPadSrcPrivate *priv = get_private (src);

  GST_OBJECT_LOCK (src);
  VidgenSession *old = priv->session;
  priv->session = session ? vidgen_session_ref (session) : NULL;
  g_free (priv->comment);
  priv->comment = g_strdup (comment);
  g_clear_pointer (&priv->prompt, g_ref_string_release);
  GST_OBJECT_UNLOCK (src);
  vidgen_session_unref (old);
}

VidgenSession *
gst_vidgen_pad_src_get_session (GstVidgenPadSrc *src)
{
  return get_private (src)->session;
}

static VidgenSession *
ref_session (GstVidgenPadSrc *src)
{
  const GstVidgenPadSrcPrivate *priv = get_private (src);

  GST_OBJECT_LOCK (src);
  VidgenSession *session =
      priv->session ? vidgen_session_ref (priv->session) : NULL;
  GST_OBJECT_UNLOCK (src);
  return session;
}

GstClockTime
gst_vidgen_running_time (GstElement *element)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);

  if (!clock)
    return 0;
  const GstClockTime now = gst_clock_get_time (clock);
  const GstClockTime base = gst_element_get_base_time (element);
  return now > base ? now - base : 0;
}

/* FALSE when it was interrupted. */
static gboolean
wait_until (GstVidgenPadSrc *src, GstClockTime running_time)
{
  GstVidgenPadSrcPrivate *priv = get_private (src);
  GstClockID id = NULL;

  GST_OBJECT_LOCK (src);
  GstClock *clock = GST_ELEMENT_CLOCK (src);
  if (clock && !priv->flushing) {
    id = gst_clock_new_single_shot_id (
        clock, GST_ELEMENT_CAST (src)->base_time + running_time);
    priv->clock_id = id;
  }
  gboolean ready = !priv->flushing;
  GST_OBJECT_UNLOCK (src);
  if (!id)
    return ready;

  gst_clock_id_wait (id, NULL);
  GST_OBJECT_LOCK (src);
  priv->clock_id = NULL;
  ready = !priv->flushing;
  GST_OBJECT_UNLOCK (src);
  gst_clock_id_unref (id);
  return ready;
}

static void
set_flushing (GstVidgenPadSrc *src, gboolean flushing)
{
  GstVidgenPadSrcPrivate *priv = get_private (src);

  GST_OBJECT_LOCK (src);
  priv->flushing = flushing;
  if (flushing && priv->clock_id)
    gst_clock_id_unschedule (priv->clock_id);
  VidgenSession *session =
      priv->session ? vidgen_session_ref (priv->session) : NULL;
  GST_OBJECT_UNLOCK (src);
  if (session)
    vidgen_session_set_flushing (session, get_track (src), flushing);
  vidgen_session_unref (session);
}

static gboolean
gst_vidgen_pad_src_unlock (GstBaseSrc *base)
{
  set_flushing (GST_VIDGEN_PAD_SRC (base), TRUE);
  return TRUE;
}

static gboolean
gst_vidgen_pad_src_unlock_stop (GstBaseSrc *base)
{
  set_flushing (GST_VIDGEN_PAD_SRC (base), FALSE);
  return TRUE;
}

static void
gst_vidgen_pad_src_get_times (G_GNUC_UNUSED GstBaseSrc *base,
    G_GNUC_UNUSED GstBuffer *buffer, GstClockTime *start, GstClockTime *end)
{
  *start = *end = GST_CLOCK_TIME_NONE;
}

static gboolean
gst_vidgen_pad_src_is_seekable (GstBaseSrc *base)
{
  g_autoptr (VidgenSession) session = ref_session (GST_VIDGEN_PAD_SRC (base));

  return session && vidgen_session_is_seekable (session);
}

static gboolean
gst_vidgen_pad_src_do_seek (GstBaseSrc *base, GstSegment *segment)
{
  GstVidgenPadSrc *src = GST_VIDGEN_PAD_SRC (base);
  GstVidgenPadSrcClass *klass = GST_VIDGEN_PAD_SRC_GET_CLASS (src);
  g_autoptr (VidgenSession) session = ref_session (src);

  if (!session || segment->rate <= 0)
    return FALSE;

  const VidgenTimeline *timeline = vidgen_session_timeline (session);
  const GstClockTime start = segment->start;
  const GstClockTime stop = segment->stop;
  const guint64 frame = vidgen_timeline_frame_at (timeline, start);
  guint64 stop_frame = VIDGEN_ENDLESS;
  if (GST_CLOCK_TIME_IS_VALID (stop) && stop > 0)
    stop_frame = vidgen_timeline_frame_at (timeline, stop - 1) + 1;

  segment->time = start;
  segment->duration = vidgen_timeline_end_ns (timeline);
  if (klass->restarted)
    klass->restarted (src, timeline, start, stop);
  vidgen_session_seek (
      session, klass->track, MIN (frame, timeline->frames), stop_frame);
  return TRUE;
}

gboolean
gst_vidgen_pad_src_send_event (GstVidgenPadSrc *src, GstEvent *event)
{
  return GST_ELEMENT_GET_CLASS (src)->send_event (GST_ELEMENT (src), event);
}

static GstFlowReturn
flow_of (VidgenTake take)
{
  switch (take) {
  case VIDGEN_TAKE_OK:
  case VIDGEN_TAKE_SKIPPED:
    return GST_FLOW_OK;
  case VIDGEN_TAKE_END:
    return GST_FLOW_EOS;
  case VIDGEN_TAKE_FLUSHING:
    return GST_FLOW_FLUSHING;
  case VIDGEN_TAKE_UNLINKED:
    return GST_FLOW_NOT_LINKED;
  case VIDGEN_TAKE_FAILED:
    break;
  }
  return GST_FLOW_ERROR;
}

static void
send_tags (GstVidgenPadSrc *src, char *prompt)
{
  GstVidgenPadSrcPrivate *priv = get_private (src);

  if (!prompt || g_strcmp0 (priv->prompt, prompt) == 0)
    return;
  GstTagList *tags = gst_tag_list_new (GST_TAG_ENCODER,
      "vidgensrc " VIDGEN_VERSION, GST_TAG_COMMENT, priv->comment, NULL);
  if (*prompt)
    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, GST_TAG_TITLE, prompt, NULL);
  gst_tag_list_set_scope (tags, GST_TAG_SCOPE_GLOBAL);
  gst_vidgen_pad_src_send_event (src, gst_event_new_tag (tags));
  g_clear_pointer (&priv->prompt, g_ref_string_release);
  priv->prompt = g_ref_string_acquire (prompt);
}

/* Live: until the time of the slot that comes next, or a little behind it. */
static VidgenTake
await_slot (GstVidgenPadSrc *src, VidgenSession *session, GstClockTime *late)
{
  const VidgenTimeline *timeline = vidgen_session_timeline (session);
  GstElement *element = GST_ELEMENT (src);
  guint64 slot;
  const VidgenTake state =
      vidgen_session_await (session, get_track (src), &slot);

  if (state != VIDGEN_TAKE_OK)
    return state;
  const GstClockTime origin =
      vidgen_session_begin (session, gst_vidgen_running_time (element));
  const GstClockTime due = origin + vidgen_timeline_frame_ns (timeline, slot);
  if (!wait_until (src, due))
    return VIDGEN_TAKE_FLUSHING;
  const GstClockTime now = gst_vidgen_running_time (element);
  *late = now > due ? now - due : 0;
  return VIDGEN_TAKE_OK;
}

GstFlowReturn
gst_vidgen_pad_src_take (GstVidgenPadSrc *src, VidgenSlot *slot)
{
  VidgenSession *session = gst_vidgen_pad_src_get_session (src);
  GstClockTime late = 0;
  VidgenTake state;

  memset (slot, 0, sizeof *slot);
  do {
    state = VIDGEN_TAKE_OK;
    if (vidgen_session_is_live (session))
      state = await_slot (src, session, &late);
    if (state == VIDGEN_TAKE_OK)
      state = vidgen_session_take (session, get_track (src), late, slot);
  } while (state == VIDGEN_TAKE_SKIPPED);

  if (state == VIDGEN_TAKE_OK)
    send_tags (src, slot->prompt);
  else
    GST_DEBUG_OBJECT (
        src, "took nothing: %s", gst_flow_get_name (flow_of (state)));
  return flow_of (state);
}

static gboolean
answer_latency (VidgenSession *session, GstQuery *query)
{
  const gboolean live = vidgen_session_is_live (session);

  /* Nothing is lost when downstream holds buffers back. */
  gst_query_set_latency (query, live,
      live ? vidgen_session_latency (session) : 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

/* Nothing is known of bytes that are not made yet, so no other formats. */
static void
set_buffered_range (GstVidgenPadSrcClass *klass, const VidgenTimeline *timeline,
    const VidgenSessionBuffer *buffer, GstQuery *query)
{
  const GstClockTime from = vidgen_timeline_frame_ns (timeline, buffer->from);
  const GstClockTime to = vidgen_timeline_frame_ns (timeline, buffer->to);
  gint64 start = -1, stop = -1;
  GstFormat format;

  gst_query_parse_buffering_range (query, &format, NULL, NULL, NULL);
  if (format == GST_FORMAT_TIME) {
    start = from;
    stop = to;
  } else if (format == GST_FORMAT_DEFAULT) {
    start = klass->unit_at (timeline, from);
    stop = klass->unit_at (timeline, to);
  } else if (format == GST_FORMAT_PERCENT && timeline->frames > 0 &&
             timeline->frames != VIDGEN_ENDLESS) {
    start = gst_util_uint64_scale (
        buffer->from, GST_FORMAT_PERCENT_MAX, timeline->frames);
    stop = gst_util_uint64_scale (MIN (buffer->to, timeline->frames),
        GST_FORMAT_PERCENT_MAX, timeline->frames);
  }
  gst_query_set_buffering_range (query, format, start, stop, buffer->left_ms);
}

static gboolean
answer_buffering (
    GstVidgenPadSrcClass *klass, VidgenSession *session, GstQuery *query)
{
  VidgenSessionBuffer buffer;

  if (!vidgen_session_buffer (session, &buffer))
    return FALSE;
  gst_query_set_buffering_percent (query, buffer.busy, buffer.percent);
  gst_query_set_buffering_stats (query, GST_BUFFERING_STREAM,
      buffer.in_bytes_per_s, buffer.out_bytes_per_s, buffer.left_ms);
  set_buffered_range (klass, vidgen_session_timeline (session), &buffer, query);
  return TRUE;
}

static gboolean
answer_duration (GstVidgenPadSrcClass *klass, const VidgenTimeline *timeline,
    GstQuery *query)
{
  const GstClockTime end = vidgen_timeline_end_ns (timeline);
  GstFormat format;

  gst_query_parse_duration (query, &format, NULL);
  if (timeline->frames == VIDGEN_ENDLESS)
    return FALSE;
  if (format == GST_FORMAT_TIME)
    gst_query_set_duration (query, format, end);
  else if (format == GST_FORMAT_DEFAULT)
    gst_query_set_duration (query, format,
        klass->track == VIDGEN_TRACK_VIDEO
            ? timeline->frames
            : vidgen_timeline_content_before (timeline, timeline->frames));
  else
    return FALSE;
  return TRUE;
}

static gboolean
answer_seeking (
    GstVidgenPadSrcClass *klass, VidgenSession *session, GstQuery *query)
{
  const VidgenTimeline *timeline = vidgen_session_timeline (session);
  const gboolean seekable = vidgen_session_is_seekable (session);
  gint64 end = -1;
  GstFormat format;

  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  if (format != GST_FORMAT_TIME && format != GST_FORMAT_DEFAULT) {
    gst_query_set_seeking (query, format, FALSE, 0, -1);
    return TRUE;
  }
  if (seekable && format == GST_FORMAT_TIME)
    end = vidgen_timeline_end_ns (timeline);
  else if (seekable)
    end = klass->track == VIDGEN_TRACK_VIDEO
              ? timeline->frames
              : vidgen_timeline_content_before (timeline, timeline->frames);
  gst_query_set_seeking (query, format, seekable, 0, end);
  return TRUE;
}

static gboolean
convert (GstVidgenPadSrcClass *klass, const VidgenTimeline *timeline,
    GstFormat from, gint64 value, GstFormat to, gint64 *converted)
{
  if (from == to || value < 0)
    *converted = value;
  else if (from == GST_FORMAT_DEFAULT && to == GST_FORMAT_TIME)
    *converted = klass->unit_time (timeline, value);
  else if (from == GST_FORMAT_TIME && to == GST_FORMAT_DEFAULT)
    *converted = klass->unit_at (timeline, value);
  else
    return FALSE;
  return TRUE;
}

static gboolean
answer_convert (GstVidgenPadSrcClass *klass, const VidgenTimeline *timeline,
    GstQuery *query)
{
  GstFormat from, to;
  gint64 value, converted;

  gst_query_parse_convert (query, &from, &value, &to, NULL);
  if (!convert (klass, timeline, from, value, to, &converted))
    return FALSE;
  gst_query_set_convert (query, from, value, to, converted);
  return TRUE;
}

static gboolean
answer_position (GstVidgenPadSrc *src, GstVidgenPadSrcClass *klass,
    const VidgenTimeline *timeline, GstQuery *query)
{
  GstBaseSrc *base = GST_BASE_SRC (src);
  GstFormat format;
  gint64 position;

  gst_query_parse_position (query, &format, NULL);
  GST_OBJECT_LOCK (src);
  const guint64 time = gst_segment_to_stream_time (
      &base->segment, GST_FORMAT_TIME, base->segment.position);
  GST_OBJECT_UNLOCK (src);
  if (!convert (klass, timeline, GST_FORMAT_TIME, time, format, &position))
    return FALSE;
  gst_query_set_position (query, format, position);
  return TRUE;
}

static gboolean
gst_vidgen_pad_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstVidgenPadSrc *src = GST_VIDGEN_PAD_SRC (base);
  GstVidgenPadSrcClass *klass = GST_VIDGEN_PAD_SRC_GET_CLASS (src);
  g_autoptr (VidgenSession) session = ref_session (src);

  if (session) {
    const VidgenTimeline *timeline = vidgen_session_timeline (session);
    switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_LATENCY:
      return answer_latency (session, query);
    case GST_QUERY_DURATION:
      return answer_duration (klass, timeline, query);
    case GST_QUERY_SEEKING:
      return answer_seeking (klass, session, query);
    case GST_QUERY_BUFFERING:
      if (answer_buffering (klass, session, query))
        return TRUE;
      break;
    case GST_QUERY_CONVERT:
      return answer_convert (klass, timeline, query);
    case GST_QUERY_POSITION:
      return answer_position (src, klass, timeline, query);
    default:
      break;
    }
  }
  return GST_BASE_SRC_CLASS (gst_vidgen_pad_src_parent_class)
      ->query (base, query);
}

/* The base class reports caps that are empty, but goes on without any. */
static gboolean
gst_vidgen_pad_src_negotiate (GstBaseSrc *base)
{
  g_autoptr (GstCaps) caps = gst_pad_query_caps (GST_BASE_SRC_PAD (base), NULL);

  return !gst_caps_is_empty (caps) &&
         GST_BASE_SRC_CLASS (gst_vidgen_pad_src_parent_class)->negotiate (base);
}

static gboolean
gst_vidgen_pad_src_start (GstBaseSrc *base)
{
  GstVidgenPadSrcPrivate *priv = get_private (GST_VIDGEN_PAD_SRC (base));

  GST_OBJECT_LOCK (base);
  priv->flushing = FALSE;
  const gboolean ready = priv->session != NULL;
  GST_OBJECT_UNLOCK (base);
  return ready;
}

static void
gst_vidgen_pad_src_finalize (GObject *object)
{
  GstVidgenPadSrc *src = GST_VIDGEN_PAD_SRC (object);

  gst_vidgen_pad_src_set_session (src, NULL, NULL);
  gst_vidgen_pad_src_set_model (src, NULL);
  G_OBJECT_CLASS (gst_vidgen_pad_src_parent_class)->finalize (object);
}

static void
gst_vidgen_pad_src_class_init (GstVidgenPadSrcClass *klass)
{
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_vidgen_pad_src_finalize;
  base_class->negotiate = gst_vidgen_pad_src_negotiate;
  base_class->start = gst_vidgen_pad_src_start;
  base_class->unlock = gst_vidgen_pad_src_unlock;
  base_class->unlock_stop = gst_vidgen_pad_src_unlock_stop;
  base_class->get_times = gst_vidgen_pad_src_get_times;
  base_class->is_seekable = gst_vidgen_pad_src_is_seekable;
  base_class->do_seek = gst_vidgen_pad_src_do_seek;
  base_class->query = gst_vidgen_pad_src_query;
}

static void
gst_vidgen_pad_src_init (GstVidgenPadSrc *src)
{
  gst_base_src_set_format (GST_BASE_SRC (src), GST_FORMAT_TIME);
}
