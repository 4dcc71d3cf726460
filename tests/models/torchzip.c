/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/models/checkpoints.h"

#define EMA "generator_ema.model._fsdp_wrapped_module."

/* The tensor's values count up from `start`. */
static void
check_counts (const VidgenCheckpoint *checkpoint, const char *name,
    VidgenTensorType type, float start, guint n_dims, const guint64 *shape)
{
  const VidgenTensor *tensor = vidgen_checkpoint_find (checkpoint, name);
  float values[24];

  check_shape (tensor, type, n_dims, shape);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    values[i] = start + (float)i;
  check_values (tensor, values, vidgen_tensor_count (tensor));
}

#define SHAPE(...)                                                             \
  sizeof ((guint64[]){ __VA_ARGS__ }) / 8, (const guint64[])                   \
  {                                                                            \
    __VA_ARGS__                                                                \
  }

static void
test_published (void)
{
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.pth");
  const VidgenTensor *base, *rows;

  g_assert_cmpint (
      vidgen_checkpoint_format (checkpoint), ==, VIDGEN_CHECKPOINT_TORCH);
  g_assert_cmpuint (vidgen_checkpoint_n_tensors (checkpoint), ==, 10);
  check_counts (
      checkpoint, "generator.model.weight", VIDGEN_TENSOR_F32, 0, SHAPE (2, 3));
  check_counts (
      checkpoint, "generator.model.bias", VIDGEN_TENSOR_F32, 10, SHAPE (2));
  check_counts (checkpoint, EMA "half", VIDGEN_TENSOR_F16, 20, SHAPE (2, 2));
  check_counts (checkpoint, EMA "brain", VIDGEN_TENSOR_BF16, 30, SHAPE (1, 5));
  check_counts (checkpoint, EMA "parameter", VIDGEN_TENSOR_F32, 40, SHAPE (3));
  check_counts (checkpoint, EMA "base", VIDGEN_TENSOR_F32, 100, SHAPE (6, 4));
  check_counts (checkpoint, EMA "rows", VIDGEN_TENSOR_F32, 108, SHAPE (2, 4));
  check_counts (checkpoint, EMA "scalar", VIDGEN_TENSOR_F32, 7.5f, 0, NULL);
  check_counts (checkpoint, EMA "empty", VIDGEN_TENSOR_F32, 0, SHAPE (0, 4));
  check_counts (checkpoint, EMA "index", VIDGEN_TENSOR_I64, -2, SHAPE (4));
  base = vidgen_checkpoint_find (checkpoint, EMA "base");
  rows = vidgen_checkpoint_find (checkpoint, EMA "rows");
  g_assert_true (rows->data == base->data + 32);
}

static void
test_metadata (void)
{
  static const struct {
    const char *key, *value;
  } texts[] = { { "step", "600" }, { "rate", "0.25" }, { "note", "π" },
    { "done", "false" }, { "betas.0", "0.5" }, { "betas.1", "0.75" },
    { "nothing", NULL }, { "generator", NULL } };
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.pth");

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_cmpstr (vidgen_checkpoint_metadata (checkpoint, texts[i].key), ==,
        texts[i].value);
}

static void
test_transposed (void)
{
  g_autoptr (GBytes) bytes = read_data ("transposed.pth");

  check_refused (bytes, "'x'|is not contiguous");
}

/* A stored zip archive by hand; with `zip64`, sizes and offsets are in the
 * extra field. */
typedef struct {
  GByteArray *file, *directory;
  guint n_entries;
  gboolean zip64;
  guint method, flags;
} Zip;

static void
put_sizes (GByteArray *to, const Zip *zip, gsize size)
{
  put_number (to, zip->zip64 ? G_MAXUINT32 : size, 4);
  put_number (to, zip->zip64 ? G_MAXUINT32 : size, 4);
}

static void
add_entry (Zip *zip, const char *name, const void *data, gsize size)
{
  const guint64 offset = zip->file->len;

  put_bytes (zip->file, "PK\3\4\0\0", 6);
  put_number (zip->file, zip->flags, 2);
  put_number (zip->file, zip->method, 2);
  put_number (zip->file, 0, 8);
  put_sizes (zip->file, zip, size);
  put_number (zip->file, strlen (name), 2);
  put_number (zip->file, 0, 2);
  put_bytes (zip->file, name, strlen (name));
  put_bytes (zip->file, data, size);

  put_bytes (zip->directory, "PK\1\2\0\0\0\0", 8);
  put_number (zip->directory, zip->flags, 2);
  put_number (zip->directory, zip->method, 2);
  put_number (zip->directory, 0, 8);
  put_sizes (zip->directory, zip, size);
  put_number (zip->directory, strlen (name), 2);
  put_number (zip->directory, zip->zip64 ? 32 : 0, 2);
  put_bytes (zip->directory, "\0\0\0\0\0\0\0\0\0", 10);
  put_number (zip->directory, zip->zip64 ? G_MAXUINT32 : offset, 4);
  put_bytes (zip->directory, name, strlen (name));
  if (zip->zip64) {
    put_bytes (zip->directory, "\x75\x70\0\0\1\0\x18\0", 8);
    put_number (zip->directory, size, 8);
    put_number (zip->directory, size, 8);
    put_number (zip->directory, offset, 8);
  }
  zip->n_entries++;
}

