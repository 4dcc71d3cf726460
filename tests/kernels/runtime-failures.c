/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <glib/gstdio.h>
#include <string.h>

#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"
#ifdef VIDGEN_SHADERS
#include "shaders/runtime/cachefile.h"
#endif
#include "tests/kernels/harness.h"
#include "tests/kernels/probe.h"

static gboolean
launch (VidgenDevice *device, GError **error)
{
  g_autoptr (VidgenMemory) memory =
      vidgen_memory_new (device, 400, VIDGEN_MEMORY_DEVICE, error);
  g_autoptr (VidgenRecorder) recorder = NULL;
  VidgenProbe probe = { .count = 100, .add = 1, .repeat = 1 };

  if (!memory)
    return FALSE;
  recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  if (!recorder)
    return FALSE;
  probe.out = vidgen_memory_span (memory);
  vidgen_probe (recorder, &probe);
  return vidgen_recorder_finish (recorder, NULL, error);
}

static void
test_device_lost (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, 100, FALSE);
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  const VidgenProbe probe = { .count = 100,
    .out = vidgen_memory_span (memory) };

  vidgen_device_inject (device, VIDGEN_FAULT_DEVICE_LOST, 2);
  for (guint i = 0; i < 2; i++) {
    vidgen_probe (recorder, &probe);
    g_assert_true (vidgen_recorder_finish (recorder, NULL, &error));
  }
  g_assert_false (vidgen_device_is_lost (device));
  vidgen_probe (recorder, &probe);
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST);
  g_clear_error (&error);
  g_assert_true (vidgen_device_is_lost (device));

  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_false (launch (device, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST);
}

/* Nobody holds the lost device any more: another one is opened. */
static void
test_after_loss (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vidgen_device_is_lost (device));
  launch (device, &error);
  g_assert_no_error (error);
}

/* The lost device is still held: another one is opened beside it. */
static void
test_beside_lost (VidgenDevice *lost)
{
  const char *name = vidgen_device_caps (lost)->type == VIDGEN_DEVICE_HOST
                         ? "host"
                         : vidgen_device_caps (lost)->uuid;
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = NULL;
  g_autoptr (VidgenDevice) same = NULL;

  vidgen_device_inject (lost, VIDGEN_FAULT_DEVICE_LOST, 0);
  g_assert_false (launch (lost, NULL));
  device = vidgen_device_open (name, &error);
  g_assert_no_error (error);
  g_assert_true (device != lost);
  launch (device, &error);
  g_assert_no_error (error);
  same = vidgen_device_open (name, &error);
  g_assert_true (same == device);
}

