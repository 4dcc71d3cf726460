/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/lora.h"

#include <math.h>
#include <string.h>

#include "models/checkpoint/fields.h"
#include "models/checkpoint/file.h"
#include "models/checkpoint/json.h"

#define PART "generator_lora."
#define WRAPPER "_fsdp_wrapped_module."
#define UNDERSCORES "lora_unet_"
#define JSON_DEPTH 16
#define MAX_THREADS 16
#define MIN_ROWS 16 /* that are worth a thread */

typedef enum {
  UP,       /* [out][rank] */
  DOWN,     /* [rank][in] */
  ALPHA,    /* one value */
  DIFF,     /* as the weight */
  DIFF_BIAS /* as the bias */
} Kind;
#define KINDS 5

static const struct {
  const char *suffix;
  Kind kind;
} suffixes[] = {
  { ".lora_A.weight", DOWN },
  { ".lora_B.weight", UP },
  { ".lora_down.weight", DOWN },
  { ".lora_up.weight", UP },
  { ".lora_A.default.weight", DOWN },
  { ".lora_B.default.weight", UP },
  { ".alpha", ALPHA },
  { ".diff", DIFF },
  { ".diff_b", DIFF_BIAS },
};

/* Taken off again and again. */
static const char *const prefixes[] = { "base_model.model.", "transformer.",
  "diffusion_model.", "model.", UNDERSCORES };

/* What is changed of one layer. */
typedef struct {
  const VidgenTensor *tensors[KINDS];
  guint64 rank;
  float scale; /* alpha / rank */
  guint used;  /* bits of 1 << UP and 1 << DIFF_BIAS */
} Entry;

/* A change on its way through an upload. */
typedef struct {
  const Entry *entry;
  gboolean bias;
  guint64 columns;
  float strength;
  VidgenUploadEdit before;
  float *up, *down; /* while rows are asked for */
} Change;

struct _VidgenLora {
  VidgenCheckpoint *checkpoint;
  float strength;
  GHashTable *entries; /* by the layer's name */
  GPtrArray *changes;
};

static char *
find_layer (const char *name, Kind *kind)
{
  g_auto (GStrv) parts = g_strsplit (name, WRAPPER, -1);
  g_autofree char *plain = g_strjoinv (NULL, parts);
  const char *start = plain;

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    if (g_str_has_suffix (plain, suffixes[i].suffix)) {
      plain[strlen (plain) - strlen (suffixes[i].suffix)] = '\0';
      for (guint j = 0; j < G_N_ELEMENTS (prefixes); j++) {
        if (g_str_has_prefix (start, prefixes[j])) {
          start += strlen (prefixes[j]);
          j = (guint)-1;
        }
      }
      *kind = suffixes[i].kind;
      return g_strdup (start);
    }
  }
  return NULL;
}

/* "generator_lora." where the file has such a part, else "". */
static const char *
find_part (const VidgenCheckpoint *checkpoint)
{
  for (guint i = 0; i < vidgen_checkpoint_n_tensors (checkpoint); i++) {
    if (g_str_has_prefix (vidgen_checkpoint_tensor (checkpoint, i)->name, PART))
      return PART;
  }
  return "";
}

gboolean
vidgen_lora_probe (VidgenCheckpoint *checkpoint)
{
  const char *part = find_part (checkpoint);

  for (guint i = 0; i < vidgen_checkpoint_n_tensors (checkpoint); i++) {
    const char *name = vidgen_checkpoint_tensor (checkpoint, i)->name;
    g_autofree char *layer = NULL;
    Kind kind;

    if (!g_str_has_prefix (name, part))
      continue;
    layer = find_layer (name + strlen (part), &kind);
    if (layer && (kind == UP || kind == DIFF))
      return TRUE;
  }
  return FALSE;
}

static gboolean
add_tensor (VidgenLora *lora, const VidgenTensor *tensor, const char *name,
    GError **error)
{
  const char *file = vidgen_checkpoint_name (lora->checkpoint);
  Kind kind;
  g_autofree char *layer = find_layer (name, &kind);
  Entry *entry;

  if (!layer)
    return vidgen_file_fail (error, file,
        "tensor '%s' is of no kind of LoRA that is supported.", tensor->name);
  entry = g_hash_table_lookup (lora->entries, layer);
  if (!entry) {
    entry = g_new0 (Entry, 1);
    g_hash_table_insert (lora->entries, g_steal_pointer (&layer), entry);
  }
  if (entry->tensors[kind])
    return vidgen_file_fail (error, file,
        "tensors '%s' and '%s' are the same part of a LoRA.",
        entry->tensors[kind]->name, tensor->name);
  entry->tensors[kind] = tensor;
  return TRUE;
}

