/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/**
 * SECTION:element-vidgensrc
 * @title: vidgensrc
 * @short_description: Generates video and sound from a prompt
 *
 * Runs a diffusion model in Vulkan compute shaders and sends its pictures on
 * the pad `video` and its sound on the pad `audio`. Without a duration it goes
 * on for ever; with one it is a clip that can be sought in. The prompt may be
 * changed while it plays.
 *
 * A live source sends at the pace of the pipeline's clock, `buffer-time` behind
 * what it generates; `on-underrun` says what happens when generation is late.
 * The latency that it reports is the most that was measured since it started,
 * and a LATENCY message tells that it grew by more than a frame. It does not
 * shrink while it plays: sinks that waited less would have to skip, and would
 * be late again at the next stall.
 *
 * ## URIs
 *
 * `vidgen://mini?prompt=rain&duration=4` or, for a checkpoint,
 * `vidgen:///path/of/model?prompt=rain`. The keys are the properties of content
 * and of time, with times in seconds, and `width`, `height` and `framerate`. A
 * key that there is not, or a value that cannot be, is an error that names it.
 * Unless a URI says otherwise, `use-buffering` is set.
 *
 * ## Messages
 *
 * PROGRESS with the codes `load`, `warmup`, `encode` (a prompt that is dear to
 * encode) and, where a part of a clip is made again behind a seek, `seek`;
 * BUFFERING with `use-buffering`, which queries answer too: how much is ahead
 * of what can be, be it bounded by `buffer-time`, by the end of the clip or by
 * 256 MiB; QOS at every underrun, with how late it was found and by how much
 * generation is slower than real time; and the element messages `vidgen-chunk`
 * (`chunk`, `generation-time`, `queue-level`) and `vidgen-prompt-applied`
 * (`prompt`, `chunk`, `stream-time`).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 vidgensrc num-buffers=48 ! videoconvert ! autovideosink
 * ]| Shows three seconds of the model's own example.
 * |[
 * gst-launch-1.0 vidgensrc name=s duration=10000000000 use-buffering=true \
 *     prompt="ocean waves at sunset" \
 *     s.video ! videoconvert ! autovideosink \
 *     s.audio ! audioconvert ! audioresample ! autoaudiosink
 * ]| Plays ten seconds of picture and sound.
 * |[
 * gst-launch-1.0 -e vidgensrc name=s is-live=true num-buffers=32 \
 *     prompt="rain on a window" \
 *     s.video ! queue ! videoconvert ! autovideosink \
 *     s.audio ! queue ! audioconvert ! audioresample ! autoaudiosink
 * ]| Shows two seconds live.
 * |[
 * gst-launch-1.0 playbin3 uri="vidgen://mini?prompt=fireworks&duration=4"
 * ]| Plays a clip from a URI, in any player.
 *
 * Since: 0.1
 */

#include "gst-plugin/gstvidgensrc.h"

#include "gst-plugin/gstvidgenaudiosrc.h"
#include "gst-plugin/gstvidgencaps.h"
#include "gst-plugin/gstvidgenerror.h"
#include "gst-plugin/gstvidgenoptions.h"
#include "gst-plugin/gstvidgenpreset.h"
#include "gst-plugin/gstvidgenplayer.h"
#include "gst-plugin/gstvidgenreporter.h"
#include "gst-plugin/gstvidgenseek.h"
#include "gst-plugin/gstvidgenuri.h"
#include "gst-plugin/gstvidgenvideosrc.h"

GST_DEBUG_CATEGORY (gst_vidgen_debug);
#define GST_CAT_DEFAULT gst_vidgen_debug

/* The same seek comes from every sink, and others between, where whoever hears
 * of it seeks. */
#define REMEMBERED_SEEKS 8

typedef struct {
  guint32 seqnum;
  gboolean result;
} Seek;

struct _GstVidgenSrc {
  GstBin parent;

  GstVidgenPadSrc *children[VIDGEN_TRACKS];
  GstPad *pads[VIDGEN_TRACKS];
  GstVidgenReporter reporter;

  GMutex lock; /* guards what follows, to `session`, and reporter.energy
                  where the worker does not run */
  GstVidgenOptions options;
  char *uri;
  VidgenSession *session; /* in PAUSED and PLAYING */

  /* From READY on; of state changes. */
  VidgenModel *model;
  VidgenDevice *device;
  char *opened_model, *opened_device;

