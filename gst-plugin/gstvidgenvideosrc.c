/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenvideosrc.h"

#include "gst-plugin/gstvidgencaps.h"

GST_DEBUG_CATEGORY_EXTERN (gst_vidgen_debug);
#define GST_CAT_DEFAULT gst_vidgen_debug

struct _GstVidgenVideoSrc {
  GstVidgenPadSrc parent;

  GstCaps *filter; /* guarded by the object lock */
  GstVideoInfo info;
  GstVideoConverter *converter; /* from `queued` to `info` */
  GstVideoInfo queued;
};

G_DEFINE_TYPE (GstVidgenVideoSrc, gst_vidgen_video_src, GST_TYPE_VIDGEN_PAD_SRC)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDGEN_VIDEO_CAPS));

void
gst_vidgen_video_src_set_filter (GstVidgenVideoSrc *src, GstCaps *filter)
{
  GST_OBJECT_LOCK (src);
  gst_caps_replace (&src->filter, filter);
  GST_OBJECT_UNLOCK (src);
}

static GstCaps *
gst_vidgen_video_src_get_caps (GstBaseSrc *base, GstCaps *filter)
{
  GstVidgenVideoSrc *src = GST_VIDGEN_VIDEO_SRC (base);
  g_autoptr (VidgenModel) model =
      gst_vidgen_pad_src_ref_model (GST_VIDGEN_PAD_SRC (base));
  GstCaps *caps = model ? gst_vidgen_caps_video (vidgen_model_info (model))
                        : gst_static_pad_template_get_caps (&src_template);

  GST_OBJECT_LOCK (src);
  g_autoptr (GstCaps) own = src->filter ? gst_caps_ref (src->filter) : NULL;
  GST_OBJECT_UNLOCK (src);
  return gst_vidgen_caps_restrict (
      gst_vidgen_caps_restrict (caps, own), filter);
}

static GstCaps *
gst_vidgen_video_src_fixate (GstBaseSrc *base, GstCaps *caps)
{
  g_autoptr (VidgenModel) model =
      gst_vidgen_pad_src_ref_model (GST_VIDGEN_PAD_SRC (base));

  return gst_vidgen_caps_fixate_video (vidgen_model_info (model), caps);
}

static gboolean
gst_vidgen_video_src_set_caps (GstBaseSrc *base, GstCaps *caps)
{
  GstVidgenVideoSrc *src = GST_VIDGEN_VIDEO_SRC (base);
  VidgenSession *session =
      gst_vidgen_pad_src_get_session (GST_VIDGEN_PAD_SRC (base));

  if (!gst_video_info_from_caps (&src->info, caps))
    return FALSE;
  g_clear_pointer (&src->converter, gst_video_converter_free);
  vidgen_session_set_format (session, src->info.width, src->info.height,
      gst_vidgen_picture_format (GST_VIDEO_INFO_FORMAT (&src->info)));
  return TRUE;
}

static gboolean
gst_vidgen_video_src_decide_allocation (GstBaseSrc *base, GstQuery *query)
{
  GstVidgenVideoSrc *src = GST_VIDGEN_VIDEO_SRC (base);
  const gboolean offered = gst_query_get_n_allocation_pools (query) > 0;
  GstBufferPool *pool = NULL;
  guint size = src->info.size, min = 0, max = 0;
  GstCaps *caps;

  if (offered) {
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
    size = MAX (size, src->info.size);
  }
  if (!pool)
    pool = gst_video_buffer_pool_new ();

  gst_query_parse_allocation (query, &caps, NULL);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option (
        config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config (pool, config);

  if (offered)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min, max);
  else
    gst_query_add_allocation_pool (query, pool, size, min, max);
  gst_object_unref (pool);
  return GST_BASE_SRC_CLASS (gst_vidgen_video_src_parent_class)
      ->decide_allocation (base, query);
}

static void
copy_picture (GstVideoFrame *frame, const VidgenPictureLayout *layout,
    const guint8 *picture)
{
  for (guint plane = 0; plane < layout->n_planes; plane++) {
    const guint8 *from = picture + layout->offset[plane];
    guint8 *to = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);
    const gsize stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);

    for (guint row = 0; row < layout->rows[plane]; row++)
      memcpy (to + row * stride, from + (gsize)row * layout->stride[plane],
          layout->row_bytes[plane]);
  }
}

