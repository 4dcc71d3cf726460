/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/launch.h"

#include <string.h>

struct _VidgenLaunch {
  GPtrArray *words;
};

VidgenLaunch *
vidgen_launch_new (void)
{
  VidgenLaunch *launch = g_new0 (VidgenLaunch, 1);

  launch->words = g_ptr_array_new_with_free_func (g_free);
  return launch;
}

void
vidgen_launch_free (VidgenLaunch *launch)
{
  if (!launch)
    return;
  g_ptr_array_unref (launch->words);
  g_free (launch);
}

void
vidgen_launch_add (VidgenLaunch *launch, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  words = g_strsplit (text, " ", -1);
  for (guint i = 0; words[i]; i++)
    g_ptr_array_add (launch->words, g_strdup (words[i]));
}

/* GStreamer unwraps a value that stands in quotes of its own once more, so one
 * that begins with a quote has to be wrapped. */
static char *
wrap_value (const char *value)
{
  g_auto (GValue) string = G_VALUE_INIT;

  if (value[0] != '"')
    return g_strdup (value);
  g_value_init (&string, G_TYPE_STRING);
  g_value_set_string (&string, value);
  return gst_value_serialize (&string);
}

void
vidgen_launch_add_string (
    VidgenLaunch *launch, const char *name, const char *value)
{
  g_autofree char *wrapped = wrap_value (value);
  GString *word = g_string_new (NULL);

  g_string_printf (word, "%s=\"", name);
  for (const char *c = wrapped; *c; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_c (word, '\\');
    g_string_append_c (word, *c);
  }
  g_string_append_c (word, '"');
  g_ptr_array_add (launch->words, g_string_free (word, FALSE));
}

static gboolean
is_plain (const char *word)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-_=./,:@%+";

  return word[0] && !word[strspn (word, plain)];
}

char *
vidgen_launch_to_shell (const VidgenLaunch *launch)
{
  GString *line = g_string_new ("gst-launch-1.0");

  for (guint i = 0; i < launch->words->len; i++) {
    const char *word = g_ptr_array_index (launch->words, i);
    g_autofree char *quoted = g_shell_quote (word);
    gboolean bare = is_plain (word) || g_str_equal (word, "!");

    g_string_append_printf (line, " %s", bare ? word : quoted);
  }
  return g_string_free (line, FALSE);
}

/* Options are for gst-launch-1.0 itself. */
static gboolean
is_option (const char *word)
{
  return word[0] == '-';
}

GstElement *
vidgen_launch_parse (const VidgenLaunch *launch, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  for (guint i = 0; i < launch->words->len; i++) {
    char *word = g_ptr_array_index (launch->words, i);

    if (!is_option (word))
      g_ptr_array_add (words, word);
  }
  g_ptr_array_add (words, NULL);
  return gst_parse_launchv_full (
      (const char **)words->pdata, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
}
