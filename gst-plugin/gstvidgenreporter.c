/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenreporter.h"

#include <gio/gio.h>

#include "gst-plugin/gstvidgenerror.h"

GST_DEBUG_CATEGORY_EXTERN (gst_vidgen_debug);
#define GST_CAT_DEFAULT gst_vidgen_debug

/* What GStreamer takes as the best there is. */
#define FULL_QUALITY 1000000

gboolean
gst_vidgen_reporter_claim_error (GstVidgenReporter *reporter)
{
  return g_atomic_int_compare_and_exchange (&reporter->failed, FALSE, TRUE);
}

void
gst_vidgen_reporter_reset (GstVidgenReporter *reporter)
{
  g_atomic_int_set (&reporter->failed, FALSE);
  reporter->phase = NULL;
}

static void
post (GstVidgenReporter *reporter, GstMessage *message)
{
  gst_element_post_message (reporter->element, message);
}

static const char *
phase_text (const char *phase)
{
  if (g_str_equal (phase, "seek"))
    return "Making the clip again";
  if (g_str_equal (phase, "encode"))
    return "Encoding the prompt";
  return g_str_equal (phase, "warmup") ? "Preparing the device"
                                       : "Loading the model";
}

static void
post_progress (GstVidgenReporter *reporter, GstProgressType type,
    const char *phase, gint percent)
{
  g_autofree char *text =
      g_strdup_printf ("%s (%d %%)", phase_text (phase), percent);
  GstMessage *message = gst_message_new_progress (
      GST_OBJECT (reporter->element), type, phase, text);
  GstStructure *structure = gst_message_writable_structure (message);

  gst_structure_set (structure, "percent", G_TYPE_INT, percent, NULL);
  post (reporter, message);
}

static void
end_phase (GstVidgenReporter *reporter, GstProgressType type)
{
  if (reporter->phase)
    post_progress (reporter, type, reporter->phase, reporter->percent);
  reporter->phase = NULL;
}

static void
on_progress (const char *phase, double fraction, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;
  const gint percent = CLAMP (fraction, 0, 1) * 100;

  if (g_strcmp0 (phase, reporter->phase) != 0) {
    reporter->percent = 100;
    end_phase (reporter, GST_PROGRESS_TYPE_COMPLETE);
    reporter->percent = percent;
    reporter->phase = phase ? g_intern_string (phase) : NULL;
    if (phase)
      post_progress (reporter, GST_PROGRESS_TYPE_START, phase, percent);
  } else if (phase && percent != reporter->percent) {
    reporter->percent = percent;
    post_progress (reporter, GST_PROGRESS_TYPE_CONTINUE, phase, percent);
  }
}

static void
on_gave_up (const GError *error, gpointer user_data)
{
  const gboolean cancelled =
      !error || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  end_phase (user_data,
      cancelled ? GST_PROGRESS_TYPE_CANCELED : GST_PROGRESS_TYPE_ERROR);
}

static void
on_before_chunk (guint64 time_ns, gpointer user_data)
{
  const GstVidgenReporter *reporter = user_data;

  gst_object_sync_values (GST_OBJECT (reporter->element), time_ns);
}

static void
on_chunk_made (
    guint64 chunk, guint64 generation_ns, guint64 level_ns, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;

  if (reporter->energy)
    vidgen_energy_joules (reporter->energy);
  GST_LOG_OBJECT (reporter->element,
      "chunk %" G_GUINT64_FORMAT " took %" GST_TIME_FORMAT ", %" GST_TIME_FORMAT
      " are ahead",
      chunk, GST_TIME_ARGS (generation_ns), GST_TIME_ARGS (level_ns));
  post (
      reporter, gst_message_new_element (GST_OBJECT (reporter->element),
                    gst_structure_new ("vidgen-chunk", "chunk", G_TYPE_UINT64,
                        chunk, "generation-time", G_TYPE_UINT64, generation_ns,
                        "queue-level", G_TYPE_UINT64, level_ns, NULL)));
}

static void
on_prompt_applied (
    const char *prompt, guint64 chunk, guint64 time_ns, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;

  post (reporter, gst_message_new_element (GST_OBJECT (reporter->element),
                      gst_structure_new ("vidgen-prompt-applied", "prompt",
                          G_TYPE_STRING, prompt, "chunk", G_TYPE_UINT64, chunk,
                          "stream-time", G_TYPE_UINT64, time_ns, NULL)));
}

static void
on_settings_refused (
    const GError *error, const VidgenSettings *in_force, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;

  gst_vidgen_error_post (reporter->element, GST_MESSAGE_WARNING, error);
  reporter->restored (reporter->element, in_force);
}

static void
on_level (const VidgenSessionBuffer *buffer, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;
  GstMessage *message = gst_message_new_buffering (
      GST_OBJECT (reporter->element), buffer->percent);

  gst_message_set_buffering_stats (message, GST_BUFFERING_STREAM,
      buffer->in_bytes_per_s, buffer->out_bytes_per_s, buffer->left_ms);
  post (reporter, message);
}

static void
on_underrun (const VidgenLateness *lateness, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;
  const GstClockTime time = lateness->time_ns;
  const double factor = lateness->real_time_factor;
  GstMessage *message = gst_message_new_qos (GST_OBJECT (reporter->element),
      TRUE, time, time, time, reporter->frame_ns);

  gst_message_set_qos_values (
      message, lateness->late_ns, factor > 0 ? 1 / factor : 1, FULL_QUALITY);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, lateness->on_time, 0);
  post (reporter, message);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  GstVidgenReporter *reporter = user_data;

  if (gst_vidgen_reporter_claim_error (reporter))
    gst_vidgen_error_post (reporter->element, GST_MESSAGE_ERROR, error);
}

const VidgenSessionCallbacks gst_vidgen_reporter_callbacks = {
  .progress = on_progress,
  .gave_up = on_gave_up,
  .before_chunk = on_before_chunk,
  .chunk_made = on_chunk_made,
  .prompt_applied = on_prompt_applied,
  .settings_refused = on_settings_refused,
  .level = on_level,
  .underrun = on_underrun,
  .failed = on_failed,
};
