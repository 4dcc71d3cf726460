/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* A folder of published checkpoints, tiny and random, played from a prompt:
 * pictures, and silence that says it is none. */

#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/elements/rig.h"

#define WIDTH 80
#define HEIGHT 48
#define FRAMES 13 /* of the first chunk 1, of three more 4 each */
#define SECOND_SAMPLES 48000
#define FPS 16

static void
put (const char *folder, const char *golden, const char *name)
{
  g_autofree char *from = g_build_filename (
      VIDGEN_SOURCE_ROOT, "tests", "models", "goldens", golden, NULL);
  g_autofree char *to = g_build_filename (folder, name, NULL);

  g_assert_cmpint (symlink (from, to), ==, 0);
}

static char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("vidgen-XXXXXX", &error);
  g_autofree char *side = NULL;

  g_assert_no_error (error);
  side = g_build_filename (folder, "vidgen.ini", NULL);
  put (folder, "wan/weights.safetensors", "framewise-1step.safetensors");
  put (folder, "wan/config.json", "config.json");
  put (folder, "decoders/taehv-weights.safetensors", "taew2_1.safetensors");
  put (folder, "umt5/wan/models_t5_umt5-xxl-enc-bf16.pth", "t5.pth");
  put (folder, "umt5/wan/google/umt5-xxl/spiece.model", "spiece.model");
  g_file_set_contents (side,
      "[wan]\npreset = causal-forcing-1-step\nwindow = 4\nsink = 1\n"
      "width = 80\nheight = 48\n",
      -1, &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (folder);
}

static void
check_sound (const Rig *rig)
{
  const RigTrack *track = &rig->tracks[RIG_AUDIO];
  guint64 samples = 0;

  for (guint i = 0; i < track->buffers->len; i++) {
    GstBuffer *buffer = rig_buffer (rig, RIG_AUDIO, i);
    GstMapInfo map;

    g_assert_true (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
    g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
    for (gsize j = 0; j < map.size; j++)
      g_assert_cmpuint (map.data[j], ==, 0);
    samples += map.size / (2 * sizeof (float));
    gst_buffer_unmap (buffer, &map);
  }
  g_assert_cmpuint (samples, ==, FRAMES * SECOND_SAMPLES / FPS);
}

/* Met before it would be kept, and not encoded. It has more tokens than the
 * model reads. */
static char *
new_prompt (void)
{
  g_autofree char *word = g_uuid_string_random ();

  return g_strconcat ("rain on a roof ", word, NULL);
}

/* Encoding the prompt is told of, to its end. */
static void
check_progress (const Rig *rig)
{
  GstProgressType last = GST_PROGRESS_TYPE_ERROR;

  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    g_autofree char *code = NULL;
    GstProgressType type;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
      continue;
    gst_message_parse_progress (message, &type, &code, NULL);
    if (g_str_equal (code, "encode"))
      last = type;
  }
  g_assert_cmpint (last, ==, GST_PROGRESS_TYPE_COMPLETE);
}

static void
test_prompt (void)
{
  g_autofree char *folder = make_folder (), *prompt = new_prompt ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  const GstStructure *caps;
  int width, height;

  g_object_set (rig->src, "model", folder, "device", "host", "prompt", prompt,
      "num-buffers", FRAMES, NULL);
  rig_run (rig);
  g_assert_cmpuint (rig->tracks[RIG_VIDEO].buffers->len, ==, FRAMES);
  caps = gst_caps_get_structure (
      g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, 0), 0);
  g_assert_true (gst_structure_get_int (caps, "width", &width));
  g_assert_true (gst_structure_get_int (caps, "height", &height));
  g_assert_cmpint (width, ==, WIDTH);
  g_assert_cmpint (height, ==, HEIGHT);
  check_sound (rig);
  check_progress (rig);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  fake_leave_in_order ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/published/prompt", test_prompt);
  return g_test_run ();
}
