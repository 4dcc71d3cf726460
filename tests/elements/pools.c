/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Pictures go into the buffers that downstream gives, whatever those look
 * like. */

#include "tests/elements/rig.h"

#define FRAMES 20
#define POISON 0xa5
#define STUBBORN_BYTES 100
#define SMALL_BYTES 7

static const char *const formats[] = { "I420", "NV12", "RGBA", "BGRx", "RGB" };

/* A pool of buffers with odd strides, gaps between the planes and the last
 * plane first. */
typedef struct {
  GstBufferPool parent;
  GstVideoInfo info;
} OddPool;

typedef struct {
  GstBufferPoolClass parent_class;
} OddPoolClass;

GType odd_pool_get_type (void);
G_DEFINE_TYPE (OddPool, odd_pool, GST_TYPE_BUFFER_POOL)

/* Bytes of a row of a plane, and its rows. */
static guint
row_bytes (const GstVideoInfo *info, guint plane)
{
  gint components[GST_VIDEO_MAX_COMPONENTS];

  gst_video_format_info_component (info->finfo, plane, components);
  return GST_VIDEO_INFO_COMP_WIDTH (info, components[0]) *
         GST_VIDEO_INFO_COMP_PSTRIDE (info, components[0]);
}

static guint
rows (const GstVideoInfo *info, guint plane)
{
  gint components[GST_VIDEO_MAX_COMPONENTS];

  gst_video_format_info_component (info->finfo, plane, components);
  return GST_VIDEO_INFO_COMP_HEIGHT (info, components[0]);
}

static const char **
odd_pool_get_options (G_GNUC_UNUSED GstBufferPool *pool)
{
  static const char *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, NULL };

  return options;
}

/* Returns the size of a buffer. */
static gsize
lay_out (const GstVideoInfo *info, gsize offset[GST_VIDEO_MAX_PLANES],
    gint stride[GST_VIDEO_MAX_PLANES])
{
  gsize bytes = 3;

  for (guint i = GST_VIDEO_INFO_N_PLANES (info); i-- > 0;) {
    stride[i] = (row_bytes (info, i) + 5) | 1;
    offset[i] = bytes;
    bytes += (gsize)stride[i] * rows (info, i) + 7;
  }
  return bytes;
}

static gboolean
odd_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  GstVideoInfo *info = &((OddPool *)pool)->info;
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
  GstCaps *caps;
  guint min, max;

  g_assert_true (
      gst_buffer_pool_config_get_params (config, &caps, NULL, &min, &max));
  g_assert_true (gst_video_info_from_caps (info, caps));
  gst_buffer_pool_config_set_params (
      config, caps, lay_out (info, offset, stride), min, max);
  return GST_BUFFER_POOL_CLASS (odd_pool_parent_class)
      ->set_config (pool, config);
}

static GstFlowReturn
odd_pool_alloc_buffer (GstBufferPool *pool, GstBuffer **buffer,
    G_GNUC_UNUSED GstBufferPoolAcquireParams *params)
{
  const GstVideoInfo *info = &((OddPool *)pool)->info;
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
  const gsize bytes = lay_out (info, offset, stride);

  *buffer = gst_buffer_new_allocate (NULL, bytes, NULL);
  gst_buffer_memset (*buffer, 0, POISON, bytes);
  gst_buffer_add_video_meta_full (*buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), info->width, info->height,
      GST_VIDEO_INFO_N_PLANES (info), offset, stride);
  return GST_FLOW_OK;
}

static void
odd_pool_class_init (OddPoolClass *klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  pool_class->get_options = odd_pool_get_options;
  pool_class->set_config = odd_pool_set_config;
  pool_class->alloc_buffer = odd_pool_alloc_buffer;
}

static void
odd_pool_init (G_GNUC_UNUSED OddPool *pool)
{
}

/* A pool that makes buffers of one size only, and none of this one. */
typedef struct {
  GstBufferPool parent;
} StubbornPool;

typedef struct {
  GstBufferPoolClass parent_class;
} StubbornPoolClass;

GType stubborn_pool_get_type (void);
G_DEFINE_TYPE (StubbornPool, stubborn_pool, GST_TYPE_BUFFER_POOL)

static gboolean
stubborn_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  GstCaps *caps;
  guint size;

  g_assert_true (
      gst_buffer_pool_config_get_params (config, &caps, &size, NULL, NULL));
  if (size == STUBBORN_BYTES)
    return GST_BUFFER_POOL_CLASS (stubborn_pool_parent_class)
        ->set_config (pool, config);
  gst_buffer_pool_config_set_params (config, caps, STUBBORN_BYTES, 0, 0);
  return FALSE;
}

static void
stubborn_pool_class_init (StubbornPoolClass *klass)
{
  GST_BUFFER_POOL_CLASS (klass)->set_config = stubborn_pool_set_config;
}