  GstStreamCollection *collection;
  guint group_id;
  GstStructure *uri_fields; /* that the URI asked for */

  GstVidgenSegment segment;

  GMutex seek_lock;             /* guards what follows, to `newest_seek` */
  Seek seeks[REMEMBERED_SEEKS]; /* a ring */
  guint newest_seek;

  GMutex topology_lock;   /* guards what follows */
  gboolean topology_due;  /* it has changed since it was told */
  gboolean topology_told; /* a thread tells of it, and of what is due */
};

static void gst_vidgen_src_uri_handler_init (
    gpointer iface, gpointer iface_data);

G_DEFINE_TYPE_WITH_CODE (GstVidgenSrc, gst_vidgen_src, GST_TYPE_BIN,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER,
        gst_vidgen_src_uri_handler_init) G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET,
        gst_vidgen_preset_init) GST_DEBUG_CATEGORY_INIT (gst_vidgen_debug,
        "vidgensrc", 0, "generated video and sound"))
GST_ELEMENT_REGISTER_DEFINE (
    vidgensrc, "vidgensrc", GST_RANK_NONE, GST_TYPE_VIDGEN_SRC)

static const char *const track_names[VIDGEN_TRACKS] = { "video", "audio" };

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE ("video",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDGEN_VIDEO_CAPS));
static GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE ("audio",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDGEN_AUDIO_CAPS));

static VidgenSession *
ref_session (GstVidgenSrc *src)
{
  g_mutex_lock (&src->lock);
  VidgenSession *session =
      src->session ? vidgen_session_ref (src->session) : NULL;
  g_mutex_unlock (&src->lock);
  return session;
}

static VidgenTrack
track_of (GstVidgenSrc *src, GstPad *pad)
{
  return pad == src->pads[VIDGEN_TRACK_VIDEO] ? VIDGEN_TRACK_VIDEO
                                              : VIDGEN_TRACK_AUDIO;
}

/* Seeks: one event moves both children, however often it arrives. */

/* What was set since a session began does not count in it. */
static gboolean
is_seekable (GstVidgenSrc *src)
{
  const GstVidgenOptions *options = &src->options;

  g_mutex_lock (&src->lock);
  const gboolean seekable =
      src->session
          ? vidgen_session_is_seekable (src->session)
          : !options->is_live && (GST_CLOCK_TIME_IS_VALID (options->duration) ||
                                     options->num_buffers >= 0);
  g_mutex_unlock (&src->lock);
  return seekable;
}

static gboolean
is_flush (GstEvent *seek)
{
  GstSeekFlags flags;

  gst_event_parse_seek (seek, NULL, NULL, &flags, NULL, NULL, NULL, NULL);
  return flags & GST_SEEK_FLAG_FLUSH;
}

/* Where a seek does not flush, the base class waits for the streaming thread
 * before it interrupts it; so that is done here. Only for one pad at a time:
 * one may need the other one's data to come free. */
static gboolean
move_child (GstVidgenSrc *src, VidgenSession *session, VidgenTrack track,
    GstEvent *seek)
{
  const gboolean interrupt = session && !is_flush (seek);

  if (interrupt)
    vidgen_session_set_flushing (session, track, TRUE);
  const gboolean moved = gst_vidgen_pad_src_send_event (
      src->children[track], gst_event_ref (seek));
  if (interrupt)
    vidgen_session_set_flushing (session, track, FALSE);
  return moved;
}

static gboolean
forward_seek (GstVidgenSrc *src, GstEvent *seek)
{
  g_autoptr (VidgenSession) session = ref_session (src);
  gboolean moved = TRUE;

  gst_vidgen_segment_expect (&src->segment, seek);
  if (session && is_flush (seek))
    vidgen_session_set_held (session, TRUE);
  for (guint i = 0; moved && i < VIDGEN_TRACKS; i++)
    moved = move_child (src, session, i, seek);
  if (session)
    vidgen_session_set_held (session, FALSE);
  return moved;
}

static const Seek *
find_seek (const GstVidgenSrc *src, guint32 seqnum)
{
  for (guint i = 0; i < REMEMBERED_SEEKS; i++) {
    if (src->seeks[i].seqnum == seqnum)
      return &src->seeks[i];
  }
  return NULL;
}