static gboolean
add_all (VidgenLora *lora, GError **error)
{
  const char *part = find_part (lora->checkpoint);

  for (guint i = 0; i < vidgen_checkpoint_n_tensors (lora->checkpoint); i++) {
    const VidgenTensor *tensor = vidgen_checkpoint_tensor (lora->checkpoint, i);

    if (g_str_has_prefix (tensor->name, part) &&
        !add_tensor (lora, tensor, tensor->name + strlen (part), error))
      return FALSE;
  }
  return g_hash_table_size (lora->entries) > 0 ||
         vidgen_file_fail (error, vidgen_checkpoint_name (lora->checkpoint),
             "there are no tensors.");
}

/* Of adapter_config.json; 0: there is none. */
static gboolean
read_config (const VidgenLora *lora, double *alpha, GError **error)
{
  g_autofree char *folder =
      g_path_get_dirname (vidgen_checkpoint_name (lora->checkpoint));
  g_autofree char *path =
      g_build_filename (folder, "adapter_config.json", NULL);
  g_autoptr (GBytes) bytes = vidgen_file_map (path, NULL);
  g_autoptr (JsonNode) root = NULL;
  VidgenFields fields = { .file = path, .error = error };
  VidgenSection section = { .path = "" };
  gsize size;
  const char *text;

  *alpha = 0;
  if (!bytes)
    return TRUE;
  text = g_bytes_get_data (bytes, &size);
  root = vidgen_json_parse (text, size, JSON_DEPTH, path, error);
  if (!root)
    return FALSE;
  section.object = json_node_get_object (root);
  if (json_object_has_member (section.object, "lora_alpha"))
    *alpha = vidgen_fields_number (&fields, &section, "lora_alpha", 1e-6, 1e6);
  if (json_object_get_boolean_member_with_default (
          section.object, "use_rslora", FALSE) ||
      json_object_get_boolean_member_with_default (
          section.object, "use_dora", FALSE))
    vidgen_fields_fail (&fields, "rslora and dora are not supported.");
  return !fields.failed;
}

static gboolean
settle (const VidgenLora *lora, const char *layer, Entry *entry, double alpha,
    GError **error)
{
  const VidgenTensor *up = entry->tensors[UP], *down = entry->tensors[DOWN];
  const char *file = vidgen_checkpoint_name (lora->checkpoint);

  if (!up != !down)
    return vidgen_file_fail (
        error, file, "half of the LoRA of '%s' is missing.", layer);
  if (!up)
    return TRUE;
  if (up->n_dims < 2 || down->n_dims < 2 || down->shape[0] == 0 ||
      up->shape[1] != down->shape[0] ||
      vidgen_tensor_count (up) != up->shape[0] * up->shape[1])
    return vidgen_file_fail (
        error, file, "the halves of the LoRA of '%s' do not fit.", layer);
  entry->rank = down->shape[0];
  if (entry->tensors[ALPHA]) {
    float value = 0;

    if (vidgen_tensor_count (entry->tensors[ALPHA]) == 1)
      vidgen_tensor_read_f32 (entry->tensors[ALPHA], 0, 1, &value);
    alpha = (double)value;
    if (!(fabs (alpha) > 0 && fabs (alpha) < 1e6))
      return vidgen_file_fail (
          error, file, "the alpha of the LoRA of '%s' is %g.", layer, alpha);
  }
  entry->scale = alpha != 0 ? (float)(alpha / (double)entry->rank) : 1;
  return TRUE;
}

static gboolean
settle_all (VidgenLora *lora, GError **error)
{
  GHashTableIter iter;
  gpointer layer, entry;
  double alpha;

  if (!read_config (lora, &alpha, error))
    return FALSE;
  g_hash_table_iter_init (&iter, lora->entries);
  while (g_hash_table_iter_next (&iter, &layer, &entry)) {
    if (!settle (lora, layer, entry, alpha, error))
      return FALSE;
  }
  return TRUE;
}

static void
free_change (gpointer data)
{
  Change *change = data;

  g_free (change->up);
  g_free (change->down);
  g_free (change);
}

VidgenLora *
vidgen_lora_new (VidgenCheckpoint *checkpoint, double strength, GError **error)
{
  g_autoptr (VidgenLora) lora = g_new0 (VidgenLora, 1);

  lora->strength = (float)strength;
  lora->checkpoint = vidgen_checkpoint_ref (checkpoint);
  lora->entries =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  lora->changes = g_ptr_array_new_with_free_func (free_change);
  return add_all (lora, error) && settle_all (lora, error)
             ? g_steal_pointer (&lora)
             : NULL;
}