static void
put_end64 (Zip *zip, guint64 start)
{
  const guint64 at = zip->file->len;

  put_bytes (zip->file, "PK\6\6\x2c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
  put_number (zip->file, zip->n_entries, 8);
  put_number (zip->file, zip->n_entries, 8);
  put_number (zip->file, zip->directory->len, 8);
  put_number (zip->file, start, 8);
  put_bytes (zip->file, "PK\6\7\0\0\0\0", 8);
  put_number (zip->file, at, 8);
  put_number (zip->file, 1, 4);
}

static GBytes *
finish (Zip *zip)
{
  const guint64 start = zip->file->len;

  put_bytes (zip->file, zip->directory->data, zip->directory->len);
  if (zip->zip64)
    put_end64 (zip, start);
  put_bytes (zip->file, "PK\5\6\0\0\0\0", 8);
  put_number (zip->file, zip->n_entries, 2);
  put_number (zip->file, zip->n_entries, 2);
  put_number (zip->file, zip->zip64 ? G_MAXUINT32 : zip->directory->len, 4);
  put_number (zip->file, zip->zip64 ? G_MAXUINT32 : start, 4);
  put_number (zip->file, 0, 2);
  g_byte_array_unref (zip->directory);
  return g_byte_array_free_to_bytes (zip->file);
}

static const guint8 storage[16] = { 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40,
  0, 0, 0x40, 0x40 }; /* 0, 1, 2, 3 */

static Zip
start_archive (void)
{
  return (Zip){ .file = g_byte_array_new (), .directory = g_byte_array_new () };
}

static GBytes *
make_file (const char *pickle, gsize size)
{
  Zip zip = start_archive ();

  add_entry (&zip, "a/data.pkl", pickle, size);
  add_entry (&zip, "a/data/0", storage, sizeof storage);
  return finish (&zip);
}

#define START "\x80\x02}"
#define TENSOR(class, key, count, first, sizes, strides)                       \
  "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" class        \
      "\n"                                                                     \
      "X\1\0\0\0" key "X\3\0\0\0cpuK" count "tQK" first sizes strides          \
      "\x89}tR"
#define GOOD TENSOR ("FloatStorage", "0", "\4", "\0", "K\4\x85", "K\1\x85")
#define DICT(value) START "U\1x" value "s."

static void
test_zip (void)
{
  static const float values[] = { 0, 1, 2, 3 };
  static const char pickle[] = DICT (GOOD);

  for (guint zip64 = 0; zip64 < 2; zip64++) {
    Zip zip = start_archive ();
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenCheckpoint) checkpoint = NULL;

    zip.zip64 = zip64;
    add_entry (&zip, "a/data.pkl", pickle, sizeof pickle - 1);
    add_entry (&zip, "a/data/0", storage, sizeof storage);
    add_entry (&zip, "a/byteorder", "little", 6);
    bytes = finish (&zip);
    checkpoint = vidgen_checkpoint_new (bytes, "good", &error);
    g_assert_no_error (error);
    check_values (vidgen_checkpoint_find (checkpoint, "x"), values, 4);
    check_within (checkpoint, bytes);
    check_flipped (bytes);
    check_truncated (bytes);
  }
}

static void
check_archive (const char *first, const char *second, guint method, guint flags,
    const char *content, const char *says)
{
  Zip zip = start_archive ();
  g_autoptr (GBytes) bytes = NULL;

  zip.method = method;
  zip.flags = flags;
  add_entry (&zip, first, "\x80\x02}.", 4);
  add_entry (&zip, second, content, strlen (content));
  bytes = finish (&zip);
  check_refused (bytes, says);
}

static void
test_bad_archives (void)
{
  check_archive ("a/data.pkl", "a/x", 8, 0, "", "'a/data.pkl'|method 8");
  check_archive ("a/data.pkl", "a/x", 0, 1, "", "'a/data.pkl'|encrypted");
  check_archive ("a/data.pkl", "a/data.pkl", 0, 0, "", "'a/data.pkl'|twice");
  check_archive ("data.pkl", "x", 0, 0, "", "no torch file");
  check_archive ("a/b/data.pkl", "x", 0, 0, "", "no torch file");
  check_archive ("a/data.pkl", "a/byteorder", 0, 0, "big", "not little-endian");
  check_archive ("a/data.pkl", "\xff", 0, 0, "", "no name in UTF-8");
  check_archive ("a/data.pkl", "", 0, 0, "", "no name in UTF-8");
}