static gboolean
gst_vidgen_src_seek (GstVidgenSrc *src, VidgenTrack track, GstEvent *event)
{
  const guint32 seqnum = gst_event_get_seqnum (event);
  g_autoptr (GstEvent) seek = NULL;

  g_mutex_lock (&src->seek_lock);
  const Seek *done = find_seek (src, seqnum);
  if (!done) {
    if (is_seekable (src))
      seek =
          gst_vidgen_seek_normalise (GST_ELEMENT (src->children[track]), event);
    const gboolean moved = seek && forward_seek (src, seek);
    src->newest_seek = (src->newest_seek + 1) % REMEMBERED_SEEKS;
    src->seeks[src->newest_seek] = (Seek){ seqnum, moved };
    done = &src->seeks[src->newest_seek];
  }
  const gboolean result = done->result;
  g_mutex_unlock (&src->seek_lock);
  if (seek)
    gst_vidgen_segment_begin (&src->segment, GST_ELEMENT (src), seek, result);
  gst_event_unref (event);
  return result;
}

static gboolean
gst_vidgen_src_send_event (GstElement *element, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
    return gst_vidgen_src_seek (
        GST_VIDGEN_SRC (element), VIDGEN_TRACK_VIDEO, event);
  return GST_ELEMENT_CLASS (gst_vidgen_src_parent_class)
      ->send_event (element, event);
}

/* Pads. */

static gboolean
answer_uri (GstVidgenSrc *src, GstQuery *query)
{
  g_mutex_lock (&src->lock);
  const gboolean known = src->uri != NULL;
  if (known)
    gst_query_set_uri (query, src->uri);
  g_mutex_unlock (&src->lock);
  return known;
}

static gboolean
gst_vidgen_src_query (GstElement *element, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_URI)
    return answer_uri (GST_VIDGEN_SRC (element), query);
  return GST_ELEMENT_CLASS (gst_vidgen_src_parent_class)
      ->query (element, query);
}

static gboolean
gst_vidgen_src_pad_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_URI)
    return answer_uri (GST_VIDGEN_SRC (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

static void
set_linked (GstVidgenSrc *src, GstPad *pad)
{
  g_autoptr (VidgenSession) session = ref_session (src);

  if (session && gst_pad_is_linked (pad))
    vidgen_session_link (session, track_of (src, pad));
}

static void
on_linked (GstPad *pad, G_GNUC_UNUSED GstPad *peer, gpointer user_data)
{
  set_linked (GST_VIDGEN_SRC (user_data), pad);
}

static gboolean
gst_vidgen_src_pad_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
    return gst_vidgen_src_seek (src, track_of (src, pad), event);
  /* Something behind the pad was linked anew. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    set_linked (src, pad);
  return gst_pad_event_default (pad, parent, event);
}

/* What leaves later than its running time shows the latency. */
static void
measure_latency (GstVidgenSrc *src, VidgenSession *session, GstBuffer *buffer)
{
  GstElement *element = GST_ELEMENT (src);

  if (!session || !vidgen_session_is_live (session) ||
      GST_STATE (src) != GST_STATE_PLAYING)
    return;
  const GstClockTime now = gst_vidgen_running_time (element);
  const GstClockTime due = GST_BUFFER_PTS (buffer);
  if (vidgen_session_left (session, now > due ? now - due : 0))
    gst_element_post_message (
        element, gst_message_new_latency (GST_OBJECT (src)));
}

/* One pad may lead nowhere. */
static GstFlowReturn
gst_vidgen_src_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVidgenSrc *src = gst_pad_get_element_private (pad);
  const VidgenTrack track = track_of (src, GST_PAD (parent));
  g_autoptr (VidgenSession) session = ref_session (src);
  const guint links = session ? vidgen_session_links (session, track) : 0;

  measure_latency (src, session, buffer);
  const GstFlowReturn result =
      gst_proxy_pad_chain_default (pad, parent, buffer);

  if (!session || result == GST_FLOW_OK || result == GST_FLOW_FLUSHING)
    return result;
  if (result != GST_FLOW_NOT_LINKED) {
    vidgen_session_set_done (session, track);
    return result;
  }
  return vidgen_session_unlink (session, track, links) ? GST_FLOW_OK : result;
}

static GstEvent *
own_stream_start (GstVidgenSrc *src, VidgenTrack track, GstEvent *event)
{
  GstStream *stream = gst_stream_collection_get_stream (src->collection, track);
  GstEvent *own =
      gst_event_new_stream_start (gst_stream_get_stream_id (stream));

  gst_event_set_seqnum (own, gst_event_get_seqnum (event));
  gst_event_set_group_id (own, src->group_id);
  gst_event_set_stream (own, stream);
  gst_event_set_stream_flags (own, gst_stream_get_stream_flags (stream));
  gst_event_unref (event);
  return own;
}

/* Or leaves that to the thread that tells of it now, so that the newest is told
 * last. Nothing is locked meanwhile: whoever hears of it may seek. */
static void
tell_topology (GstVidgenSrc *src)
{
  g_mutex_lock (&src->topology_lock);
  src->topology_due = TRUE;
  while (src->topology_due && !src->topology_told) {
    src->topology_due = FALSE;
    src->topology_told = TRUE;
    g_mutex_unlock (&src->topology_lock);
    gst_vidgen_player_post_topology (GST_ELEMENT (src));
    g_mutex_lock (&src->topology_lock);
    src->topology_told = FALSE;
  }
  g_mutex_unlock (&src->topology_lock);
}

static gboolean
gst_vidgen_src_proxy_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVidgenSrc *src = gst_pad_get_element_private (pad);
  const VidgenTrack track = track_of (src, GST_PAD (parent));

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS && src->uri_fields) {
    const gboolean told = gst_pad_event_default (pad, parent, event);
    tell_topology (src);
    return told;
  }
  if (GST_EVENT_TYPE (event) != GST_EVENT_STREAM_START)
    return gst_pad_event_default (pad, parent, event);
  const gboolean sent =
      gst_pad_event_default (pad, parent, own_stream_start (src, track, event));
  gst_pad_push_event (
      GST_PAD (parent), gst_event_new_stream_collection (src->collection));
  return sent;
}