void
vidgen_lora_free (VidgenLora *lora)
{
  if (!lora)
    return;
  g_ptr_array_unref (lora->changes);
  g_hash_table_unref (lora->entries);
  vidgen_checkpoint_unref (lora->checkpoint);
  g_free (lora);
}

guint
vidgen_lora_count (const VidgenLora *lora)
{
  guint count = 0;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, lora->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Entry *entry = value;

    count += entry->tensors[UP] || entry->tensors[DIFF];
    count += entry->tensors[DIFF_BIAS] != NULL;
  }
  return count;
}

#define LANES 4
#define LANE_BYTES (LANES * sizeof (float))
#define PAIRS 4 /* of lanes that a turn makes of each of two rows */

typedef float Lanes __attribute__ ((vector_size (LANE_BYTES)));

/* Two rows, 16 columns: values[r][c] += sum_k up[r][k] * down[k][c]. */
static void
add_tile (const float *up, guint64 rank, const float *down, guint64 columns,
    float *values)
{
  Lanes sums[2][PAIRS] = { 0 };

  for (guint64 k = 0; k < rank; k++) {
    const float first = up[k], second = up[rank + k];

    for (guint i = 0; i < PAIRS; i++) {
      Lanes part;

      memcpy (&part, down + k * columns + i * LANES, sizeof part);
      sums[0][i] += part * first;
      sums[1][i] += part * second;
    }
  }
  for (guint row = 0; row < 2; row++)
    for (guint i = 0; i < PAIRS * LANES; i++)
      values[row * columns + i] += ((const float *)sums[row])[i];
}

static void
add_value (const float *up, guint64 rank, const float *down, guint64 columns,
    float *value)
{
  float sum = 0;

  for (guint64 k = 0; k < rank; k++)
    sum += up[k] * down[k * columns];
  *value += sum;
}

/* values[rows][columns] += up[rows][rank] * down[rank][columns] */
static void
add_product (const float *up, guint64 rows, guint64 rank, const float *down,
    guint64 columns, float *values)
{
  const guint64 wide = columns / (PAIRS * LANES) * (PAIRS * LANES);
  const guint64 even = rows / 2 * 2;

  for (guint64 column = 0; column < wide; column += PAIRS * LANES)
    for (guint64 row = 0; row < even; row += 2)
      add_tile (up + row * rank, rank, down + column, columns,
          values + row * columns + column);
  for (guint64 row = 0; row < rows; row++)
    for (guint64 column = row < even ? wide : 0; column < columns; column++)
      add_value (up + row * rank, rank, down + column, columns,
          values + row * columns + column);
}

/* A part of the rows. */
typedef struct {
  const float *up, *down;
  guint64 rows, rank, columns;
  float *values;
} Share;

static gpointer
add_share (gpointer data)
{
  const Share *share = data;

  add_product (share->up, share->rows, share->rank, share->down, share->columns,
      share->values);
  return NULL;
}

/* The same on several threads. */
static void
add_product_shared (const float *up, guint64 rows, guint64 rank,
    const float *down, guint64 columns, float *values)
{
  Share shares[MAX_THREADS];
  GThread *threads[MAX_THREADS] = { NULL };
  const guint n =
      MIN (MIN (g_get_num_processors (), MAX_THREADS), 1 + rows / MIN_ROWS);
  const guint64 part = (rows / n + 1) / 2 * 2;

  for (guint i = 0; i < n; i++) {
    const guint64 first = MIN (i * part, rows);
    const guint64 count = i + 1 < n ? MIN (part, rows - first) : rows - first;

    shares[i] = (Share){ up + first * rank, down, count, rank, columns,
      values + first * columns };
    if (i + 1 < n)
      threads[i] = g_thread_try_new ("lora", add_share, &shares[i], NULL);
    if (!threads[i])
      add_share (&shares[i]);
  }
  for (guint i = 0; i < n; i++) {
    if (threads[i])
      g_thread_join (threads[i]);
  }
}

static float *
read_all (const VidgenTensor *tensor, float factor)
{
  const guint64 count = vidgen_tensor_count (tensor);
  float *values = g_new (float, count);

  vidgen_tensor_read_f32 (tensor, 0, count, values);
  for (guint64 i = 0; i < count; i++)
    values[i] *= factor;
  return values;
}

static void
add_diff (const VidgenTensor *diff, guint64 first, guint64 count,
    float strength, float *values)
{
  g_autofree float *part = g_new (float, count);

  vidgen_tensor_read_f32 (diff, first, count, part);
  for (guint64 i = 0; i < count; i++)
    values[i] += strength * part[i];
}

