/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* The colours of what leaves the element: the same scene in every format, as
 * the device converts it and as it is converted once more behind a change of
 * caps. What the conversion itself does is held by tests/kernels/picture.c. */

#include <math.h>

#include "tests/elements/rig.h"

#define MODEL VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors"
#define FRAMES 8
#define SINGLE 1e-3 /* what single precision does to a value of 0 to 255 */

static void
set_format (Rig *rig, const char *format)
{
  g_autofree char *text = g_strdup_printf ("video/x-raw, format = %s", format);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  g_object_set (rig->tracks[RIG_VIDEO].filter, "caps", caps, NULL);
}

static Rig *
new_rig (const char *model, const char *device, const char *format)
{
  Rig *rig = rig_new (1 << RIG_VIDEO);

  g_object_set (rig->src, "model", model, "device", device, "num-buffers",
      FRAMES, "prompt", "ocean waves", NULL);
  g_object_set (rig->tracks[RIG_VIDEO].sink, "sync", FALSE, NULL);
  set_format (rig, format);
  return rig;
}

static Rig *
play (const char *device, const char *format)
{
  Rig *rig = new_rig (MODEL, device, format);

  rig_run (rig);
  g_assert_cmpuint (rig->tracks[RIG_VIDEO].buffers->len, ==, FRAMES);
  return rig;
}

static void
map (const Rig *rig, guint i, GstVideoFrame *frame)
{
  const GstCaps *caps = g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, i);
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (
      frame, &info, rig_buffer (rig, RIG_VIDEO, i), GST_MAP_READ));
}

/* Component `c` (red, green, blue or Y, Cb, Cr) at one of its samples. */
static guint8
at (const GstVideoFrame *frame, guint c, guint x, guint y)
{
  const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, c);

  return data[y * GST_VIDEO_FRAME_COMP_STRIDE (frame, c) +
              x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c)];
}

/* Of R'G'B' from 0 to 1, in eight bits of limited range: the matrix of ITU-R
 * BT.709-6 items 3.2 to 3.5. */
static const double matrix[3][4] = {
  { 46.5594, 156.6288, 15.8118, 16 },
  { -25.664331, -86.335669, 112, 128 },
  { 112, -101.730252, -10.269748, 128 },
};

static double
yuv_of (const double rgb[3], guint c)
{
  return matrix[c][0] * rgb[0] + matrix[c][1] * rgb[1] + matrix[c][2] * rgb[2] +
         matrix[c][3];
}

/* What half a step of every colour may make of a component. */
static double
half_step (guint c)
{
  return (fabs (matrix[c][0]) + fabs (matrix[c][1]) + fabs (matrix[c][2])) / 2 /
         255;
}

static void
colour_at (const GstVideoFrame *rgb, guint x, guint y, double colour[3])
{
  for (guint c = 0; c < 3; c++)
    colour[c] = at (rgb, c, x, y) / 255.0;
}

/* Chroma is sited left: 1:2:1 across, 1:1 down. */
static double
chroma_of (const GstVideoFrame *rgb, guint c, guint column, guint row)
{
  const guint width = rgb->info.width;
  const guint xs[4] = { MAX (2 * column, 1) - 1, 2 * column, 2 * column,
    MIN (2 * column + 1, width - 1) };
  double sum[3] = { 0 };

  for (guint i = 0; i < 8; i++) {
    double colour[3];
    colour_at (rgb, xs[i % 4], 2 * row + i / 4, colour);
    for (guint j = 0; j < 3; j++)
      sum[j] += colour[j] / 8;
  }
  return yuv_of (sum, c);
}

static void
assert_near (double is, double should, double tolerance, const char *what)
{
  if (fabs (is - should) > tolerance)
    g_error ("%s: %g, not %g", what, is, should);
}

static void
assert_yuv (
    const GstVideoFrame *yuv, const GstVideoFrame *rgb, double furthest[3])
{
  for (gint y = 0; y < rgb->info.height; y++) {
    for (gint x = 0; x < rgb->info.width; x++) {
      double colour[3];
      colour_at (rgb, x, y, colour);
      assert_near (at (yuv, 0, x, y), yuv_of (colour, 0),
          0.5 + half_step (0) + SINGLE, "luma");
    }
  }
  for (guint c = 1; c < 3; c++) {
    for (gint y = 0; y < rgb->info.height / 2; y++) {
      for (gint x = 0; x < rgb->info.width / 2; x++) {
        const guint8 is = at (yuv, c, x, y);
        assert_near (is, chroma_of (rgb, c, x, y), 0.5 + half_step (c) + SINGLE,
            "chroma");
        furthest[c] = MAX (furthest[c], fabs (is - 128.0));
      }
    }
  }
}

static void
assert_rgb (const GstVideoFrame *is, const GstVideoFrame *should)
{
  for (gint y = 0; y < is->info.height; y++) {
    for (gint x = 0; x < is->info.width; x++) {
      for (guint c = 0; c < 3; c++)
        g_assert_cmpuint (at (is, c, x, y), ==, at (should, c, x, y));
    }
  }
}

