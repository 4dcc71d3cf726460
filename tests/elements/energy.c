/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Energy counters, of a folder that looks like /sys, and in the statistics. */

#include "gst-plugin/energy.h"

#include <glib/gstdio.h>

#include "tests/elements/rig.h"

#define PACKAGE "class/powercap/intel-rapl:0"
#define CORES "class/powercap/intel-rapl:0:0"
#define PLATFORM "class/powercap/intel-rapl:1"
#define CARD "class/hwmon/hwmon0"
#define FAN "class/hwmon/hwmon1"

static char *sys;

static void
put (const char *folder, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (sys, folder, NULL);
  g_autofree char *whole = g_build_filename (path, file, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
  g_file_set_contents (whole, text, -1, &error);
  g_assert_no_error (error);
}

static void
set_up (G_GNUC_UNUSED gpointer *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sys = g_dir_make_tmp ("vidgen-sys-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (G_GNUC_UNUSED gpointer *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", sys);

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_clear_pointer (&sys, g_free);
}

static void
put_package (const char *folder, const char *name, const char *energy)
{
  put (folder, "name", name);
  put (folder, "max_energy_range_uj", "262143328850\n");
  put (folder, "energy_uj", energy);
}

static void
test_none (G_GNUC_UNUSED gpointer *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_assert_null (vidgen_energy_new (sys));
  put_package (PACKAGE, "package-0\n", "no number\n");
  put (FAN, "name", "acpitz\n");
  put (FAN, "energy1_input", "5\n");
  put_package (PLATFORM, "psys\n", "5\n");
  g_assert_null (vidgen_energy_new (sys));
}

/* Of the packages and cards, and of these once. */
static void
test_sum (G_GNUC_UNUSED gpointer *fixture, G_GNUC_UNUSED gconstpointer data)
{
  put_package (PACKAGE, "package-0\n", "1000000\n");
  put_package (CORES, "core\n", "1000000\n");
  put_package (PLATFORM, "psys\n", "1000000\n");
  put (CARD, "name", "xe\n");
  put (CARD, "energy1_input", "7000000\n");
  put (CARD, "energy2_input", "6000000\n");
  VidgenEnergy *energy = vidgen_energy_new (sys);
  g_assert_nonnull (energy);
  g_assert_cmpfloat (vidgen_energy_joules (energy), ==, 0);
  put_package (PACKAGE, "package-0\n", "3500000\n");
  put_package (CORES, "core\n", "9000000\n");
  put_package (PLATFORM, "psys\n", "9000000\n");
  put (CARD, "energy2_input", "9000000\n");
  g_assert_cmpfloat (vidgen_energy_joules (energy), ==, 2.5);
  put (CARD, "energy1_input", "8000000\n");
  g_assert_cmpfloat (vidgen_energy_joules (energy), ==, 3.5);
  vidgen_energy_free (energy);
}

static void
test_turns_over (
    G_GNUC_UNUSED gpointer *fixture, G_GNUC_UNUSED gconstpointer data)
{
  put_package (PACKAGE, "package-0\n", "262142328850\n");
  VidgenEnergy *energy = vidgen_energy_new (sys);
  put_package (PACKAGE, "package-0\n", "2000000\n");
  g_assert_cmpfloat (vidgen_energy_joules (energy), ==, 3);
  put_package (PACKAGE, "package-0\n", "");
  g_assert_cmpfloat (vidgen_energy_joules (energy), ==, 3);
  put_package (PACKAGE, "package-0\n", "4000000\n");
  g_assert_cmpfloat (vidgen_energy_joules (energy), ==, 5);
  vidgen_energy_free (energy);
}

/* There where this machine tells, and not otherwise. */
static void
test_statistics (void)
{
  VidgenEnergy *energy = vidgen_energy_new ("/sys");
  g_autoptr (GstStructure) stats = NULL;
  double joules = -1;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 10, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_EOS);
  g_object_get (rig->src, "stats", &stats, NULL);
  g_assert_cmpint (
      gst_structure_get_double (stats, "joules", &joules), ==, energy != NULL);
  if (energy)
    g_assert_cmpfloat (joules, >=, 0);
  vidgen_energy_free (energy);
}

#define ADD(name, function)                                                    \
  g_test_add ("/energy/" name, gpointer, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD ("none", test_none);
  ADD ("sum", test_sum);
  ADD ("turns-over", test_turns_over);
  g_test_add_func ("/energy/statistics", test_statistics);
  return g_test_run ();
}
