/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/energy.h"

typedef struct {
  char *folder;
  const char *file;
  guint64 last, range; /* microjoules; it turns over behind `range` */
} Counter;

struct _VidgenEnergy {
  GMutex lock; /* guards what follows */
  GArray *counters;
  guint64 microjoules;
};

static char *
read_text (const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  return g_strstrip (text);
}

static gboolean
read_number (const char *folder, const char *file, guint64 *number)
{
  g_autofree char *text = read_text (folder, file);

  return text &&
         g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, number, NULL);
}

static gboolean
add_counter (GArray *counters, const char *folder, const char *file,
    const char *range_file)
{
  Counter counter = { .range = G_MAXUINT64 };

  if (!read_number (folder, file, &counter.last) ||
      (range_file && !read_number (folder, range_file, &counter.range)) ||
      counter.last > counter.range)
    return FALSE;
  counter.folder = g_strdup (folder);
  counter.file = file;
  g_array_append_val (counters, counter);
  return TRUE;
}

/* A package's domains and the platform's would count twice. */
static void
add_package (GArray *counters, const char *folder)
{
  g_autofree char *name = read_text (folder, "name");

  if (name && g_str_has_prefix (name, "package"))
    add_counter (counters, folder, "energy_uj", "max_energy_range_uj");
}

/* The first counter is the card's where there is one. */
static void
add_card (GArray *counters, const char *folder)
{
  static const char *const drivers[] = { "amdgpu", "i915", "nouveau", "xe",
    NULL };
  g_autofree char *name = read_text (folder, "name");

  if (name && g_strv_contains (drivers, name) &&
      !add_counter (counters, folder, "energy1_input", NULL))
    add_counter (counters, folder, "energy2_input", NULL);
}

static void
for_each_folder (const char *sys, const char *class,
    void (*add) (GArray *counters, const char *folder), GArray *counters)
{
  g_autofree char *path = g_build_filename (sys, "class", class, NULL);
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *folder = g_build_filename (path, name, NULL);
    add (counters, folder);
  }
  if (dir)
    g_dir_close (dir);
}

static void
clear_counter (gpointer data)
{
  g_free (((Counter *)data)->folder);
}

VidgenEnergy *
vidgen_energy_new (const char *sys)
{
  g_autoptr (GArray) counters = g_array_new (FALSE, FALSE, sizeof (Counter));

  g_array_set_clear_func (counters, clear_counter);
  for_each_folder (sys, "powercap", add_package, counters);
  for_each_folder (sys, "hwmon", add_card, counters);
  if (counters->len == 0)
    return NULL;
  VidgenEnergy *energy = g_new0 (VidgenEnergy, 1);
  g_mutex_init (&energy->lock);
  energy->counters = g_steal_pointer (&counters);
  return energy;
}

void
vidgen_energy_free (VidgenEnergy *energy)
{
  if (!energy)
    return;
  g_array_unref (energy->counters);
  g_mutex_clear (&energy->lock);
  g_free (energy);
}

static guint64
advance (Counter *counter)
{
  guint64 now;

  if (!read_number (counter->folder, counter->file, &now) ||
      now > counter->range)
    return 0;
  const guint64 taken = now >= counter->last
                            ? now - counter->last
                            : counter->range - counter->last + now;
  counter->last = now;
  return taken;
}

double
vidgen_energy_joules (VidgenEnergy *energy)
{
  g_mutex_lock (&energy->lock);
  for (guint i = 0; i < energy->counters->len; i++)
    energy->microjoules +=
        advance (&g_array_index (energy->counters, Counter, i));
  const double joules = energy->microjoules / 1e6;
  g_mutex_unlock (&energy->lock);
  return joules;
}