static void
add_track (GstVidgenSrc *src, VidgenTrack track, GType child_type,
    GstStaticPadTemplate *static_template)
{
  GstElement *child =
      g_object_new (child_type, "name", track_names[track], NULL);
  g_autoptr (GstPadTemplate) template =
      gst_static_pad_template_get (static_template);
  g_autoptr (GstPad) target = gst_element_get_static_pad (child, "src");

  gst_bin_add (GST_BIN (src), child);
  src->children[track] = GST_VIDGEN_PAD_SRC (child);
  GstPad *pad =
      gst_ghost_pad_new_from_template (track_names[track], target, template);
  g_autoptr (GstProxyPad) proxy =
      gst_proxy_pad_get_internal (GST_PROXY_PAD (pad));
  gst_pad_set_element_private (GST_PAD (proxy), src);
  gst_pad_set_chain_function (GST_PAD (proxy), gst_vidgen_src_chain);
  gst_pad_set_event_function (GST_PAD (proxy), gst_vidgen_src_proxy_event);
  gst_pad_set_event_function (pad, gst_vidgen_src_pad_event);
  gst_pad_set_query_function (pad, gst_vidgen_src_pad_query);
  g_signal_connect (pad, "linked", G_CALLBACK (on_linked), src);
  src->pads[track] = pad;
  gst_element_add_pad (GST_ELEMENT (src), pad);
}

static void
make_collection (GstVidgenSrc *src)
{
  static const GstStreamType types[VIDGEN_TRACKS] = { GST_STREAM_TYPE_VIDEO,
    GST_STREAM_TYPE_AUDIO };

  gst_clear_object (&src->collection);
  src->collection = gst_stream_collection_new (NULL);
  src->group_id = gst_util_group_id_next ();
  for (guint i = 0; i < VIDGEN_TRACKS; i++) {
    g_autofree char *id = gst_pad_create_stream_id (
        src->pads[i], GST_ELEMENT (src), track_names[i]);
    gst_stream_collection_add_stream (src->collection,
        gst_stream_new (id, NULL, types[i], GST_STREAM_FLAG_SELECT));
  }
}

/* States. */

static gboolean
check_prompt (const char *prompt, GError **error)
{
  if (prompt && strlen (prompt) > VIDGEN_PROMPT_MAX_BYTES) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The prompt is longer than %u bytes.", VIDGEN_PROMPT_MAX_BYTES);
    return FALSE;
  }
  if (prompt && !g_utf8_validate (prompt, -1, NULL)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The prompt is not valid UTF-8.");
    return FALSE;
  }
  return TRUE;
}