static void
test_old (void)
{
  static const guint8 old[] = "\x80\x02\x8a\nl\xfc\x9c"
                              "F\xf9 j\xa8P\x19.\x80\x02";
  g_autoptr (GBytes) bytes = g_bytes_new_static (old, sizeof old);

  check_refused (bytes, "before torch 1.6");
}

static const struct {
  const char *pickle;
  gsize size;
  const char *says;
} pickles[] = {
#define P(text, says)                                                          \
  {                                                                            \
    text, sizeof text - 1, says                                                \
  }
  P ("", "byte 0|truncated"),
  P (".", "0 values"),
  P (START, "byte 3|truncated"),
  P (START "X\4\0\0\0ab", "byte 3|truncated"),
  P (START "N.", "2 values"),
  P (START "(.", "1 marks"),
  P ("\x80\x01}.", "protocol 1"),
  P ("\x80\x06}.", "protocol 6"),
  P ("\x80\x02N.", "no dictionary"),
  P ("\x80\x02].", "no dictionary"),
  P (DICT ("cos\nsystem\nU\2ls\x85R"), "byte 6|'os.system'|refused"),
  P (DICT ("cposix\nsystem\n(U\2lstR"), "'posix.system'"),
  P (DICT ("U\10builtinsU\4eval\x93"), "'builtins.eval'"),
  P (DICT ("cnumpy.core.multiarray\nscalar\n"), "multiarray.scalar'"),
  P (DICT ("c\xff\n\xff\n"), "refused"),
  P (DICT ("ctorch\n"), "does not end"),
  P (DICT ("(cos\nsystem\no"), "'os.system'"),
  P (DICT ("(ios\nsystem\n"), "opcode INST"),
  P (DICT (")\x81"), "byte 7|opcode NEWOBJ"),
  P (DICT ("B\1\0\0\0x"), "opcode BINBYTES"),
  P (DICT ("\xfe"), "opcode 0xfe"),
  P (DICT ("NR"), "no tuple of arguments"),
  P (DICT ("N)R"), "no function"),
  P (DICT ("ctorch\nFloatStorage\n)R"), "'torch.FloatStorage'"),
  P (DICT ("ccollections\nOrderedDict\n]\x85R"), "OrderedDict'"),
  P (DICT ("N}b"), "no dictionary"),
  P (DICT ("Na"), "no list"),
  P (DICT ("NNNs"), "no dictionary"),
  P (DICT ("}(NNNu"), "no value"),
  P (DICT ("}(u.u"), "3 values"),
  P (DICT ("e"), "no mark"),
  P (DICT ("(q\0"), "stack is empty"),
  P (DICT ("(\x85"), "stack is empty"),
  P (DICT ("h\7"), "value 7"),
  P (DICT ("j\7\0\0\0"), "value 7"),
  P (DICT ("\x8a\x09"), "9 bytes"),
  P (DICT ("U\1\xff"), "not UTF-8"),
  P (DICT ("U\1\0"), "not UTF-8"),
  P (START "]Ns.", "'|no short text"),
  P (START "U\1xNU\1xK\1s.", "no dictionary"),
  P (START "(U\1xK\1U\1xK\2u.", "'x' is there twice"),
  P (START "(U\1x" GOOD "U\1x" GOOD "u.", "tensor 'x' is there twice"),
  P (START "U\0" GOOD "s.", "no name"),
  P (START "(U\3a.b" GOOD "U\1a}U\1b" GOOD "su.", "tensor 'a.b'"),
  P (DICT ("ctorch\nFloatStorage\n"), "'x'|neither a tensor"),
  P (DICT ("NQ"), "'x'|neither a tensor"),
  P (DICT ("]q\1h\1a"), "'x.0'|occurs twice"),
  P (START "q\1U\1xh\1s.", "'x'|occurs twice"),
  P (DICT ("ctorch._utils\n_rebuild_tensor_v2\n)R"), "'x'|is not built"),
  P (DICT ("ctorch._utils\n_rebuild_parameter\n)R"), "'x'|parameter"),
  P (DICT ("ctorch._utils\n_rebuild_parameter\nq\2h\2)R\x85R"),
      "'x'|parameter"),
  P (DICT (TENSOR ("FloatStorage", "1", "\4", "\0", "K\4\x85", "K\1\x85")),
      "'a/data/1'|tensor 'x'|missing"),
  P (DICT (TENSOR ("FloatStorage", "0", "\5", "\0", "K\4\x85", "K\1\x85")),
      "'a/data/0'|tensor 'x'|not 5 values of F32"),
  P (DICT (TENSOR ("HalfStorage", "0", "\4", "\0", "K\4\x85", "K\1\x85")),
      "not 4 values of F16"),
  P (DICT (TENSOR ("ComplexStorage", "0", "\4", "\0", "K\4\x85", "K\1\x85")),
      "'torch.ComplexStorage'"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\1", "K\4\x85", "K\1\x85")),
      "'x'|outside its storage"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\5", "K\0\x85", "K\1\x85")),
      "'x'|outside its storage"),
  P (DICT (TENSOR (
         "FloatStorage", "0", "\4", "\0J\xff\xff\xff\xff\x86", "K\1\x85", "")),
      "'x'|is not built"),
  P (DICT (TENSOR (
         "FloatStorage", "0", "\4", "\0", "J\xff\xff\xff\xff\x85", "K\1\x85")),
      "'x'|no size"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\0",
         "\x8a\x08\0\0\0\0\0\0\0\x40\x85", "K\1\x85")),
      "'x'|too large"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\0", "N\x85", "K\1\x85")),
      "'x'|no size"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\0", "K\4\x85", ")")),
      "'x'|strides"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\0", "K\2\x85", "K\2\x85")),
      "'x'|not contiguous"),
  P (DICT (TENSOR ("FloatStorage", "0", "\4", "\0",
         "(K\1K\1K\1K\1K\1K\1K\1K\1"
         "K\1t",
         "K\1\x85")),
      "'x'|too many dimensions"),
