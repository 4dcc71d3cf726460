/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/play.h"

#include <stdio.h>

#include <glib-unix.h>

#include "gst-plugin/tools/bar.h"
#include "gst-plugin/tools/lines.h"

#define TICK_MS 250
#define END_TIMEOUT_S 30

typedef struct {
  const VidgenPlay *play;
  GstElement *pipeline;
  GstElement *source;
  GMainLoop *loop;
  VidgenBar *bar;
  GError *error;
  _Atomic GstClockTime position; /* of the picture that left the source */
  gboolean loading;
  gboolean buffering;
  gboolean interrupted;
  guint end_timeout;
} Player;

static GstPadProbeReturn
note_position (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer data)
{
  Player *player = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (GST_BUFFER_PTS_IS_VALID (buffer) && GST_BUFFER_DURATION_IS_VALID (buffer))
    player->position = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  return GST_PAD_PROBE_OK;
}

static void tell (Player *player, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
tell (Player *player, const char *format, ...)
{
  va_list args;

  vidgen_bar_clear (player->bar);
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
}

static guint64
read_underruns (Player *player)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 underruns = 0;

  g_object_get (player->source, "stats", &stats, NULL);
  if (stats)
    gst_structure_get_uint64 (stats, "underruns", &underruns);
  return underruns;
}

static char *
describe_live (Player *player)
{
  const guint64 seconds = player->position / GST_SECOND;

  return g_strdup_printf ("live %02" G_GUINT64_FORMAT ":%02d:%02d, "
                          "%" G_GUINT64_FORMAT " underruns",
      seconds / 3600, (int)(seconds / 60 % 60), (int)(seconds % 60),
      read_underruns (player));
}

static void
sum_up (Player *player)
{
  g_autofree char *label = describe_live (player);

  tell (player, "%s", label);
}

static gboolean
show_position (gpointer data)
{
  Player *player = data;
  const GstClockTime position = player->position;
  g_autofree char *label = NULL;

  if (player->loading || player->interrupted || !position)
    return G_SOURCE_CONTINUE;
  if (player->buffering) {
    vidgen_bar_show (player->bar, "buffering", -1);
  } else if (player->play->live) {
    label = describe_live (player);
    vidgen_bar_show (player->bar, label, -1);
  } else if (GST_CLOCK_TIME_IS_VALID (player->play->length)) {
    vidgen_bar_show (
        player->bar, "generating", (double)position / player->play->length);
  }
  return G_SOURCE_CONTINUE;
}

static void
stop (Player *player, const char *reason)
{
  if (!player->error)
    player->error = g_error_new_literal (
        GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE, reason);
  g_main_loop_quit (player->loop);
}

static gboolean
give_up (gpointer data)
{
  stop (data, "the pipeline did not end in time");
  return G_SOURCE_CONTINUE;
}

static gboolean
interrupt (gpointer data)
{
  Player *player = data;

  if (player->interrupted || !player->position) {
    stop (player, "interrupted");
    return G_SOURCE_CONTINUE;
  }
  tell (player, "ending; interrupt again to stop at once");
  player->interrupted = TRUE;
  player->end_timeout = g_timeout_add_seconds (END_TIMEOUT_S, give_up, player);
  gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
  gst_element_send_event (player->pipeline, gst_event_new_eos ());
  return G_SOURCE_CONTINUE;
}

static void
set_prompt (const char *line, gpointer data)
{
  Player *player = data;

  if (g_utf8_validate (line, -1, NULL))
    g_object_set (player->source, "prompt", line, NULL);
  else
    tell (player, "a prompt must be UTF-8; the old one stays");
}

static void
take_error (Player *player, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  if (player->error)
    return;
  gst_message_parse_error (message, &error, &debug);
  if (gst_object_has_as_ancestor (
          GST_MESSAGE_SRC (message), GST_OBJECT (player->source)) ||
      GST_MESSAGE_SRC (message) == GST_OBJECT (player->source))
    player->error = g_steal_pointer (&error);
  else
    player->error = g_error_new (error->domain, error->code, "%s: %s",
        GST_MESSAGE_SRC_NAME (message), error->message);
  g_debug ("%s", debug);
  g_main_loop_quit (player->loop);
}