static void
release_model (GstVidgenSrc *src)
{
  g_clear_pointer (&src->model, vidgen_model_unref);
  g_clear_pointer (&src->device, vidgen_device_unref);
  g_clear_pointer (&src->opened_model, g_free);
  g_clear_pointer (&src->opened_device, g_free);
}

static void
close_model (GstVidgenSrc *src)
{
  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    gst_vidgen_pad_src_set_model (src->children[i], NULL);
  release_model (src);
}

static void
set_cache_dir (GstVidgenSrc *src, const char *cache_dir)
{
  g_autofree char *path =
      cache_dir ? g_strdup (cache_dir)
                : g_build_filename (g_get_user_cache_dir (), "vidgensrc", NULL);

  vidgen_device_set_cache_dir (src->device, path);
  vidgen_model_set_cache_dir (src->model, path);
}

static void
warn_of_cpu (GstVidgenSrc *src, const char *device_name)
{
  const VidgenDeviceCaps *caps = vidgen_device_caps (src->device);

  if (caps->type == VIDGEN_DEVICE_CPU && g_str_equal (device_name, "auto"))
    GST_ELEMENT_WARNING (src, RESOURCE, NOT_FOUND,
        ("No GPU was found; %s generates on the CPU, slowly.", caps->name),
        (NULL));
}

/* Opens what the properties name, unless it is open already. */
static gboolean
open_model (GstVidgenSrc *src, GError **error)
{
  g_mutex_lock (&src->lock);
  g_autofree char *location = g_strdup (src->options.model);
  g_autofree char *device_name = g_strdup (src->options.device);
  g_autofree char *cache_dir = g_strdup (src->options.cache_dir);
  const gboolean valid =
      check_prompt (src->options.settings.prompt, error) &&
      check_prompt (src->options.settings.negative_prompt, error);
  g_mutex_unlock (&src->lock);

  if (!valid)
    return FALSE;
  if (src->model && g_str_equal (location, src->opened_model) &&
      g_str_equal (device_name, src->opened_device)) {
    set_cache_dir (src, cache_dir);
    return TRUE;
  }
  close_model (src);
  src->model = vidgen_model_open (location, error);
  if (!src->model)
    return FALSE;
  src->device = vidgen_device_open (device_name, error);
  if (!src->device) {
    close_model (src);
    return FALSE;
  }
  set_cache_dir (src, cache_dir);
  warn_of_cpu (src, device_name);
  src->opened_model = g_steal_pointer (&location);
  src->opened_device = g_steal_pointer (&device_name);
  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    gst_vidgen_pad_src_set_model (src->children[i], src->model);
  return TRUE;
}

static gboolean
open_or_post (GstVidgenSrc *src)
{
  g_autoptr (GError) error = NULL;

  gst_vidgen_reporter_reset (&src->reporter);
  if (open_model (src, &error))
    return TRUE;
  if (gst_vidgen_reporter_claim_error (&src->reporter))
    gst_vidgen_error_post (GST_ELEMENT (src), GST_MESSAGE_ERROR, error);
  return FALSE;
}

/* Whichever of duration and num-buffers ends earlier; queries answer with
 * signed times. */
static guint64
clip_frames (const GstVidgenSrc *src, const VidgenFormat *format)
{
  const guint64 frame_divisor = GST_SECOND * format->fps_d;
  guint64 frames = VIDGEN_ENDLESS;

  if (GST_CLOCK_TIME_IS_VALID (src->options.duration))
    frames = MIN (gst_util_uint64_scale_round (
                      src->options.duration, format->fps_n, frame_divisor),
        gst_util_uint64_scale (G_MAXINT64, format->fps_n, frame_divisor));
  if (src->options.num_buffers >= 0)
    frames = MIN (frames, (guint64)src->options.num_buffers);
  return frames;
}