#undef P
};

static void
test_pickles (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pickles); i++) {
    g_autoptr (GBytes) bytes = make_file (pickles[i].pickle, pickles[i].size);

    check_refused (bytes, pickles[i].says);
  }
}

/* Strides of dimensions of 1 and of empty tensors say nothing. */
static void
test_strides (void)
{
  static const char pickle[] = START "(U\1a" TENSOR ("FloatStorage", "0", "\4",
      "\0", "K\1K\4\x86", "K\7K\1\x86") "U\1b" TENSOR ("FloatStorage", "0",
      "\4", "\4", "K\0K\4\x86", "K\7K\7\x86") "u.";
  static const float values[] = { 0, 1, 2, 3 };
  g_autoptr (GBytes) bytes = make_file (pickle, sizeof pickle - 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_new (bytes, "good", &error);

  g_assert_no_error (error);
  check_values (vidgen_checkpoint_find (checkpoint, "a"), values, 4);
  check_values (vidgen_checkpoint_find (checkpoint, "b"), values, 0);
}

/* Nesting ends where it is too deep, and what is shared is read once, so that
 * neither the stack nor the time grows with them. */
static void
test_nesting (void)
{
  g_autoptr (GByteArray) deep = g_byte_array_new ();
  g_autoptr (GByteArray) wide = g_byte_array_new ();
  g_autoptr (GBytes) deep_bytes = NULL, wide_bytes = NULL;

  put_bytes (deep, START "U\1x", 6);
  for (guint i = 0; i < 100000; i++)
    put_bytes (deep, "]", 1);
  for (guint i = 1; i < 100000; i++)
    put_bytes (deep, "a", 1);
  put_bytes (deep, "s.", 2);
  deep_bytes = make_file ((const char *)deep->data, deep->len);
  check_refused (deep_bytes, "'x.0.0.0|nested too deep");

  put_bytes (wide, START "U\1xNq\0s", 10);
  for (guint i = 0; i < 12; i++) {
    put_bytes (wide, "U\1", 2);
    put_number (wide, 'a' + i, 1);
    put_bytes (wide, "](h\0h\0h\0h\0h\0h\0h\0h\0eq\0s", 22);
  }
  put_bytes (wide, ".", 1);
  wide_bytes = make_file ((const char *)wide->data, wide->len);
  check_refused (wide_bytes, "'b.0'|occurs twice");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/torchzip/published", test_published);
  g_test_add_func ("/torchzip/metadata", test_metadata);
  g_test_add_func ("/torchzip/transposed", test_transposed);
  g_test_add_func ("/torchzip/zip", test_zip);
  g_test_add_func ("/torchzip/bad-archives", test_bad_archives);
  g_test_add_func ("/torchzip/old", test_old);
  g_test_add_func ("/torchzip/pickles", test_pickles);
  g_test_add_func ("/torchzip/strides", test_strides);
  g_test_add_func ("/torchzip/nesting", test_nesting);
  return g_test_run ();
}