static void
apply (gpointer data, guint64 first, guint64 count, float *values)
{
  Change *change = data;
  const Entry *entry = change->entry;
  const VidgenTensor *diff = entry->tensors[change->bias ? DIFF_BIAS : DIFF];
  const guint64 rows = count / change->columns;
  const guint64 row = first / change->columns;

  if (change->before.apply)
    change->before.apply (change->before.data, first, count, values);
  if (diff)
    add_diff (diff, first, count, change->strength, values);
  if (change->bias || !entry->tensors[UP])
    return;
  if (!change->up) {
    change->up = read_all (entry->tensors[UP], change->strength * entry->scale);
    change->down = read_all (entry->tensors[DOWN], 1);
  }
  add_product_shared (change->up + row * entry->rank, rows, entry->rank,
      change->down, change->columns, values);
  if (row + rows == entry->tensors[UP]->shape[0]) {
    g_clear_pointer (&change->up, g_free);
    g_clear_pointer (&change->down, g_free);
  }
}

/* The layer's entry and which of its two tensors `name` is. */
static Entry *
find_entry (const VidgenLora *lora, const char *name, gboolean *bias)
{
  g_autofree char *layer = g_strdup (name);
  char *dot = strrchr (layer, '.');
  Entry *entry;

  if (!dot)
    return NULL;
  *bias = g_str_equal (dot, ".bias");
  *dot = '\0';
  entry = g_hash_table_lookup (lora->entries, layer);
  if (!entry) {
    g_strdelimit (layer, ".", '_');
    entry = g_hash_table_lookup (lora->entries, layer);
  }
  return entry && (*bias ? entry->tensors[DIFF_BIAS] != NULL
                         : entry->tensors[UP] || entry->tensors[DIFF])
             ? entry
             : NULL;
}

static gboolean
check_shape (const VidgenLora *lora, const Entry *entry, gboolean bias,
    const VidgenTensor *tensor, GError **error)
{
  const VidgenTensor *diff = entry->tensors[bias ? DIFF_BIAS : DIFF];
  const VidgenTensor *up = bias ? NULL : entry->tensors[UP];
  const guint64 count = vidgen_tensor_count (tensor);

  if ((!diff || vidgen_tensor_count (diff) == count) &&
      (!up || (tensor->n_dims >= 2 && tensor->shape[0] == up->shape[0] &&
                  vidgen_tensor_count (entry->tensors[DOWN]) / entry->rank *
                          up->shape[0] ==
                      count)))
    return TRUE;
  return vidgen_file_fail (error, vidgen_checkpoint_name (lora->checkpoint),
      "the LoRA's '%s' does not fit the tensor '%s'.",
      up ? up->name : diff->name, tensor->name);
}

gboolean
vidgen_lora_edit (VidgenLora *lora, const char *const *names,
    const VidgenTensor *tensor, VidgenUploadEdit *edit, GError **error)
{
  Entry *entry = NULL;
  gboolean bias = FALSE;
  Change *change;

  for (guint i = 0; !entry && names[i]; i++)
    entry = find_entry (lora, names[i], &bias);
  if (!entry)
    return TRUE;
  if (!check_shape (lora, entry, bias, tensor, error))
    return FALSE;
  entry->used |= 1u << (bias ? DIFF_BIAS : UP);
  change = g_new0 (Change, 1);
  change->entry = entry;
  change->bias = bias;
  change->columns = bias ? 1 : vidgen_tensor_count (tensor) / tensor->shape[0];
  change->strength = lora->strength;
  change->before = *edit;
  g_ptr_array_add (lora->changes, change);
  *edit = (VidgenUploadEdit){ apply, change };
  return TRUE;
}

gboolean
vidgen_lora_check_used (const VidgenLora *lora, GError **error)
{
  GHashTableIter iter;
  gpointer layer, value;

  g_hash_table_iter_init (&iter, lora->entries);
  while (g_hash_table_iter_next (&iter, &layer, &value)) {
    const Entry *entry = value;
    const gboolean weight = entry->tensors[UP] || entry->tensors[DIFF];

    if ((weight && !(entry->used & 1u << UP)) ||
        (entry->tensors[DIFF_BIAS] && !(entry->used & 1u << DIFF_BIAS)))
      return vidgen_file_fail (error, vidgen_checkpoint_name (lora->checkpoint),
          "the LoRA changes '%s', which the model does not have.",
          (const char *)layer);
  }
  return TRUE;
}
