/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/torch.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenPickle) pickle = vidgen_pickle_new (data, size, "input",
      vidgen_torch_globals, vidgen_torch_n_globals, &error);

  g_assert_true ((pickle == NULL) == (error != NULL));
  if (pickle)
    g_assert_nonnull (vidgen_pickle_root (pickle));
  return 0;
}