static void
test_no_memory (VidgenDevice *device)
{
  const guint64 used = vidgen_device_memory_used (device);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = NULL;

  vidgen_device_inject (device, VIDGEN_FAULT_NO_MEMORY, 1);
  memory = vidgen_memory_new (device, 4096, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  g_assert_null (
      vidgen_memory_new (device, 12345, VIDGEN_MEMORY_DEVICE, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  g_assert_nonnull (strstr (error->message, "12345 bytes are needed"));
  g_clear_error (&error);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used + 4096);
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  launch (device, &error);
  g_assert_no_error (error);
}

static void
test_full (VidgenDevice *device)
{
  const guint used = (guint)vidgen_device_memory_used (device);
  g_autoptr (GError) error = NULL;
  VidgenMemory *memory;

  vidgen_device_inject (device, VIDGEN_FAULT_FULL, used + 4096);
  g_assert_null (
      vidgen_memory_new (device, 4097, VIDGEN_MEMORY_DEVICE, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  g_clear_error (&error);
  for (guint i = 0; i < 2; i++) {
    memory = vidgen_memory_new (device, 4096, VIDGEN_MEMORY_DEVICE, &error);
    g_assert_no_error (error);
    g_assert_null (vidgen_memory_new (device, 1, VIDGEN_MEMORY_DEVICE, NULL));
    vidgen_memory_unref (memory);
  }
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
}

static void
test_fault_environment (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = NULL;

  g_setenv ("VIDGEN_FAULT", "device-lost:0", TRUE);
  device = vidgen_device_open ("host", &error);
  g_unsetenv ("VIDGEN_FAULT");
  g_assert_no_error (error);
  g_assert_false (launch (device, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST);
}

static void
test_unknown_name (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_device_open ("no such device", &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
}

#ifdef VIDGEN_SHADERS
static void
expect_no_device (const char *variable, const char *value, const char *words)
{
  static const char *const names[] = { NULL, "auto", "0", "llvmpipe" };

  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    g_test_trap_assert_passed ();
    return;
  }
  g_setenv (variable, value, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vidgen_device_open (names[i], &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
    g_assert_nonnull (strstr (error->message, words));
    g_clear_error (&error);
    g_assert_null (vidgen_device_list (&error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
  }
}

static void
test_no_driver (void)
{
  expect_no_device ("VK_DRIVER_FILES", "/nonexistent", "no Vulkan driver");
}

static void
test_no_library (void)
{
  expect_no_device (
      "VIDGEN_VULKAN_LIBRARY", "/nonexistent/libvulkan.so.1", "libvulkan.so.1");
}

static const VidgenCacheOwner owner = { 0x10de, 0x2786,
  { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };

/* A driver's data: the head that Vulkan prescribes, then anything. */
static GBytes *
cache_data_new (const VidgenCacheOwner *of)
{
  guint8 *data = g_malloc0 (1000);
  const guint32 head[] = { GUINT32_TO_LE (32), GUINT32_TO_LE (1),
    GUINT32_TO_LE (of->vendor), GUINT32_TO_LE (of->device) };

  memcpy (data, head, sizeof head);
  memcpy (data + sizeof head, of->uuid, sizeof of->uuid);
  memset (data + 32, 0x5a, 1000 - 32);
  return g_bytes_new_take (data, 1000);
}

static char *
temporary_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("vidgen-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static void
expect_ignored (const char *path, const char *contents, gsize size)
{
  g_file_set_contents (path, contents, (gssize)size, NULL);
  g_assert_null (vidgen_cachefile_read (path, &owner));
}

static void
test_cachefile (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autofree char *inner = g_build_filename (folder, "made", NULL);
  g_autofree char *path = g_build_filename (inner, "cache", NULL);
  g_autoptr (GBytes) data = cache_data_new (&owner);
  g_autoptr (GBytes) read = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;
  gsize size;

  g_assert_null (vidgen_cachefile_read (path, &owner));
  vidgen_cachefile_write (path, data, &error);
  g_assert_no_error (error);
  read = vidgen_cachefile_read (path, &owner);
  g_assert_true (g_bytes_equal (read, data));

  g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
  for (gsize i = 0; i < size; i += 173)
    expect_ignored (path, contents, i);
  for (gsize i = 0; i < size; i += 47) {
    contents[i] ^= 1;
    expect_ignored (path, contents, size);
    contents[i] ^= 1;
  }
  expect_ignored (path, "", 0);

  for (guint i = 0; i < 3; i++) {
    VidgenCacheOwner other = owner;
    g_autoptr (GBytes) foreign = NULL;

    other.vendor += i == 0;
    other.device += i == 1;
    other.uuid[15] += i == 2;
    foreign = cache_data_new (&other);
    g_assert_true (vidgen_cachefile_write (path, foreign, NULL));
    g_assert_null (vidgen_cachefile_read (path, &owner));
  }
  g_unlink (path);
  g_rmdir (inner);
  g_rmdir (folder);
}

static char *
only_file (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = g_dir_read_name (dir);

  g_assert_nonnull (name);
  g_assert_null (g_dir_read_name (dir));
  return g_build_filename (folder, name, NULL);
}

static void
run_with_cache (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open (NULL, &error);

  g_assert_no_error (error);
  vidgen_device_set_cache_dir (device, folder);
  launch (device, &error);
  g_assert_no_error (error);
  vidgen_device_save_cache (device);
}

static void
test_cache (void)
{
  static const char *const broken[] = { "", "VIDGENPC", "garbage" };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  g_autofree char *path = NULL;
  VidgenDevice *device = vidgen_device_open (NULL, &error);

  if (!device) {
    g_test_skip (error->message);
    return;
  }
  vidgen_device_unref (device);
  folder = temporary_folder ();
  run_with_cache (folder);
  path = only_file (folder);
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autofree char *contents = NULL;
    gsize size;

    g_assert_true (g_file_set_contents (path, broken[i], -1, NULL));
    run_with_cache (folder);
    g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
    g_assert_cmpuint (size, >, 32);
    g_assert_cmpmem (contents, 8, "VIDGENPC", 8);
  }
  run_with_cache (folder);
  run_with_cache ("/proc/no such folder");
  run_with_cache (NULL);
  g_unlink (path);
  g_rmdir (folder);
}
#endif

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_runtime_test_add ("/runtime/failures/device-lost", test_device_lost);
  vidgen_runtime_test_add ("/runtime/failures/after-loss", test_after_loss);
  vidgen_runtime_test_add ("/runtime/failures/beside-lost", test_beside_lost);
  vidgen_runtime_test_add ("/runtime/failures/no-memory", test_no_memory);
  vidgen_runtime_test_add ("/runtime/failures/full", test_full);
  g_test_add_func ("/runtime/failures/environment", test_fault_environment);
  g_test_add_func ("/runtime/failures/unknown-name", test_unknown_name);
#ifdef VIDGEN_SHADERS
  g_test_add_func ("/runtime/failures/no-driver", test_no_driver);
  g_test_add_func ("/runtime/failures/no-library", test_no_library);
  g_test_add_func ("/runtime/failures/cachefile", test_cachefile);
  g_test_add_func ("/runtime/failures/cache", test_cache);
#endif
  return g_test_run ();
}
