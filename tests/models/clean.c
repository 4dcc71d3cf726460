/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/clean.h"

#include <string.h>

#include "tests/models/fixture.h"

static void
check (const char *text, const char *expected)
{
  g_autofree char *cleaned = vidgen_clean_text (text);
  g_autofree char *shown = g_strescape (text, NULL);

  if (g_str_equal (cleaned, expected))
    return;
  g_test_message ("'%s' became '%s', not '%s'", shown, cleaned, expected);
  g_test_fail ();
}

/* Of tests/models/goldens/make_clean.py */
static void
test_golden (void)
{
  g_autoptr (GBytes) bytes = fixture_unpack ("tests/models/goldens/clean.gz");
  gsize size;
  const char *at = g_bytes_get_data (bytes, &size);
  const char *end = at + size;
  guint n_texts = 0;

  g_assert_cmpint (end[-1], ==, 0);
  for (; at < end; n_texts++) {
    const char *expected = at + strlen (at) + 1;

    g_assert_true (expected < end);
    check (at, expected);
    at = expected + strlen (expected) + 1;
  }
  g_assert_cmpuint (n_texts, >=, 2000);
}

static void
test_broken_utf8 (void)
{
  check ("a\xff\xc3 b", "a\xef\xbf\xbd\xef\xbf\xbd b");
  check ("", "");
  check (" \n ", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clean/golden", test_golden);
  g_test_add_func ("/clean/broken-utf8", test_broken_utf8);
  return g_test_run ();
}