static void
start_session (GstVidgenSrc *src)
{
  const VidgenModelInfo *info = vidgen_model_info (src->model);
  VidgenSessionParams params = { .model = src->model, .device = src->device };

  make_collection (src);
  gst_element_post_message (GST_ELEMENT (src),
      gst_message_new_stream_collection (GST_OBJECT (src), src->collection));
  src->reporter.frame_ns = gst_util_uint64_scale (
      GST_SECOND, info->native.fps_d, info->native.fps_n);

  g_mutex_lock (&src->lock);
  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    params.linked[i] = gst_pad_is_linked (src->pads[i]);
  params.seed = src->options.seed;
  params.frames = clip_frames (src, &info->native);
  params.live = src->options.is_live;
  params.report_level = src->options.use_buffering;
  params.buffer_ns = src->options.buffer_time;
  params.underrun = src->options.on_underrun;
  params.settings = &src->options.settings;
  src->reporter.energy = vidgen_energy_new ("/sys");
  src->session = vidgen_session_new (
      &params, &gst_vidgen_reporter_callbacks, &src->reporter);
  g_autofree char *comment = g_strdup_printf (
      "model %s, seed %" G_GUINT64_FORMAT, info->name, src->options.seed);
  for (guint i = 0; i < VIDGEN_TRACKS; i++) {
    gst_base_src_set_live (
        GST_BASE_SRC (src->children[i]), src->options.is_live);
    gst_vidgen_pad_src_set_session (src->children[i], src->session, comment);
  }
  g_mutex_unlock (&src->lock);
}

static void
stop_session (GstVidgenSrc *src)
{
  g_autoptr (VidgenSession) session = ref_session (src);

  if (session)
    vidgen_session_stop (session);
}

static void
free_session (GstVidgenSrc *src)
{
  g_mutex_lock (&src->lock);
  VidgenSession *session = g_steal_pointer (&src->session);
  g_clear_pointer (&src->reporter.energy, vidgen_energy_free);
  g_mutex_unlock (&src->lock);
  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    gst_vidgen_pad_src_set_session (src->children[i], NULL, NULL);
  vidgen_session_unref (session);
}

static GstStateChangeReturn
gst_vidgen_src_change_state (GstElement *element, GstStateChange transition)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (element);

  switch (transition) {
  case GST_STATE_CHANGE_NULL_TO_READY:
    if (!open_or_post (src))
      return GST_STATE_CHANGE_FAILURE;
    break;
  case GST_STATE_CHANGE_READY_TO_PAUSED:
    if (!open_or_post (src))
      return GST_STATE_CHANGE_FAILURE;
    start_session (src);
    break;
  case GST_STATE_CHANGE_PAUSED_TO_READY:
    stop_session (src);
    break;
  default:
    break;
  }

  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS (gst_vidgen_src_parent_class)
          ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          result == GST_STATE_CHANGE_FAILURE)) {
    stop_session (src);
    free_session (src);
  } else if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
             (transition == GST_STATE_CHANGE_NULL_TO_READY &&
                 result == GST_STATE_CHANGE_FAILURE)) {
    close_model (src);
  }
  return result;
}

static void
gst_vidgen_src_handle_message (GstBin *bin, GstMessage *message)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (bin);

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_SEGMENT_DONE:
    gst_vidgen_segment_end (&src->segment, GST_ELEMENT (src), message);
    gst_message_unref (message);
    return;
  case GST_MESSAGE_SEGMENT_START:
    gst_message_unref (message);
    return;
  case GST_MESSAGE_ERROR:
    if (!gst_vidgen_reporter_claim_error (&src->reporter)) {
      gst_message_unref (message);
      return;
    }
    message = gst_vidgen_error_of_child (GST_ELEMENT (src), message);
    break;
  default:
    break;
  }
  GST_BIN_CLASS (gst_vidgen_src_parent_class)->handle_message (bin, message);
}

/* Properties. */

static void
restore_settings (GstElement *element, const VidgenSettings *in_force)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (element);

  g_mutex_lock (&src->lock);
  vidgen_settings_copy (&src->options.settings, in_force);
  g_mutex_unlock (&src->lock);
}

/* A bad prompt is refused at once where one is in force; else it is found when
 * the element starts. */
static gboolean
takes_prompt (
    const GstVidgenSrc *src, guint id, const GValue *value, GError **error)
{
  return !src->session ||
         (id != GST_VIDGEN_PROP_PROMPT &&
             id != GST_VIDGEN_PROP_NEGATIVE_PROMPT) ||
         check_prompt (g_value_get_string (value), error);
}

static void
gst_vidgen_src_set_property (GObject *object, guint id, const GValue *value,
    G_GNUC_UNUSED GParamSpec *spec)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (object);
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&src->lock);
  if (takes_prompt (src, id, value, &error)) {
    gst_vidgen_options_set (&src->options, id, value);
    if (src->session) {
      vidgen_session_set (src->session, &src->options.settings);
      vidgen_session_set_underrun (src->session, src->options.on_underrun);
    }
  }
  g_mutex_unlock (&src->lock);
  if (error)
    gst_vidgen_error_post (GST_ELEMENT (src), GST_MESSAGE_WARNING, error);
}