static void
take_warning (Player *player, GstMessage *message)
{
  g_autoptr (GError) warning = NULL;

  gst_message_parse_warning (message, &warning, NULL);
  tell (player, "warning: %s", warning->message);
}

static void
take_info (Player *player, GstMessage *message)
{
  g_autoptr (GError) info = NULL;

  gst_message_parse_info (message, &info, NULL);
  tell (player, "%s", info->message);
}

static void
take_buffering (Player *player, GstMessage *message)
{
  gint percent;

  if (player->play->live || player->interrupted)
    return;
  gst_message_parse_buffering (message, &percent);
  player->buffering = percent < 100;
  gst_element_set_state (player->pipeline,
      player->buffering ? GST_STATE_PAUSED : GST_STATE_PLAYING);
}

static void
take_progress (Player *player, GstMessage *message)
{
  GstProgressType type;
  g_autofree char *code = NULL;
  g_autofree char *text = NULL;
  gint percent = 0;

  gst_message_parse_progress (message, &type, &code, &text);
  gst_structure_get_int (
      gst_message_get_structure (message), "percent", &percent);
  player->loading =
      type == GST_PROGRESS_TYPE_START || type == GST_PROGRESS_TYPE_CONTINUE;
  if (player->loading)
    vidgen_bar_show (player->bar, code, percent / 100.0);
}

static void
take_element_message (Player *player, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (player->play->prompts &&
      gst_structure_has_name (structure, "vidgen-prompt-applied"))
    tell (player, "prompt: %s", gst_structure_get_string (structure, "prompt"));
}

static gboolean
take_message (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
  Player *player = data;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    take_error (player, message);
    break;
  case GST_MESSAGE_WARNING:
    take_warning (player, message);
    break;
  case GST_MESSAGE_INFO:
    take_info (player, message);
    break;
  case GST_MESSAGE_EOS:
    g_main_loop_quit (player->loop);
    break;
  case GST_MESSAGE_BUFFERING:
    take_buffering (player, message);
    break;
  case GST_MESSAGE_PROGRESS:
    take_progress (player, message);
    break;
  case GST_MESSAGE_ELEMENT:
    take_element_message (player, message);
    break;
  case GST_MESSAGE_LATENCY:
    gst_bin_recalculate_latency (GST_BIN (player->pipeline));
    break;
  case GST_MESSAGE_CLOCK_LOST:
    gst_element_set_state (player->pipeline, GST_STATE_PAUSED);
    if (!player->buffering)
      gst_element_set_state (player->pipeline, GST_STATE_PLAYING);
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

/* A failed state change has posted its reason on the bus. */
static void
start (Player *player, GstBus *bus)
{
  g_autoptr (GstMessage) message = NULL;

  if (gst_element_set_state (player->pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE)
    return;
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    take_error (player, message);
  else
    stop (player, "the pipeline does not start");
}

gboolean
vidgen_play (GstElement *pipeline, const VidgenPlay *play, GError **error)
{
  Player player = { .play = play, .pipeline = pipeline };
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "video");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (VidgenBar) bar = vidgen_bar_new ();
  g_autoptr (VidgenLines) lines = NULL;
  guint sources[4];

  player.source = source;
  player.loop = loop;
  player.bar = bar;
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, note_position, &player, NULL);
  start (&player, bus);
  if (!player.error) {
    if (play->prompts)
      lines = vidgen_lines_new (set_prompt, &player);
    sources[0] = gst_bus_add_watch (bus, take_message, &player);
    sources[1] = g_unix_signal_add (SIGINT, interrupt, &player);
    sources[2] = g_unix_signal_add (SIGTERM, interrupt, &player);
    sources[3] = g_timeout_add (TICK_MS, show_position, &player);
    g_main_loop_run (loop);
    for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
      g_source_remove (sources[i]);
    if (player.end_timeout)
      g_source_remove (player.end_timeout);
  }
  if (play->live && !player.error)
    sum_up (&player);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (player.error)
    g_propagate_error (error, player.error);
  return player.error == NULL;
}
