/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <string.h>

#include "models/checkpoint/checkpoint.h"
#include "shaders/runtime/error.h"
#include "tests/models/fixture.h"

G_BEGIN_DECLS

/* What the tests of checkpoint readers share: files written by hand, and what
 * must hold of whatever is read. */

/* Little-endian. */
static inline void
put_number (GByteArray *file, guint64 value, guint bytes)
{
  g_assert_cmpuint (bytes, <=, sizeof value);
  g_byte_array_append (file, (const guint8 *)&value, bytes);
}

static inline void
put_bytes (GByteArray *file, const void *data, gsize bytes)
{
  g_byte_array_append (file, data, (guint)bytes);
}

static inline VidgenCheckpoint *
open_data (const char *name)
{
  g_autofree char *below = g_build_filename ("tests", "data", name, NULL);
  g_autofree char *path = fixture_path (below);
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *checkpoint = vidgen_checkpoint_open (path, &error);

  g_assert_no_error (error);
  return checkpoint;
}

static inline GBytes *
read_data (const char *name)
{
  g_autofree char *below = g_build_filename ("tests", "data", name, NULL);
  g_autofree char *path = fixture_path (below);
  char *data;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  return g_bytes_new_take (data, size);
}

/* The error must say all of `says`, which '|' separates. */
static inline void
check_says (const GError *error, const char *says)
{
  g_auto (GStrv) parts = g_strsplit (says, "|", -1);

  g_assert_nonnull (error);
  for (guint i = 0; parts[i]; i++) {
    if (!strstr (error->message, parts[i]))
      g_error ("'%s' does not say '%s'", error->message, parts[i]);
  }
}

static inline void
check_refused (GBytes *bytes, const char *says)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_checkpoint_new (bytes, "bad", &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  check_says (error, says);
}

/* Every tensor lies within `bytes` and can be read to its end. */
static inline void
check_within (const VidgenCheckpoint *checkpoint, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  for (guint i = 0; i < vidgen_checkpoint_n_tensors (checkpoint); i++) {
    const VidgenTensor *tensor = vidgen_checkpoint_tensor (checkpoint, i);
    const guint64 count = vidgen_tensor_count (tensor);
    float last = 0;

    g_assert_cmpuint (tensor->offset, <=, size);
    g_assert_cmpuint (tensor->bytes, <=, size - tensor->offset);
    g_assert_true (tensor->data == data + tensor->offset);
    g_assert_true (vidgen_checkpoint_find (checkpoint, tensor->name) == tensor);
    if (count)
      vidgen_tensor_read_f32 (tensor, count - 1, 1, &last);
  }
}

/* Whatever bit is flipped, the file is refused or its tensors lie within it. */
static inline void
check_flipped (GBytes *good)
{
  const gsize size = g_bytes_get_size (good);

  for (gsize bit = 0; bit < 8 * size; bit++) {
    guint8 *data = g_memdup2 (g_bytes_get_data (good, NULL), size);
    g_autoptr (GBytes) flipped = NULL;
    g_autoptr (VidgenCheckpoint) checkpoint = NULL;
    g_autoptr (GError) error = NULL;

    data[bit / 8] ^= (guint8)(1u << bit % 8);
    flipped = g_bytes_new_take (data, size);
    checkpoint = vidgen_checkpoint_new (flipped, "flipped", &error);
    g_assert_true ((checkpoint == NULL) == (error != NULL));
    if (checkpoint)
      check_within (checkpoint, flipped);
  }
}

/* However short a file that ends with its last value is cut, it is refused;
 * each part is a copy, so that sanitizers see its end. */
static inline void
check_truncated (GBytes *good)
{
  const gsize size = g_bytes_get_size (good);

  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) part =
        g_bytes_new (g_bytes_get_data (good, NULL), length);

    check_refused (part, "'bad'");
  }
}

/* A tensor's values, all read at once and one by one, are these. */
static inline void
check_values (const VidgenTensor *tensor, const float *expected, guint64 count)
{
  g_autofree float *values = g_new (float, count + 1);
  float value;

  g_assert_cmpuint (vidgen_tensor_count (tensor), ==, count);
  values[count] = 1234;
  vidgen_tensor_read_f32 (tensor, 0, count, values);
  g_assert_true (memcmp (values, expected, count * sizeof *values) == 0);
  g_assert_true (values[count] == 1234);
  for (guint64 i = 0; i < count; i++) {
    vidgen_tensor_read_f32 (tensor, i, 1, &value);
    g_assert_true (memcmp (&value, &expected[i], sizeof value) == 0);
  }
}

static inline void
check_shape (const VidgenTensor *tensor, VidgenTensorType type, guint n_dims,
    const guint64 *shape)
{
  g_assert_nonnull (tensor);
  g_assert_cmpint (tensor->type, ==, type);
  g_assert_cmpuint (tensor->n_dims, ==, n_dims);
  for (guint i = 0; i < n_dims; i++)
    g_assert_cmpuint (tensor->shape[i], ==, shape[i]);
}

G_END_DECLS
