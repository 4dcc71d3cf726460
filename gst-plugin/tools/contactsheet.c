/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/contactsheet.h"

#include <string.h>

#include <gst/video/video.h>

#define COLUMNS 4
#define ROWS 3
#define PICTURES (COLUMNS * ROWS)
#define MARGIN 8
#define BACKGROUND 32
#define CONVERT_TIMEOUT (10 * GST_SECOND)

struct _VidgenContactSheet {
  GstPad *pad;
  gulong probe;
  GstClockTime length;
  GMutex lock;
  guint n_samples;
  GstSample *samples[PICTURES];
};

static GstClockTime
picture_time (const VidgenContactSheet *sheet, guint i)
{
  return gst_util_uint64_scale (sheet->length, i, PICTURES);
}

static GstPadProbeReturn
take_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  VidgenContactSheet *sheet = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);

  g_mutex_lock (&sheet->lock);
  if (sheet->n_samples < PICTURES &&
      end > picture_time (sheet, sheet->n_samples)) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
    g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);

    sheet->samples[sheet->n_samples++] =
        gst_sample_new (copy, caps, NULL, NULL);
  }
  g_mutex_unlock (&sheet->lock);
  return GST_PAD_PROBE_OK;
}

VidgenContactSheet *
vidgen_contact_sheet_new (GstPad *pad, GstClockTime length)
{
  VidgenContactSheet *sheet = g_new0 (VidgenContactSheet, 1);

  g_mutex_init (&sheet->lock);
  sheet->length = length;
  sheet->pad = gst_object_ref (pad);
  sheet->probe = gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, take_picture, sheet, NULL);
  return sheet;
}

void
vidgen_contact_sheet_free (VidgenContactSheet *sheet)
{
  if (!sheet)
    return;
  gst_pad_remove_probe (sheet->pad, sheet->probe);
  gst_object_unref (sheet->pad);
  for (guint i = 0; i < sheet->n_samples; i++)
    gst_sample_unref (sheet->samples[i]);
  g_mutex_clear (&sheet->lock);
  g_free (sheet);
}

static GstSample *
convert (GstSample *sample, const GstVideoInfo *to, GError **error)
{
  GstCaps *caps = gst_video_info_to_caps (to);
  GstSample *converted;

  gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
  converted = gst_video_convert_sample (sample, caps, CONVERT_TIMEOUT, error);
  gst_caps_unref (caps);
  return converted;
}

static gboolean
paste (GstVideoFrame *to, guint x, guint y, GstSample *sample,
    const GstVideoInfo *info)
{
  GstVideoFrame from;
  guint8 *pixels = GST_VIDEO_FRAME_PLANE_DATA (to, 0);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (to, 0);

  if (!gst_video_frame_map (
          &from, info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return FALSE;
  for (gint row = 0; row < GST_VIDEO_FRAME_HEIGHT (&from); row++)
    memcpy (pixels + (y + row) * stride + 3 * x,
        (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&from, 0) +
            row * GST_VIDEO_FRAME_PLANE_STRIDE (&from, 0),
        3 * GST_VIDEO_FRAME_WIDTH (&from));
  gst_video_frame_unmap (&from);
  return TRUE;
}

static gboolean
paste_all (VidgenContactSheet *sheet, GstVideoFrame *to,
    const GstVideoInfo *cell, GError **error)
{
  for (guint i = 0; i < sheet->n_samples; i++) {
    guint x = MARGIN + i % COLUMNS * (cell->width + MARGIN);
    guint y = MARGIN + i / COLUMNS * (cell->height + MARGIN);
    g_autoptr (GstSample) sample = convert (sheet->samples[i], cell, error);

    if (!sample)
      return FALSE;
    if (!paste (to, x, y, sample, cell)) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
          "a picture of the contact sheet cannot be read");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
write_png (GstBuffer *buffer, const GstVideoInfo *info, const char *path,
    GError **error)
{
  g_autoptr (GstCaps) raw = gst_video_info_to_caps (info);
  g_autoptr (GstCaps) png = gst_caps_new_empty_simple ("image/png");
  g_autoptr (GstSample) sample = gst_sample_new (buffer, raw, NULL, NULL);
  g_autoptr (GstSample) encoded =
      gst_video_convert_sample (sample, png, CONVERT_TIMEOUT, error);
  GstMapInfo map;
  gboolean written;

  if (!encoded)
    return FALSE;
  if (!gst_buffer_map (gst_sample_get_buffer (encoded), &map, GST_MAP_READ)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
        "the contact sheet cannot be read");
    return FALSE;
  }
  written = g_file_set_contents (path, (const char *)map.data, map.size, error);
  gst_buffer_unmap (gst_sample_get_buffer (encoded), &map);
  return written;
}

/* The size of one picture, from the first one's. */
static gboolean
cell_info (VidgenContactSheet *sheet, guint width, GstVideoInfo *cell)
{
  GstVideoInfo native;

  if (!sheet->n_samples || !gst_video_info_from_caps (&native,
                               gst_sample_get_caps (sheet->samples[0])))
    return FALSE;
  return gst_video_info_set_format (cell, GST_VIDEO_FORMAT_RGB, width,
      gst_util_uint64_scale_int_round (width, native.height, native.width));
}

gboolean
vidgen_contact_sheet_write (
    VidgenContactSheet *sheet, guint width, const char *path, GError **error)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoInfo cell, info;
  GstVideoFrame frame;
  gboolean pasted;

  gst_video_info_init (&cell);
  gst_video_info_init (&info);
  if (!cell_info (sheet, width, &cell) ||
      !gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB,
          COLUMNS * (cell.width + MARGIN) + MARGIN,
          ROWS * (cell.height + MARGIN) + MARGIN)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
        "there are no pictures for a contact sheet");
    return FALSE;
  }
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, BACKGROUND, info.size);
  if (!gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
        "no memory for a contact sheet");
    return FALSE;
  }
  pasted = paste_all (sheet, &frame, &cell, error);
  gst_video_frame_unmap (&frame);
  return pasted && write_png (buffer, &info, path, error);
}
