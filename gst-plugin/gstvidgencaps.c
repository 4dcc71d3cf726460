/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgencaps.h"

static const GstVideoFormat video_formats[VIDGEN_PICTURE_FORMATS] = {
  [VIDGEN_PICTURE_I420] = GST_VIDEO_FORMAT_I420,
  [VIDGEN_PICTURE_NV12] = GST_VIDEO_FORMAT_NV12,
  [VIDGEN_PICTURE_RGBA] = GST_VIDEO_FORMAT_RGBA,
  [VIDGEN_PICTURE_BGRX] = GST_VIDEO_FORMAT_BGRx,
  [VIDGEN_PICTURE_RGB] = GST_VIDEO_FORMAT_RGB,
};

static void
list_of_range (const VidgenRange *range, GValue *value)
{
  g_value_init (value, GST_TYPE_LIST);
  for (guint i = range->min; i <= range->max; i += range->step) {
    GValue item = G_VALUE_INIT;
    g_value_init (&item, G_TYPE_INT);
    g_value_set_int (&item, i);
    gst_value_list_append_and_take_value (value, &item);
  }
}

static void
set_range (GstCaps *caps, const char *field, const VidgenRange *range)
{
  const guint step = MAX (range->step, 1);
  GValue value = G_VALUE_INIT;

  if (range->max < range->min + step) {
    g_value_init (&value, G_TYPE_INT);
    g_value_set_int (&value, range->min);
  } else if (range->min % step == 0) {
    g_value_init (&value, GST_TYPE_INT_RANGE);
    gst_value_set_int_range_step (
        &value, range->min, range->max - range->max % step, step);
  } else {
    list_of_range (range, &value);
  }
  gst_caps_set_value (caps, field, &value);
  g_value_unset (&value);
}

static GstCaps *
sizes_of_ranges (const VidgenModelInfo *info)
{
  GstCaps *caps = gst_caps_from_string (GST_VIDGEN_VIDEO_CAPS);

  set_range (caps, "width", &info->width);
  set_range (caps, "height", &info->height);
  return caps;
}

static GstCaps *
sizes_of_scales (const VidgenModelInfo *info)
{
  GstCaps *caps = gst_caps_new_empty ();

  for (const guint *scale = info->scales; *scale; scale++) {
    GstCaps *size = gst_caps_from_string (GST_VIDGEN_VIDEO_CAPS);

    gst_caps_set_simple (size, "width", G_TYPE_INT,
        (gint)(*scale * info->native.width), "height", G_TYPE_INT,
        (gint)(*scale * info->native.height), NULL);
    gst_caps_append (caps, size);
  }
  return caps;
}

GstCaps *
gst_vidgen_caps_video (const VidgenModelInfo *info)
{
  GstCaps *caps =
      info->scales ? sizes_of_scales (info) : sizes_of_ranges (info);

  gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION,
      (gint)info->native.fps_n, (gint)info->native.fps_d, NULL);
  return caps;
}

GstCaps *
gst_vidgen_caps_audio (const VidgenModelInfo *info)
{
  GstCaps *caps = gst_caps_from_string (GST_VIDGEN_AUDIO_CAPS);

  gst_caps_set_simple (caps, "rate", G_TYPE_INT, (gint)info->sample_rate, NULL);
  return caps;
}

GstCaps *
gst_vidgen_caps_fixate_video (const VidgenModelInfo *info, GstCaps *caps)
{
  caps = gst_caps_make_writable (gst_caps_truncate (caps));
  GstStructure *structure = gst_caps_get_structure (caps, 0);

  gst_structure_fixate_field_nearest_int (
      structure, "width", info->native.width);
  gst_structure_fixate_field_nearest_int (
      structure, "height", info->native.height);
  return gst_caps_fixate (caps);
}

GstCaps *
gst_vidgen_caps_fixate_audio (GstCaps *caps)
{
  caps = gst_caps_make_writable (gst_caps_truncate (caps));
  gst_structure_fixate_field_nearest_int (
      gst_caps_get_structure (caps, 0), "channels", 2);
  return gst_caps_fixate (caps);
}

GstCaps *
gst_vidgen_caps_restrict (GstCaps *caps, GstCaps *filter)
{
  if (!filter)
    return caps;
  GstCaps *common =
      gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  return common;
}

VidgenPictureFormat
gst_vidgen_picture_format (GstVideoFormat format)
{
  guint i = 0;

  while (i < VIDGEN_PICTURE_FORMATS - 1 && video_formats[i] != format)
    i++;
  return (VidgenPictureFormat)i;
}

GstVideoFormat
gst_vidgen_video_format (VidgenPictureFormat format)
{
  return video_formats[format];
}