static GstStructure *
make_stats (GstVidgenSrc *src)
{
  g_autoptr (VidgenSession) session = ref_session (src);
  VidgenSessionStats stats = { 0 };

  if (session)
    vidgen_session_stats (session, &stats);
  GstStructure *structure = gst_structure_new ("vidgen-stats", "chunks",
      G_TYPE_UINT64, stats.chunks, "frames", G_TYPE_UINT64, stats.frames,
      "time-to-first-chunk", G_TYPE_UINT64, stats.first_chunk_ns,
      "real-time-factor", G_TYPE_DOUBLE, stats.real_time_factor, "underruns",
      G_TYPE_UINT64, stats.underruns, "deadline-attainment", G_TYPE_DOUBLE,
      stats.frames > 0 ? (double)stats.on_time / stats.frames : 1.0,
      "queue-level", G_TYPE_UINT64, stats.level_ns, "device-time",
      G_TYPE_UINT64, stats.device_ns, "peak-memory", G_TYPE_UINT64,
      stats.memory_peak_bytes, NULL);
  g_mutex_lock (&src->lock);
  if (src->reporter.energy)
    gst_structure_set (structure, "joules", G_TYPE_DOUBLE,
        vidgen_energy_joules (src->reporter.energy), NULL);
  g_mutex_unlock (&src->lock);
  return structure;
}

static void
gst_vidgen_src_get_property (
    GObject *object, guint id, GValue *value, G_GNUC_UNUSED GParamSpec *spec)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (object);

  if (id == GST_VIDGEN_PROP_STATS) {
    g_value_take_boxed (value, make_stats (src));
    return;
  }
  g_mutex_lock (&src->lock);
  gst_vidgen_options_get (&src->options, id, value);
  g_mutex_unlock (&src->lock);
}

static void
gst_vidgen_src_finalize (GObject *object)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (object);

  release_model (src);
  gst_clear_object (&src->collection);
  gst_vidgen_options_clear (&src->options);
  g_free (src->uri);
  g_clear_pointer (&src->uri_fields, gst_structure_free);
  g_mutex_clear (&src->lock);
  g_mutex_clear (&src->seek_lock);
  g_mutex_clear (&src->topology_lock);
  gst_vidgen_segment_clear (&src->segment);
  G_OBJECT_CLASS (gst_vidgen_src_parent_class)->finalize (object);
}

static void
gst_vidgen_src_class_init (GstVidgenSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_vidgen_src_set_property;
  object_class->get_property = gst_vidgen_src_get_property;
  object_class->finalize = gst_vidgen_src_finalize;
  gst_vidgen_options_install (object_class);

  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_set_static_metadata (element_class,
      "Generated video and sound", "Source/Video/Audio",
      "Generates video and sound from a prompt with a diffusion model",
      "The vidgensrc authors");
  element_class->change_state = gst_vidgen_src_change_state;
  element_class->send_event = gst_vidgen_src_send_event;
  element_class->query = gst_vidgen_src_query;
  GST_BIN_CLASS (klass)->handle_message = gst_vidgen_src_handle_message;
  gst_type_mark_as_plugin_api (GST_TYPE_VIDGEN_UNDERRUN, 0);
}

static void
gst_vidgen_src_init (GstVidgenSrc *src)
{
  gst_bin_set_suppressed_flags (
      GST_BIN (src), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (src, GST_ELEMENT_FLAG_SOURCE);
  g_mutex_init (&src->lock);
  g_mutex_init (&src->seek_lock);
  g_mutex_init (&src->topology_lock);
  gst_vidgen_segment_init (&src->segment);
  src->reporter.element = GST_ELEMENT (src);
  src->reporter.restored = restore_settings;
  gst_vidgen_options_init (&src->options);
  add_track (
      src, VIDGEN_TRACK_VIDEO, GST_TYPE_VIDGEN_VIDEO_SRC, &video_template);
  add_track (
      src, VIDGEN_TRACK_AUDIO, GST_TYPE_VIDGEN_AUDIO_SRC, &audio_template);
}

/* The URI. */

static GstURIType
gst_vidgen_src_uri_get_type (G_GNUC_UNUSED GType type)
{
  return GST_URI_SRC;
}

static const char *const *
gst_vidgen_src_uri_get_protocols (G_GNUC_UNUSED GType type)
{
  static const char *const protocols[] = { GST_VIDGEN_URI_SCHEME, NULL };

  return protocols;
}

static char *
gst_vidgen_src_uri_get_uri (GstURIHandler *handler)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (handler);

  g_mutex_lock (&src->lock);
  char *uri = g_strdup (src->uri);
  g_mutex_unlock (&src->lock);
  return uri;
}

