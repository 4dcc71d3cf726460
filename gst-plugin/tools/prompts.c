/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/families.h"
#include "gst-plugin/tools/verbs.h"
#include "models/model.h"

static void
print_family (const VidgenFamily *family)
{
  g_print ("\n%s\n", family->name);
  for (const VidgenAttribute *attribute = family->attributes; attribute->name;
       attribute++)
    g_print ("  %-12s%s\n", attribute->name, attribute->values);
  g_print ("  “%s”\n", family->example);
}

gboolean
vidgen_prompts (GStrv arguments, GError **error)
{
  const char *location = arguments[1] ? arguments[1] : "mini";
  g_autoptr (VidgenModel) model = NULL;

  if (g_str_equal (location, "--help")) {
    g_print ("Usage: vidgen prompts [MODEL]\n\n"
             "Prints the example prompts of a model (default: mini), and of "
             "mini the kinds\nof scenes that it knows, what of each a prompt "
             "may say, and an example.\n");
    return TRUE;
  }
  model = vidgen_model_open (location, error);
  if (!model)
    return FALSE;
  for (const char *const *prompt = vidgen_model_info (model)->prompts; *prompt;
       prompt++)
    g_print ("%s\n", *prompt);
  if (g_str_equal (location, "mini"))
    for (const VidgenFamily *family = vidgen_families; family->name; family++)
      print_family (family);
  return TRUE;
}
