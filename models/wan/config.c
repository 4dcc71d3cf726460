/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/config.h"

#include "models/checkpoint/fields.h"
#include "models/checkpoint/json.h"
#include "shaders/attention.h"
#include "shaders/runtime/error.h"

#define MAX_SIZE 16384
#define MAX_LAYERS 128
#define MAX_TEXT_ROWS 4096
#define USUAL_HEAD_SIZE 128
#define USUAL_TEXT_ROWS 512
#define MAX_JSON_DEPTH 16

static gboolean fail (GError **error, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT, message);
  return FALSE;
}

/* Dimension `dim` of a matrix, as a size that is a multiple of 4. */
static gboolean
read_size (const VidgenNames *names, const char *name, guint dim, guint *size,
    GError **error)
{
  const VidgenTensor *tensor = vidgen_names_find (names, name);

  if (!tensor)
    return fail (error, "The tensor '%s' is missing.", name);
  if (tensor->n_dims != 2 || tensor->shape[dim] == 0 ||
      tensor->shape[dim] > MAX_SIZE || tensor->shape[dim] % 4 != 0)
    return fail (error,
        "The tensor '%s' has no matrix's shape whose sizes are multiples of 4 "
        "up to %u.",
        name, MAX_SIZE);
  *size = (guint)tensor->shape[dim];
  return TRUE;
}

static guint
count_layers (const VidgenNames *names)
{
  guint layers = 0;

  for (;; layers++) {
    g_autofree char *name =
        g_strdup_printf ("blocks.%u.self_attn.q.weight", layers);

    if (layers > MAX_LAYERS || !vidgen_names_find (names, name))
      return layers;
  }
}

static gboolean
read_tensors (VidgenWanConfig *config, const VidgenNames *names, GError **error)
{
  config->layers = count_layers (names);
  if (config->layers == 0 || config->layers > MAX_LAYERS)
    return fail (error, "There are no blocks, or more than %u.", MAX_LAYERS);
  return read_size (
             names, "blocks.0.self_attn.q.weight", 0, &config->size, error) &&
         read_size (names, "blocks.0.ffn.0.weight", 0, &config->ffn, error) &&
         read_size (
             names, "time_embedding.0.weight", 1, &config->time_size, error) &&
         read_size (
             names, "text_embedding.0.weight", 1, &config->text_size, error);
}

/* The first of the keys that is there; `value` stays as it is without. */
static void
read_count (VidgenFields *fields, const VidgenSection *section,
    const char *const *keys, guint max, guint *value)
{
  for (guint i = 0; keys[i]; i++) {
    if (json_object_has_member (section->object, keys[i])) {
      *value = vidgen_fields_count (fields, section, keys[i], 1, max);
      return;
    }
  }
}

static gboolean
read_json (VidgenWanConfig *config, const char *path, GError **error)
{
  static const char *const heads[] = { "num_heads", "num_attention_heads",
    NULL };
  static const char *const rows[] = { "text_len", NULL };
  g_autofree char *text = NULL;
  g_autofree char *what = g_strdup_printf ("The config '%s'", path);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) cause = NULL;
  VidgenFields fields = { .file = path, .error = error };
  VidgenSection section = { .path = "" };
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &cause)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "The config '%s' cannot be read: %s.", path, cause->message);
    return FALSE;
  }
  node = vidgen_json_parse (text, length, MAX_JSON_DEPTH, what, error);
  if (!node)
    return FALSE;
  section.object = json_node_get_object (node);
  read_count (&fields, &section, heads, MAX_SIZE, &config->heads);
  if (!fields.failed)
    read_count (&fields, &section, rows, MAX_TEXT_ROWS, &config->text_rows);
  return !fields.failed;
}

static gboolean
check_heads (const VidgenWanConfig *config, GError **error)
{
  const guint size = config->heads ? config->size / config->heads : 0;

  if (config->heads == 0 || config->size % config->heads != 0 ||
      size > VIDGEN_ATTENTION_MAX_HEAD_SIZE || size < 16 ||
      (size & (size - 1)) != 0)
    return fail (error,
        "%u values in %u heads: heads of 16, 32, 64 or 128 values are "
        "supported.",
        config->size, config->heads);
  return TRUE;
}

gboolean
vidgen_wan_config_read (VidgenWanConfig *config, const VidgenNames *names,
    const char *json, GError **error)
{
  *config = (VidgenWanConfig){ .text_rows = USUAL_TEXT_ROWS };
  if (!read_tensors (config, names, error))
    return FALSE;
  config->heads = config->size / USUAL_HEAD_SIZE;
  return (!json || read_json (config, json, error)) &&
         check_heads (config, error);
}