static void
stubborn_pool_init (G_GNUC_UNUSED StubbornPool *pool)
{
}

/* A pool that makes smaller buffers than it is asked for. */
typedef struct {
  GstBufferPool parent;
} SmallPool;

typedef struct {
  GstBufferPoolClass parent_class;
} SmallPoolClass;

GType small_pool_get_type (void);
G_DEFINE_TYPE (SmallPool, small_pool, GST_TYPE_BUFFER_POOL)

static gboolean
small_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  GstCaps *caps;
  guint min, max;

  g_assert_true (
      gst_buffer_pool_config_get_params (config, &caps, NULL, &min, &max));
  gst_buffer_pool_config_set_params (config, caps, SMALL_BYTES, min, max);
  return GST_BUFFER_POOL_CLASS (small_pool_parent_class)
      ->set_config (pool, config);
}

static void
small_pool_class_init (SmallPoolClass *klass)
{
  GST_BUFFER_POOL_CLASS (klass)->set_config = small_pool_set_config;
}

static void
small_pool_init (G_GNUC_UNUSED SmallPool *pool)
{
}

/* What the sink offers. */
typedef struct {
  GstBufferPool *(*make) (GstCaps *caps, const GstVideoInfo *info);
  gboolean meta;
  guint max; /* buffers */
  GstBufferPool *pool;
  guint of_pool, others; /* buffers that came */
} Offer;

static GstBufferPool *
make_odd (G_GNUC_UNUSED GstCaps *caps, G_GNUC_UNUSED const GstVideoInfo *info)
{
  return g_object_new (odd_pool_get_type (), NULL);
}

static GstBufferPool *
make_stubborn (
    G_GNUC_UNUSED GstCaps *caps, G_GNUC_UNUSED const GstVideoInfo *info)
{
  return g_object_new (stubborn_pool_get_type (), NULL);
}

static GstBufferPool *
make_small (G_GNUC_UNUSED GstCaps *caps, G_GNUC_UNUSED const GstVideoInfo *info)
{
  return g_object_new (small_pool_get_type (), NULL);
}

static GstBufferPool *
make_plain (G_GNUC_UNUSED GstCaps *caps, G_GNUC_UNUSED const GstVideoInfo *info)
{
  return gst_buffer_pool_new ();
}

static GstBufferPool *
make_aligned (GstCaps *caps, const GstVideoInfo *info)
{
  GstBufferPool *pool = gst_video_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstVideoAlignment alignment;

  gst_video_alignment_reset (&alignment);
  alignment.padding_left = 16;
  alignment.padding_right = 14;
  alignment.padding_top = 2;
  alignment.stride_align[0] = 31;
  gst_buffer_pool_config_set_params (config, caps, info->size, 2, 4);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option (
      config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_config_set_video_alignment (config, &alignment);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  return pool;
}

static GstPadProbeReturn
answer (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  Offer *offer = user_data;
  GstVideoInfo video_info;
  GstCaps *caps;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_parse_allocation (query, &caps, NULL);
  g_assert_true (gst_video_info_from_caps (&video_info, caps));
  gst_clear_object (&offer->pool);
  offer->pool = offer->make (caps, &video_info);
  gst_query_add_allocation_pool (
      query, offer->pool, video_info.size, 0, offer->max);
  if (offer->meta)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn
see (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Offer *offer = user_data;

  *(buffer->pool == offer->pool ? &offer->of_pool : &offer->others) += 1;
  return GST_PAD_PROBE_OK;
}

static Rig *
open_rig (const char *format, Offer *offer)
{
  g_autofree char *text = g_strdup_printf ("video/x-raw, format = %s", format);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  Rig *rig;

  fake_reset ();
  rig = rig_new (RIG_BOTH);
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (rig->tracks[RIG_VIDEO].filter, "sink");
  g_object_set (rig->tracks[RIG_VIDEO].filter, "caps", caps, NULL);
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer, offer, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, see, offer, NULL);
  g_object_set (rig->src, "num-buffers", FRAMES, NULL);
  return rig;
}

static Rig *
play (const char *format, Offer *offer)
{
  Rig *rig = open_rig (format, offer);

  rig_run (rig);
  rig_assert_clip (rig, FRAMES, FRAMES * 1500);
  return rig;
}

static void
assert_from (const Offer *offer, gboolean pool)
{
  g_assert_cmpuint (offer->of_pool, ==, pool ? FRAMES : 0);
  g_assert_cmpuint (offer->others, ==, pool ? 0 : FRAMES);
}

/* Of every byte of an odd buffer that is no pixel. */
static void
assert_poison_left (GstBuffer *buffer, const GstVideoInfo *info)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  g_autofree guint8 *seen = NULL;
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  seen = g_malloc0 (map.size);
  for (guint plane = 0; plane < meta->n_planes; plane++) {
    for (guint row = 0; row < rows (info, plane); row++)
      memset (seen + meta->offset[plane] + (gsize)row * meta->stride[plane], 1,
          row_bytes (info, plane));
  }
  for (gsize i = 0; i < map.size; i++)
    g_assert_true (seen[i] || map.data[i] == POISON);
  gst_buffer_unmap (buffer, &map);
}