/* Held, it keeps its pipelines from one run to the next. */
static VidgenDevice *
open_device (const char *name)
{
  g_autoptr (GError) error = NULL;
  VidgenDevice *device = vidgen_device_open (name, &error);

  if (!device)
    g_test_skip (error->message);
  return device;
}

static void
test_formats (gconstpointer name)
{
  static const char *const formats[] = { "I420", "NV12", "RGBA", "BGRx" };
  double furthest[3] = { 0 };

  g_autoptr (VidgenDevice) device = open_device (name);
  if (!device)
    return;
  g_autoptr (Rig) reference = play (name, "RGB");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (Rig) rig = play (name, formats[i]);
    for (guint frame = 0; frame < FRAMES; frame++) {
      GstVideoFrame rgb, is;
      map (reference, frame, &rgb);
      map (rig, frame, &is);
      if (GST_VIDEO_INFO_IS_YUV (&is.info))
        assert_yuv (&is, &rgb, furthest);
      else
        assert_rgb (&is, &rgb);
      gst_video_frame_unmap (&rgb);
      gst_video_frame_unmap (&is);
    }
  }
  /* Else nothing was seen. */
  g_assert_cmpfloat (furthest[1], >, 16);
  g_assert_cmpfloat (furthest[2], >, 16);
}

static void
await_all_chunks (Rig *rig, const char *location)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = vidgen_model_open (location, &error);
  guint64 chunk = 0;

  g_assert_no_error (error);
  const guint64 last =
      vidgen_model_chunk_of (vidgen_model_info (model), FRAMES - 1);
  do
    g_assert_true (gst_structure_get_uint64 (
        rig_wait_element (rig, "vidgen-chunk"), "chunk", &chunk));
  while (chunk < last);
}

/* All frames are made in one format, and all but the first leave in another. */
static Rig *
play_queued (const char *model, const char *made, const char *sent)
{
  Rig *rig = new_rig (model, "host", made);

  rig_state (rig, GST_STATE_PAUSED);
  await_all_chunks (rig, model);
  rig_wait_buffers (rig, RIG_VIDEO, 1);
  set_format (rig, sent);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpuint (rig->tracks[RIG_VIDEO].buffers->len, ==, FRAMES);
  return rig;
}

/* Where nothing but the order of bytes differs, frames made before a change of
 * caps are those made behind it. */
static void
test_queued_order (void)
{
  static const char *const pairs[][2] = { { "I420", "NV12" },
    { "NV12", "I420" }, { "RGBA", "BGRx" }, { "BGRx", "RGB" },
    { "RGB", "RGBA" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autoptr (Rig) should = play ("host", pairs[i][1]);
    g_autoptr (Rig) rig = play_queued (MODEL, pairs[i][0], pairs[i][1]);
    for (guint frame = 1; frame < FRAMES; frame++) {
      GstVideoFrame a, b;
      map (should, frame, &a);
      map (rig, frame, &b);
      g_assert_cmpint (
          GST_VIDEO_INFO_FORMAT (&a.info), ==, GST_VIDEO_INFO_FORMAT (&b.info));
      for (guint c = 0; c < 3; c++) {
        for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&a, c); y++) {
          for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&a, c); x++)
            g_assert_cmpuint (at (&a, c, x, y), ==, at (&b, c, x, y));
        }
      }
      gst_video_frame_unmap (&a);
      gst_video_frame_unmap (&b);
    }
  }
}

static void
assert_flat (const GstVideoFrame *frame, guint64 number, double tolerance)
{
  double rgb[3];

  fake_colour (number, rgb);
  for (guint c = 0; c < 3; c++) {
    const double should =
        GST_VIDEO_INFO_IS_YUV (&frame->info) ? yuv_of (rgb, c) : 255 * rgb[c];
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, c); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (frame, c); x++)
        assert_near (at (frame, c, x, y), should, tolerance,
            gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&frame->info)));
    }
  }
}

/* Between all formats, a colour stays what it is, within a step of each of two
 * roundings. GStreamer's quick way from YUV to RGB is up to four steps off. */
static void
test_queued_colours (void)
{
  static const char *const formats[] = { "I420", "NV12", "RGBA", "BGRx",
    "RGB" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (formats); j++) {
      fake_reset ();
      fake.flat = TRUE;
      g_autoptr (Rig) rig = play_queued ("fake", formats[i], formats[j]);
      for (guint k = 0; k < FRAMES; k++) {
        GstVideoFrame frame;
        map (rig, k, &frame);
        g_assert_cmpstr (
            gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&frame.info)),
            ==, formats[k == 0 ? i : j]);
        assert_flat (&frame, k, i < 2 && j >= 2 && k > 0 ? 4 : 2);
        gst_video_frame_unmap (&frame);
      }
    }
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  fake_reset ();
  g_test_add_data_func ("/colours/host", "host", test_formats);
  g_test_add_data_func ("/colours/vulkan", "auto", test_formats);
  g_test_add_func ("/colours/queued-order", test_queued_order);
  g_test_add_func ("/colours/queued-colours", test_queued_colours);
  return g_test_run ();
}