/* The format of pictures that were made before the last negotiation. */
static gboolean
prepare_converter (GstVidgenVideoSrc *src, const VidgenChunk *chunk)
{
  const GstVideoFormat format = gst_vidgen_video_format (chunk->picture_format);

  if (src->converter && GST_VIDEO_INFO_FORMAT (&src->queued) == format &&
      (guint)src->queued.width == chunk->width &&
      (guint)src->queued.height == chunk->height)
    return TRUE;
  g_clear_pointer (&src->converter, gst_video_converter_free);
  gst_video_info_set_format (&src->queued, format, chunk->width, chunk->height);
  gst_video_colorimetry_from_string (&src->queued.colorimetry,
      GST_VIDEO_INFO_IS_YUV (&src->queued) ? GST_VIDEO_COLORIMETRY_BT709
                                           : GST_VIDEO_COLORIMETRY_SRGB);
  if (GST_VIDEO_INFO_IS_YUV (&src->queued))
    src->queued.chroma_site = GST_VIDEO_CHROMA_SITE_MPEG2;
  src->queued.fps_n = src->info.fps_n;
  src->queued.fps_d = src->info.fps_d;
  src->converter = gst_video_converter_new (&src->queued, &src->info, NULL);
  return src->converter != NULL;
}

static GstBuffer *
wrap_picture (const GstVideoInfo *info, const VidgenPictureLayout *layout,
    const guint8 *picture)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 0 };
  GstBuffer *buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
      (gpointer)picture, layout->size, 0, layout->size, NULL, NULL);

  for (guint plane = 0; plane < layout->n_planes; plane++) {
    offset[plane] = layout->offset[plane];
    stride[plane] = layout->stride[plane];
  }
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), info->width, info->height, layout->n_planes,
      offset, stride);
  return buffer;
}

static gboolean
convert_picture (GstVidgenVideoSrc *src, GstVideoFrame *frame,
    const VidgenChunk *chunk, const guint8 *picture)
{
  GstVideoFrame queued;

  if (!prepare_converter (src, chunk))
    return FALSE;
  g_autoptr (GstBuffer) buffer =
      wrap_picture (&src->queued, &chunk->layout, picture);
  if (!gst_video_frame_map (&queued, &src->queued, buffer, GST_MAP_READ))
    return FALSE;
  gst_video_converter_frame (src->converter, &queued, frame);
  gst_video_frame_unmap (&queued);
  return TRUE;
}

static gboolean
write_picture (
    GstVidgenVideoSrc *src, GstBuffer *buffer, const VidgenSlot *slot)
{
  const VidgenChunk *chunk = slot->chunk;
  const guint8 *picture =
      chunk->pictures + (gsize)slot->frame * chunk->layout.size;
  gboolean written = TRUE;
  GstVideoFrame frame;

  if (!gst_video_frame_map (&frame, &src->info, buffer, GST_MAP_WRITE))
    return FALSE;
  if (gst_vidgen_video_format (chunk->picture_format) ==
          GST_VIDEO_INFO_FORMAT (&src->info) &&
      chunk->width == (guint)src->info.width &&
      chunk->height == (guint)src->info.height)
    copy_picture (&frame, &chunk->layout, picture);
  else
    written = convert_picture (src, &frame, chunk, picture);
  gst_video_frame_unmap (&frame);
  return written;
}

static void
tell_unwritten (
    GstVidgenVideoSrc *src, GstBuffer *buffer, const VidgenChunk *chunk)
{
  const GstVideoFormat format = gst_vidgen_video_format (chunk->picture_format);

  GST_ELEMENT_ERROR (src, RESOURCE, WRITE,
      ("A picture, made as %s of %ux%u, does not go as %s of %dx%d into the "
       "buffer of %" G_GSIZE_FORMAT " bytes from downstream.",
          gst_video_format_to_string (format), chunk->width, chunk->height,
          GST_VIDEO_INFO_NAME (&src->info), src->info.width, src->info.height,
          gst_buffer_get_size (buffer)),
      (NULL));
}

