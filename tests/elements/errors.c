/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Everything that can be wrong: one error with the right code, and the same
 * element works once it is put right. */

#include <glib/gstdio.h>
#include <string.h>

#include "gst-plugin/gstvidgenerror.h"
#include "tests/elements/rig.h"

#define TINY VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors"

typedef enum { CORE, RESOURCE, STREAM } Domain;

static GQuark
quark_of (Domain domain)
{
  const GQuark quarks[] = { GST_CORE_ERROR, GST_RESOURCE_ERROR,
    GST_STREAM_ERROR };

  return quarks[domain];
}

static void
assert_plays (Rig *rig)
{
  rig_clear (rig);
  g_ptr_array_set_size (rig->messages, 0);
  g_object_set (rig->src, "num-buffers", 5, NULL);
  rig_run (rig);
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), ==, 5);
}

/* Refused on the way to READY, and again when it is tried again. */
static void
assert_ready_fails (Rig *rig, Domain domain, gint code)
{
  for (guint i = 0; i < 2; i++) {
    g_ptr_array_set_size (rig->messages, 0);
    g_assert_cmpint (gst_element_set_state (rig->pipeline, GST_STATE_PLAYING),
        ==, GST_STATE_CHANGE_FAILURE);
    rig_assert_error (
        rig_wait (rig, GST_MESSAGE_ERROR), quark_of (domain), code);
    rig_read (rig);
    g_assert_cmpuint (rig_count (rig, GST_MESSAGE_ERROR), ==, 1);
    rig_state (rig, GST_STATE_NULL);
  }
}

static void
assert_bad_file (const char *path, Domain domain, gint code)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "model", path, NULL);
  assert_ready_fails (rig, domain, code);
  g_object_set (rig->src, "model", TINY, NULL);
  assert_plays (rig);
}

static void
test_missing_model (void)
{
  assert_bad_file (
      "/nonexistent/model.safetensors", RESOURCE, GST_RESOURCE_ERROR_NOT_FOUND);
  assert_bad_file ("nosuchmodel", RESOURCE, GST_RESOURCE_ERROR_NOT_FOUND);
  assert_bad_file ("", RESOURCE, GST_RESOURCE_ERROR_NOT_FOUND);
}

static char *
write_file (const char *data, gsize size)
{
  char *path = NULL;
  g_autoptr (GError) error = NULL;
  const gint fd = g_file_open_tmp ("vidgen-XXXXXX.safetensors", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, data, size, NULL));
  return path;
}

static void
assert_bad_data (const char *data, gsize size)
{
  g_autofree char *path = write_file (data, size);

  assert_bad_file (path, STREAM, GST_STREAM_ERROR_FORMAT);
  g_unlink (path);
}

static void
test_broken_model (void)
{
  g_autofree char *tiny = NULL, *foreign = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (TINY, &tiny, &size, NULL));
  assert_bad_data (tiny, size / 2);
  assert_bad_data (tiny, size - 1);
  assert_bad_data (tiny, 7);
  assert_bad_data (tiny, 100);
  assert_bad_data ("", 0);
  foreign = g_malloc0 (4096);
  assert_bad_data (foreign, 4096);
  memset (foreign, 'x', 4096);
  assert_bad_data (foreign, 4096);
  /* A header that lies about its length. */
  tiny[3] ^= 0x40;
  assert_bad_data (tiny, size);
}

static void
test_no_device (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "device", "no such device", NULL);
  assert_ready_fails (rig, RESOURCE, GST_RESOURCE_ERROR_NOT_FOUND);
  g_object_set (rig->src, "device", "host", NULL);
  assert_plays (rig);
}

static void
test_bad_prompt (void)
{
  g_autofree char *longer = g_strnfill (VIDGEN_PROMPT_MAX_BYTES + 1, 'a');
  g_autofree char *longest = g_strnfill (VIDGEN_PROMPT_MAX_BYTES, 'a');
  const char *const bad[] = { "\xc3\x28", longer };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    g_object_set (rig->src, "prompt", bad[i], NULL);
    assert_ready_fails (rig, RESOURCE, GST_RESOURCE_ERROR_SETTINGS);
    g_object_set (rig->src, "prompt", longest, NULL);
    assert_plays (rig);
    /* The same in READY, where it is found on the way to PAUSED. */
    rig_state (rig, GST_STATE_READY);
    g_object_set (rig->src, "prompt", bad[i], NULL);
    g_assert_cmpint (gst_element_set_state (rig->pipeline, GST_STATE_PAUSED),
        ==, GST_STATE_CHANGE_FAILURE);
    rig_state (rig, GST_STATE_NULL);
  }
}

