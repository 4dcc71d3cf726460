/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenoptions.h"

#define DEFAULT_MODEL "mini"
#define DEFAULT_DEVICE "auto"
#define DEFAULT_BUFFER_TIME GST_SECOND
#define DEFAULT_GUIDANCE -1.0
#define MAX_GUIDANCE 100.0

GType
gst_vidgen_underrun_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { VIDGEN_UNDERRUN_REPEAT,
        "Repeat the last picture in silence until the buffer is full again",
        "repeat" },
    { VIDGEN_UNDERRUN_STALL, "Wait, and send late", "stall" },
    { VIDGEN_UNDERRUN_ERROR, "Stop with an error", "error" }, { 0, NULL, NULL }
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVidgenUnderrun", values));
  return type;
}

#define READY                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING                                                                \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_content_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_VIDGEN_PROP_MODEL,
      g_param_spec_string ("model", "Model",
          "Name of an embedded model, or path of a checkpoint file or folder",
          DEFAULT_MODEL, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_PROMPT,
      g_param_spec_string ("prompt", "Prompt",
          "What to generate, from the next chunk on; NULL for the model's "
          "own example",
          NULL, PLAYING));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_NEGATIVE_PROMPT,
      g_param_spec_string ("negative-prompt", "Negative prompt",
          "What not to generate, where the model uses guidance", NULL,
          PLAYING));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_SEED,
      g_param_spec_uint64 ("seed", "Seed",
          "Key of the content: the same seed and prompt give the same content",
          0, G_MAXUINT64, 0, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_STEPS,
      g_param_spec_uint ("steps", "Steps",
          "Denoising steps of a chunk; 0 for the model's default", 0, 1000, 0,
          PLAYING));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_GUIDANCE_SCALE,
      g_param_spec_double ("guidance-scale", "Guidance scale",
          "Scale of classifier-free guidance; -1 for the model's default",
          DEFAULT_GUIDANCE, MAX_GUIDANCE, DEFAULT_GUIDANCE,
          PLAYING | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_TRANSITION_TIME,
      g_param_spec_uint64 ("transition-time", "Transition time",
          "Time over which a new prompt blends in, in nanoseconds", 0,
          G_MAXINT64, 0, PLAYING));
}

