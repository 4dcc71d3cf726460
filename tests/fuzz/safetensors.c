/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/safetensors.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenSafetensors) file =
      vidgen_safetensors_new (bytes, "input", &error);

  g_assert_true ((file == NULL) == (error != NULL));
  for (guint i = 0; file && i < vidgen_safetensors_n_tensors (file); i++) {
    const VidgenTensor *tensor = vidgen_safetensors_tensor (file, i);

    g_assert_true (tensor->offset <= size);
    g_assert_true (tensor->bytes <= size - tensor->offset);
    g_assert_true (vidgen_safetensors_find (file, tensor->name) == tensor);
    vidgen_tensor_check_finite (file, tensor, NULL);
  }
  return 0;
}