static void
assert_same_pixels (GstBuffer *a, GstBuffer *b, const GstVideoInfo *info)
{
  GstVideoFrame frames[2];

  g_assert_true (gst_video_frame_map (&frames[0], info, a, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&frames[1], info, b, GST_MAP_READ));
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++) {
    for (guint row = 0; row < rows (info, plane); row++) {
      const guint8 *at[2];
      for (guint i = 0; i < 2; i++)
        at[i] = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frames[i], plane) +
                (gsize)row * GST_VIDEO_FRAME_PLANE_STRIDE (&frames[i], plane);
      g_assert_cmpmem (
          at[0], row_bytes (info, plane), at[1], row_bytes (info, plane));
    }
  }
  gst_video_frame_unmap (&frames[0]);
  gst_video_frame_unmap (&frames[1]);
}

static void
test_odd_strides (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    Offer odd = { .make = make_odd, .meta = TRUE };
    Offer plain = { .make = make_plain };
    g_autoptr (Rig) rig = play (formats[i], &odd);
    g_autoptr (Rig) other = play (formats[i], &plain);
    const GstCaps *caps = g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, 0);
    GstVideoInfo info;

    assert_from (&odd, TRUE);
    g_assert_true (gst_video_info_from_caps (&info, caps));
    for (guint frame = 0; frame < FRAMES; frame++) {
      GstBuffer *buffer = rig_buffer (rig, RIG_VIDEO, frame);
      assert_poison_left (buffer, &info);
      assert_same_pixels (buffer, rig_buffer (other, RIG_VIDEO, frame), &info);
    }
    gst_object_unref (odd.pool);
    gst_object_unref (plain.pool);
  }
}

static void
test_alignment (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    Offer offer = { .make = make_aligned, .meta = TRUE };
    g_autoptr (Rig) rig = play (formats[i], &offer);
    const GstVideoMeta *meta =
        gst_buffer_get_video_meta (rig_buffer (rig, RIG_VIDEO, 0));

    assert_from (&offer, TRUE);
    g_assert_nonnull (meta);
    g_assert_cmpuint (meta->offset[0], >, 0);
    g_assert_cmpuint (meta->stride[0] % 32, ==, 0);
    gst_object_unref (offer.pool);
  }
}

/* A sink that knows no GstVideoMeta gets the strides that caps imply. */
static void
test_no_meta (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    Offer offer = { .make = make_plain, .max = 2 };
    g_autoptr (Rig) rig = play (formats[i], &offer);
    const GstCaps *caps = g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, 0);
    GstVideoInfo info;

    assert_from (&offer, TRUE);
    g_assert_true (gst_video_info_from_caps (&info, caps));
    for (guint frame = 0; frame < FRAMES; frame++) {
      GstBuffer *buffer = rig_buffer (rig, RIG_VIDEO, frame);
      g_assert_null (gst_buffer_get_video_meta (buffer));
      g_assert_cmpuint (gst_buffer_get_size (buffer), ==, info.size);
    }
    gst_object_unref (offer.pool);
  }
}

/* A pool that refuses is not used. */
static void
test_stubborn (void)
{
  Offer offer = { .make = make_stubborn, .meta = TRUE };

  rig_free (play ("I420", &offer));
  assert_from (&offer, FALSE);
  gst_object_unref (offer.pool);
}

/* A picture that cannot be written is an error that says what went where. */
static void
test_small (void)
{
  Offer offer = { .make = make_small };
  g_autoptr (Rig) rig = open_rig ("RGBA", &offer);
  g_autoptr (GError) error = NULL;

  rig_state (rig, GST_STATE_PAUSED);
  GstMessage *message = rig_wait (rig, GST_MESSAGE_ERROR);
  rig_assert_error (message, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "RGBA of 32x16"));
  g_assert_nonnull (strstr (error->message, "7 bytes"));
  rig_state (rig, GST_STATE_NULL);
  gst_object_unref (offer.pool);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pools/odd-strides", test_odd_strides);
  g_test_add_func ("/pools/alignment", test_alignment);
  g_test_add_func ("/pools/no-meta", test_no_meta);
  g_test_add_func ("/pools/stubborn", test_stubborn);
  g_test_add_func ("/pools/small", test_small);
  return g_test_run ();
}