static void
stamp (GstBuffer *buffer, VidgenSession *session, const VidgenSlot *slot)
{
  const VidgenTimeline *timeline = vidgen_session_timeline (session);
  const GstClockTime start = vidgen_timeline_frame_ns (timeline, slot->slot);

  GST_BUFFER_PTS (buffer) = vidgen_session_origin (session) + start;
  GST_BUFFER_DURATION (buffer) =
      vidgen_timeline_frame_ns (timeline, slot->slot + 1) - start;
  GST_BUFFER_OFFSET (buffer) = slot->slot;
  GST_BUFFER_OFFSET_END (buffer) = slot->slot + 1;
  if (slot->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
}

static GstFlowReturn
gst_vidgen_video_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  GstBaseSrc *base = GST_BASE_SRC (push);
  GstVidgenPadSrc *pad_src = GST_VIDGEN_PAD_SRC (push);
  GstVidgenVideoSrc *src = GST_VIDGEN_VIDEO_SRC (push);
  g_auto (VidgenSlot) slot = { 0 };

  GstFlowReturn result = gst_vidgen_pad_src_take (pad_src, &slot);
  if (result != GST_FLOW_OK)
    return result;
  /* The wait may have been long. */
  if (gst_pad_needs_reconfigure (GST_BASE_SRC_PAD (base)) &&
      !gst_base_src_negotiate (base))
    return GST_FLOW_NOT_NEGOTIATED;
  result = GST_BASE_SRC_GET_CLASS (base)->alloc (
      base, GST_BUFFER_OFFSET_NONE, src->info.size, buffer);
  if (result != GST_FLOW_OK)
    return result;
  if (!write_picture (src, *buffer, &slot)) {
    tell_unwritten (src, *buffer, slot.chunk);
    gst_clear_buffer (buffer);
    return GST_FLOW_ERROR;
  }
  stamp (*buffer, gst_vidgen_pad_src_get_session (pad_src), &slot);
  return GST_FLOW_OK;
}

static GstClockTime
unit_time (const VidgenTimeline *timeline, guint64 frame)
{
  return vidgen_timeline_frame_ns (timeline, frame);
}

static gboolean
gst_vidgen_video_src_stop (GstBaseSrc *base)
{
  GstVidgenVideoSrc *src = GST_VIDGEN_VIDEO_SRC (base);

  g_clear_pointer (&src->converter, gst_video_converter_free);
  return TRUE;
}

static void
gst_vidgen_video_src_finalize (GObject *object)
{
  GstVidgenVideoSrc *src = GST_VIDGEN_VIDEO_SRC (object);

  gst_clear_caps (&src->filter);
  g_clear_pointer (&src->converter, gst_video_converter_free);
  G_OBJECT_CLASS (gst_vidgen_video_src_parent_class)->finalize (object);
}

static void
gst_vidgen_video_src_class_init (GstVidgenVideoSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);
  GstVidgenPadSrcClass *pad_class = GST_VIDGEN_PAD_SRC_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_vidgen_video_src_finalize;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Generated video",
      "Source/Video", "The pictures of vidgensrc", "The vidgensrc authors");
  base_class->get_caps = gst_vidgen_video_src_get_caps;
  base_class->fixate = gst_vidgen_video_src_fixate;
  base_class->set_caps = gst_vidgen_video_src_set_caps;
  base_class->decide_allocation = gst_vidgen_video_src_decide_allocation;
  base_class->stop = gst_vidgen_video_src_stop;
  GST_PUSH_SRC_CLASS (klass)->create = gst_vidgen_video_src_create;
  pad_class->track = VIDGEN_TRACK_VIDEO;
  pad_class->unit_at = vidgen_timeline_frame_at;
  pad_class->unit_time = unit_time;
}

static void
gst_vidgen_video_src_init (GstVidgenVideoSrc *src)
{
  gst_video_info_init (&src->info);
  gst_video_info_init (&src->queued);
}
