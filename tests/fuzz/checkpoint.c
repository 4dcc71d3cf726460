/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/checkpoint.h"

#include "tests/fuzz/fuzz.h"

/* Every format of one file. An index finds its shards among the seeds of
 * safetensors. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint = vidgen_checkpoint_new (
      bytes, VIDGEN_FUZZ_CORPUS "/safetensors/index", &error);

  g_assert_true ((checkpoint == NULL) == (error != NULL));
  for (guint i = 0; checkpoint && i < vidgen_checkpoint_n_tensors (checkpoint);
       i++) {
    const VidgenTensor *tensor = vidgen_checkpoint_tensor (checkpoint, i);
    const guint64 count = MIN (vidgen_tensor_count (tensor), 4096);
    g_autofree float *values = g_new (float, count + 1);

    g_assert_true (vidgen_checkpoint_find (checkpoint, tensor->name) == tensor);
    vidgen_tensor_read_f32 (
        tensor, vidgen_tensor_count (tensor) - count, count, values);
  }
  return 0;
}