static void
filter_video (GstVidgenSrc *src, const GstStructure *fields)
{
  static const char *const names[] = { "width", "height", "framerate", NULL };
  GstCaps *filter = gst_caps_new_empty_simple ("video/x-raw");

  for (guint i = 0; names[i]; i++) {
    const GValue *value = gst_structure_get_value (fields, names[i]);
    if (value)
      gst_caps_set_value (filter, names[i], value);
  }
  gst_vidgen_video_src_set_filter (
      GST_VIDGEN_VIDEO_SRC (src->children[VIDGEN_TRACK_VIDEO]), filter);
  gst_caps_unref (filter);
}

static gboolean
reset_field (
    GQuark field, G_GNUC_UNUSED const GValue *value, gpointer user_data)
{
  const char *name = g_quark_to_string (field);
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (user_data), name);

  if (spec)
    g_object_set_property (
        user_data, name, g_param_spec_get_default_value (spec));
  return TRUE;
}

static gboolean
set_field (GQuark field, const GValue *value, gpointer user_data)
{
  const char *name = g_quark_to_string (field);

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (user_data), name))
    g_object_set_property (user_data, name, value);
  return TRUE;
}

static void
show_pads (GstVidgenSrc *src, const VidgenModelInfo *info)
{
  make_collection (src);
  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    gst_vidgen_player_show_pad (src->pads[i],
        gst_stream_collection_get_stream (src->collection, i), info);
}

/* What the URI before it asked for, and this one does not, is forgotten. */
static void
take_uri (GstVidgenSrc *src, const char *uri, GstStructure *fields)
{
  if (src->uri_fields)
    gst_structure_foreach (src->uri_fields, reset_field, src);
  g_object_set (src, "use-buffering", TRUE, NULL);
  gst_structure_foreach (fields, set_field, src);
  filter_video (src, fields);
  g_clear_pointer (&src->uri_fields, gst_structure_free);
  src->uri_fields = fields;
  g_mutex_lock (&src->lock);
  g_free (src->uri);
  src->uri = g_strdup (uri);
  g_mutex_unlock (&src->lock);
}

static gboolean
gst_vidgen_src_uri_set_uri (
    GstURIHandler *handler, const char *uri, GError **error)
{
  GstVidgenSrc *src = GST_VIDGEN_SRC (handler);

  if (GST_STATE (src) > GST_STATE_READY) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
        "The URI of vidgensrc can be set in NULL and READY only.");
    return FALSE;
  }
  g_autoptr (GstStructure) fields =
      gst_vidgen_uri_parse (uri, G_OBJECT_GET_CLASS (src), error);
  if (!fields)
    return FALSE;
  /* Its headers alone, and of regular files: players look at the pads before
   * READY, and a size can be checked here. Nothing is kept: READY opens it
   * again, and where it cannot be opened tells that by its name. */
  g_autoptr (VidgenModel) model =
      vidgen_model_open (gst_structure_get_string (fields, "model"), NULL);
  if (model && !gst_vidgen_uri_check (fields, vidgen_model_info (model), error))
    return FALSE;
  take_uri (src, uri, g_steal_pointer (&fields));
  if (model)
    show_pads (src, vidgen_model_info (model));
  return TRUE;
}

static void
gst_vidgen_src_uri_handler_init (
    gpointer iface, G_GNUC_UNUSED gpointer iface_data)
{
  GstURIHandlerInterface *uri_iface = iface;

  uri_iface->get_type = gst_vidgen_src_uri_get_type;
  uri_iface->get_protocols = gst_vidgen_src_uri_get_protocols;
  uri_iface->get_uri = gst_vidgen_src_uri_get_uri;
  uri_iface->set_uri = gst_vidgen_src_uri_set_uri;
}