static void
test_bad_settings (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "steps", 3, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_assert_error (rig_wait (rig, GST_MESSAGE_ERROR), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS);
  rig_state (rig, GST_STATE_NULL);
  g_object_set (rig->src, "steps", 4, "guidance-scale", 11.0, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_assert_error (rig_wait (rig, GST_MESSAGE_ERROR), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS);
  rig_state (rig, GST_STATE_NULL);
  g_object_set (rig->src, "guidance-scale", 3.0, NULL);
  assert_plays (rig);
}

/* What mini cannot do. */
static void
test_unsupported (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "model", TINY, "negative-prompt", "people", NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_assert_error (rig_wait (rig, GST_MESSAGE_ERROR), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS);
  rig_state (rig, GST_STATE_NULL);
  g_object_set (rig->src, "negative-prompt", NULL, NULL);
  assert_plays (rig);
}

typedef struct {
  VidgenError code;
  Domain domain;
  gint expected;
} Fault;

static const Fault faults[] = {
  { VIDGEN_ERROR_NO_MEMORY, RESOURCE, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
  { VIDGEN_ERROR_DEVICE_LOST, RESOURCE, GST_RESOURCE_ERROR_FAILED },
  { VIDGEN_ERROR_FORMAT, STREAM, GST_STREAM_ERROR_FORMAT },
  { VIDGEN_ERROR_FAILED, RESOURCE, GST_RESOURCE_ERROR_FAILED },
};

static void
assert_fault (Rig *rig, const Fault *fault)
{
  rig_state (rig, GST_STATE_PLAYING);
  rig_assert_error (rig_wait (rig, GST_MESSAGE_ERROR), quark_of (fault->domain),
      fault->expected);
  g_usleep (10000);
  rig_read (rig);
  g_assert_cmpuint (rig_count (rig, GST_MESSAGE_ERROR), ==, 1);
  rig_state (rig, GST_STATE_NULL);
  g_atomic_int_set (&fake.fail_load, FALSE);
  g_atomic_int_set (&fake.fail_chunk, -1);
  assert_plays (rig);
}

static void
test_fault_in_loading (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    fake_reset ();
    fake.fail_load = TRUE;
    fake.fail_code = faults[i].code;
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    assert_fault (rig, &faults[i]);
  }
}

static void
test_fault_in_a_chunk (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    fake_reset ();
    fake.fail_chunk = 3;
    fake.fail_code = faults[i].code;
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    assert_fault (rig, &faults[i]);
  }
}

static void
test_translation (void)
{
  static const struct {
    VidgenError code;
    Domain domain;
    gint expected;
  } table[] = {
    { VIDGEN_ERROR_NOT_FOUND, RESOURCE, GST_RESOURCE_ERROR_NOT_FOUND },
    { VIDGEN_ERROR_NO_DEVICE, RESOURCE, GST_RESOURCE_ERROR_NOT_FOUND },
    { VIDGEN_ERROR_FORMAT, STREAM, GST_STREAM_ERROR_FORMAT },
    { VIDGEN_ERROR_NO_MEMORY, RESOURCE, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
    { VIDGEN_ERROR_DEVICE_LOST, RESOURCE, GST_RESOURCE_ERROR_FAILED },
    { VIDGEN_ERROR_INVALID, RESOURCE, GST_RESOURCE_ERROR_SETTINGS },
    { VIDGEN_ERROR_UNSUPPORTED, RESOURCE, GST_RESOURCE_ERROR_SETTINGS },
    { VIDGEN_ERROR_FAILED, RESOURCE, GST_RESOURCE_ERROR_FAILED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error =
        g_error_new (VIDGEN_ERROR, table[i].code, "A test.");
    GQuark domain;
    gint code;
    gst_vidgen_error_translate (error, &domain, &code);
    g_assert_cmpuint (domain, ==, quark_of (table[i].domain));
    g_assert_cmpint (code, ==, table[i].expected);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/errors/09-missing-model", test_missing_model);
  g_test_add_func ("/errors/09-broken-model", test_broken_model);
  g_test_add_func ("/errors/09-no-device", test_no_device);
  g_test_add_func ("/errors/bad-prompt", test_bad_prompt);
  g_test_add_func ("/errors/bad-settings", test_bad_settings);
  g_test_add_func ("/errors/unsupported", test_unsupported);
  g_test_add_func ("/errors/26-fault-in-loading", test_fault_in_loading);
  g_test_add_func ("/errors/26-fault-in-a-chunk", test_fault_in_a_chunk);
  g_test_add_func ("/errors/09-translation", test_translation);
  return g_test_run ();
}