static void
install_stream_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_VIDGEN_PROP_DURATION,
      g_param_spec_uint64 ("duration", "Duration",
          "Length of a clip that can be sought in, in nanoseconds; the "
          "default is endless",
          0, G_MAXUINT64, GST_CLOCK_TIME_NONE, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_NUM_BUFFERS,
      g_param_spec_int ("num-buffers", "Number of buffers",
          "Video frames to send, sound ending with them; -1 for no limit", -1,
          G_MAXINT, -1, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live",
          "Whether to send at the pace of the clock", FALSE, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_BUFFER_TIME,
      g_param_spec_uint64 ("buffer-time", "Buffer time",
          "How far generation runs ahead, and what a live source collects "
          "before it sends, in nanoseconds",
          0, G_MAXINT64, DEFAULT_BUFFER_TIME, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_USE_BUFFERING,
      g_param_spec_boolean ("use-buffering", "Use buffering",
          "Whether to post buffering messages, so that a player pauses while "
          "generation is slower than real time",
          FALSE, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_ON_UNDERRUN,
      g_param_spec_enum ("on-underrun", "On underrun",
          "What a live source does when generation is late",
          GST_TYPE_VIDGEN_UNDERRUN, VIDGEN_UNDERRUN_REPEAT, PLAYING));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "GPU by index, UUID or part of its name; auto for the best there is",
          DEFAULT_DEVICE, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_CACHE_DIR,
      g_param_spec_string ("cache-dir", "Cache folder",
          "Where compiled pipelines and encoded prompts are kept; NULL for the "
          "user's cache folder",
          NULL, READY));
  g_object_class_install_property (klass, GST_VIDGEN_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "What was generated so far and how fast", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void
gst_vidgen_options_install (GObjectClass *klass)
{
  install_content_properties (klass);
  install_stream_properties (klass);
}

void
gst_vidgen_options_init (GstVidgenOptions *options)
{
  *options = (GstVidgenOptions){
    .model = g_strdup (DEFAULT_MODEL),
    .device = g_strdup (DEFAULT_DEVICE),
    .settings.guidance = DEFAULT_GUIDANCE,
    .duration = GST_CLOCK_TIME_NONE,
    .num_buffers = -1,
    .buffer_time = DEFAULT_BUFFER_TIME,
  };
}

void
gst_vidgen_options_clear (GstVidgenOptions *options)
{
  g_clear_pointer (&options->model, g_free);
  g_clear_pointer (&options->device, g_free);
  g_clear_pointer (&options->cache_dir, g_free);
  vidgen_settings_clear (&options->settings);
}

static void
set_string (char **to, const GValue *value)
{
  g_free (*to);
  *to = g_value_dup_string (value);
}

void
gst_vidgen_options_set (
    GstVidgenOptions *options, guint id, const GValue *value)
{
  switch (id) {
  case GST_VIDGEN_PROP_MODEL:
    set_string (&options->model, value);
    if (!options->model)
      options->model = g_strdup (DEFAULT_MODEL);
    break;
  case GST_VIDGEN_PROP_PROMPT:
    set_string (&options->settings.prompt, value);
    break;
  case GST_VIDGEN_PROP_NEGATIVE_PROMPT:
    set_string (&options->settings.negative_prompt, value);
    break;
  case GST_VIDGEN_PROP_SEED:
    options->seed = g_value_get_uint64 (value);
    break;
  case GST_VIDGEN_PROP_STEPS:
    options->settings.steps = g_value_get_uint (value);
    break;
  case GST_VIDGEN_PROP_GUIDANCE_SCALE:
    options->settings.guidance = g_value_get_double (value);
    break;
  case GST_VIDGEN_PROP_TRANSITION_TIME:
    options->settings.transition_ns = g_value_get_uint64 (value);
    break;
  case GST_VIDGEN_PROP_DURATION:
    options->duration = g_value_get_uint64 (value);
    break;
  case GST_VIDGEN_PROP_NUM_BUFFERS:
    options->num_buffers = g_value_get_int (value);
    break;
  case GST_VIDGEN_PROP_IS_LIVE:
    options->is_live = g_value_get_boolean (value);
    break;
  case GST_VIDGEN_PROP_BUFFER_TIME:
    options->buffer_time = g_value_get_uint64 (value);
    break;
  case GST_VIDGEN_PROP_USE_BUFFERING:
    options->use_buffering = g_value_get_boolean (value);
    break;
  case GST_VIDGEN_PROP_ON_UNDERRUN:
    options->on_underrun = g_value_get_enum (value);
    break;
  case GST_VIDGEN_PROP_DEVICE:
    set_string (&options->device, value);
    if (!options->device)
      options->device = g_strdup (DEFAULT_DEVICE);
    break;
  case GST_VIDGEN_PROP_CACHE_DIR:
    set_string (&options->cache_dir, value);
    break;
  default:
    break;
  }
}

void
gst_vidgen_options_get (
    const GstVidgenOptions *options, guint id, GValue *value)
{
  switch (id) {
  case GST_VIDGEN_PROP_MODEL:
    g_value_set_string (value, options->model);
    break;
  case GST_VIDGEN_PROP_PROMPT:
    g_value_set_string (value, options->settings.prompt);
    break;
  case GST_VIDGEN_PROP_NEGATIVE_PROMPT:
    g_value_set_string (value, options->settings.negative_prompt);
    break;
  case GST_VIDGEN_PROP_SEED:
    g_value_set_uint64 (value, options->seed);
    break;
  case GST_VIDGEN_PROP_STEPS:
    g_value_set_uint (value, options->settings.steps);
    break;
  case GST_VIDGEN_PROP_GUIDANCE_SCALE:
    g_value_set_double (value, options->settings.guidance);
    break;
  case GST_VIDGEN_PROP_TRANSITION_TIME:
    g_value_set_uint64 (value, options->settings.transition_ns);
    break;
  case GST_VIDGEN_PROP_DURATION:
    g_value_set_uint64 (value, options->duration);
    break;
  case GST_VIDGEN_PROP_NUM_BUFFERS:
    g_value_set_int (value, options->num_buffers);
    break;
  case GST_VIDGEN_PROP_IS_LIVE:
    g_value_set_boolean (value, options->is_live);
    break;
  case GST_VIDGEN_PROP_BUFFER_TIME:
    g_value_set_uint64 (value, options->buffer_time);
    break;
  case GST_VIDGEN_PROP_USE_BUFFERING:
    g_value_set_boolean (value, options->use_buffering);
    break;
  case GST_VIDGEN_PROP_ON_UNDERRUN:
    g_value_set_enum (value, options->on_underrun);
    break;
  case GST_VIDGEN_PROP_DEVICE:
    g_value_set_string (value, options->device);
    break;
  case GST_VIDGEN_PROP_CACHE_DIR:
    g_value_set_string (value, options->cache_dir);
    break;
  default:
    break;
  }
}
