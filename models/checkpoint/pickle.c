/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/pickle.h"

#include <string.h>

#include "models/checkpoint/cursor.h"
#include "models/checkpoint/file.h"

#define MAX_VALUES (1 << 20)
#define MAX_LINE_BYTES 256
#define MAX_PROTOCOL 5

struct _VidgenPickle {
  GPtrArray *values; /* owns each */
  GStringChunk *texts;
  const VidgenPickleValue *root;
};

typedef struct {
  VidgenPickle *pickle;
  VidgenCursor in;
  const char *name;
  const VidgenPickleGlobal *globals;
  guint n_globals;
  gsize at; /* of the opcode */
  GPtrArray *stack;
  GArray *marks;    /* guint: heights of the stack */
  GHashTable *memo; /* number to value */
  GError **error;
} Machine;

static gboolean G_GNUC_PRINTF (2, 3)
    fail (Machine *machine, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return vidgen_file_fail (machine->error, machine->name,
      "byte %" G_GSIZE_FORMAT " of the pickle: %s.", machine->at, message);
}

static gboolean
fail_short (Machine *machine)
{
  return fail (machine, "it ends there (truncated?)");
}

static void
free_value (gpointer data)
{
  VidgenPickleValue *value = data;

  g_clear_pointer (&value->items, g_ptr_array_unref);
  g_free (value);
}

/* A new value on the stack, or NULL. */
static VidgenPickleValue *
push_new (Machine *machine, VidgenPickleKind kind)
{
  VidgenPickleValue *value;

  if (machine->pickle->values->len == MAX_VALUES) {
    fail (machine, "there are more than %d values", MAX_VALUES);
    return NULL;
  }
  value = g_new0 (VidgenPickleValue, 1);
  value->kind = kind;
  value->offset = machine->at;
  if (kind == VIDGEN_PICKLE_TUPLE || kind == VIDGEN_PICKLE_LIST ||
      kind == VIDGEN_PICKLE_DICT)
    value->items = g_ptr_array_new ();
  g_ptr_array_add (machine->pickle->values, value);
  g_ptr_array_add (machine->stack, value);
  return value;
}

/* How far the stack may be popped: to the last mark. */
static guint
floor_of (const Machine *machine)
{
  return machine->marks->len
             ? g_array_index (machine->marks, guint, machine->marks->len - 1)
             : 0;
}

static VidgenPickleValue *
pop (Machine *machine)
{
  if (machine->stack->len <= floor_of (machine)) {
    fail (machine, "the stack is empty");
    return NULL;
  }
  return g_ptr_array_steal_index (machine->stack, machine->stack->len - 1);
}

static VidgenPickleValue *
top (Machine *machine)
{
  if (machine->stack->len <= floor_of (machine)) {
    fail (machine, "the stack is empty");
    return NULL;
  }
  return g_ptr_array_index (machine->stack, machine->stack->len - 1);
}

static VidgenPickleValue *
pop_kind (Machine *machine, VidgenPickleKind kind, const char *what)
{
  VidgenPickleValue *value = pop (machine);

  if (value && value->kind != kind) {
    fail (machine, "there is no %s where one is needed", what);
    return NULL;
  }
  return value;
}

static gboolean
push_integer (Machine *machine, VidgenPickleKind kind, gint64 integer)
{
  VidgenPickleValue *value = push_new (machine, kind);

  if (value)
    value->integer = integer;
  return value != NULL;
}

static gboolean
do_integer (Machine *machine, gsize bytes)
{
  guint64 bits;

  if (!vidgen_cursor_number (&machine->in, bytes, &bits))
    return fail_short (machine);
  return push_integer (
      machine, VIDGEN_PICKLE_INTEGER, bytes == 4 ? (gint32)bits : (gint64)bits);
}

static gboolean
do_long (Machine *machine)
{
  guint64 bytes, bits = 0;
  const guint8 *data;

  if (!vidgen_cursor_number (&machine->in, 1, &bytes))
    return fail_short (machine);
  if (bytes > sizeof bits)
    return fail (machine, "an integer has %" G_GUINT64_FORMAT " bytes", bytes);
  data = vidgen_cursor_take (&machine->in, bytes);
  if (!data)
    return fail_short (machine);
  if (bytes && data[bytes - 1] & 0x80)
    bits = G_MAXUINT64;
  memcpy (&bits, data, bytes);
  return push_integer (machine, VIDGEN_PICKLE_INTEGER, (gint64)bits);
}

static gboolean
do_number (Machine *machine)
{
  VidgenPickleValue *value;
  guint64 bits;

  if (!vidgen_cursor_read (&machine->in, &bits, sizeof bits))
    return fail_short (machine);
  value = push_new (machine, VIDGEN_PICKLE_NUMBER);
  if (!value)
    return FALSE;
  bits = GUINT64_FROM_BE (bits);
  memcpy (&value->number, &bits, sizeof bits);
  return TRUE;
}

static gboolean
push_text (Machine *machine, const char *text, gsize length)
{
  VidgenPickleValue *value;

  if (!g_utf8_validate_len (text, length, NULL))
    return fail (machine, "a text is not UTF-8");
  value = push_new (machine, VIDGEN_PICKLE_TEXT);
  if (value)
    value->text = g_string_chunk_insert_len (
        machine->pickle->texts, text, (gssize)length);
  return value != NULL;
}

static gboolean
do_text (Machine *machine, gsize length_bytes)
{
  guint64 length;
  const guint8 *text;

  if (!vidgen_cursor_number (&machine->in, length_bytes, &length))
    return fail_short (machine);
  text = vidgen_cursor_take (&machine->in, length);
  return text ? push_text (machine, (const char *)text, length)
              : fail_short (machine);
}

/* A line without its end, to be freed; or NULL. */
static char *
read_line (Machine *machine)
{
  const char *start = (const char *)machine->in.data + machine->in.at;
  const gsize left = machine->in.size - machine->in.at;
  const char *end = memchr (start, '\n', MIN (left, MAX_LINE_BYTES));
  char *line;

  if (!end) {
    fail (machine, "a name does not end within %d bytes", MAX_LINE_BYTES);
    return NULL;
  }
  line = g_utf8_make_valid (start, end - start);
  machine->in.at += (gsize)(end - start) + 1;
  return line;
}

static gboolean
push_global (Machine *machine, const char *module, const char *name)
{
  g_autofree char *full = g_strconcat (module, ".", name, NULL);
  VidgenPickleValue *value;

  for (guint i = 0; i < machine->n_globals; i++) {
    if (!g_str_equal (machine->globals[i].name, full))
      continue;
    value = push_new (machine, machine->globals[i].kind);
    if (value)
      value->global = i;
    return value != NULL;
  }
  return fail (
      machine, "'%s' is nothing that weights need, it is refused", full);
}

static gboolean
do_global (Machine *machine)
{
  g_autofree char *module = read_line (machine);
  g_autofree char *name = module ? read_line (machine) : NULL;

  return name && push_global (machine, module, name);
}

static gboolean
do_stack_global (Machine *machine)
{
  VidgenPickleValue *name = pop_kind (machine, VIDGEN_PICKLE_TEXT, "name");
  VidgenPickleValue *module =
      name ? pop_kind (machine, VIDGEN_PICKLE_TEXT, "module") : NULL;

  return module && push_global (machine, module->text, name->text);
}

static gboolean
do_tuple (Machine *machine, guint count)
{
  const guint height = machine->stack->len;
  VidgenPickleValue *tuple;

  if (height - floor_of (machine) < count)
    return fail (machine, "the stack is empty");
  tuple = push_new (machine, VIDGEN_PICKLE_TUPLE);
  if (!tuple)
    return FALSE;
  for (guint i = height - count; i < height; i++)
    g_ptr_array_add (tuple->items, machine->stack->pdata[i]);
  g_ptr_array_remove_range (machine->stack, height - count, count);
  return TRUE;
}

/* How many values lie above the last mark, which goes. */
static gboolean
pop_mark (Machine *machine, guint *count)
{
  if (!machine->marks->len)
    return fail (machine, "there is no mark");
  *count = machine->stack->len - floor_of (machine);
  g_array_set_size (machine->marks, machine->marks->len - 1);
  return TRUE;
}

/* Moves the last `count` values of the stack into the value below. */
static gboolean
add_items (
    Machine *machine, VidgenPickleKind kind, const char *what, guint count)
{
  const guint height = machine->stack->len;
  VidgenPickleValue *value;

  if (height - floor_of (machine) < count + 1)
    return fail (machine, "the stack is empty");
  value = machine->stack->pdata[height - count - 1];
  if (value->kind != kind)
    return fail (machine, "items are added to what is no %s", what);
  for (guint i = height - count; i < height; i++)
    g_ptr_array_add (value->items, machine->stack->pdata[i]);
  g_ptr_array_set_size (machine->stack, (gint)(height - count));
  return TRUE;
}

static gboolean
do_set_items (Machine *machine)
{
  guint count;

  if (!pop_mark (machine, &count))
    return FALSE;
  if (count % 2)
    return fail (machine, "a key has no value");
  return add_items (machine, VIDGEN_PICKLE_DICT, "dictionary", count);
}

static gboolean
do_append (Machine *machine)
{
  guint count;

  return pop_mark (machine, &count) &&
         add_items (machine, VIDGEN_PICKLE_LIST, "list", count);
}

static gboolean
do_marked_tuple (Machine *machine)
{
  guint count;

  return pop_mark (machine, &count) && do_tuple (machine, count);
}

static gboolean
do_reduce (Machine *machine)
{
  VidgenPickleValue *arguments =
      pop_kind (machine, VIDGEN_PICKLE_TUPLE, "tuple of arguments");
  VidgenPickleValue *callee = arguments ? pop (machine) : NULL;
  VidgenPickleValue *call;

  if (!callee)
    return FALSE;
  if (callee->kind == VIDGEN_PICKLE_DICT_CLASS && arguments->items->len == 0)
    return push_new (machine, VIDGEN_PICKLE_DICT) != NULL;
  if (callee->kind == VIDGEN_PICKLE_CLASS ||
      callee->kind == VIDGEN_PICKLE_DICT_CLASS)
    return fail (machine, "a call of '%s' with arguments is refused",
        machine->globals[callee->global].name);
  if (callee->kind != VIDGEN_PICKLE_FUNCTION)
    return fail (machine, "what is called is no function");
  call = push_new (machine, VIDGEN_PICKLE_CALL);
  if (!call)
    return FALSE;
  call->global = callee->global;
  call->argument = arguments;
  return TRUE;
}

static gboolean
do_build (Machine *machine)
{
  const VidgenPickleValue *state = pop (machine);
  const VidgenPickleValue *value = state ? top (machine) : NULL;

  if (value && value->kind != VIDGEN_PICKLE_DICT)
    return fail (machine, "a state is set on what is no dictionary");
  return value != NULL;
}

static gboolean
do_persistent (Machine *machine)
{
  const VidgenPickleValue *id = pop (machine);
  VidgenPickleValue *value =
      id ? push_new (machine, VIDGEN_PICKLE_PERSISTENT) : NULL;

  if (value)
    value->argument = id;
  return value != NULL;
}

static gboolean
put (Machine *machine, guint64 number)
{
  VidgenPickleValue *value = top (machine);

  if (!value)
    return FALSE;
  if (g_hash_table_size (machine->memo) >= MAX_VALUES)
    return fail (machine, "more than %d values are remembered", MAX_VALUES);
  g_hash_table_insert (machine->memo, GSIZE_TO_POINTER ((gsize)number), value);
  return TRUE;
}

static gboolean
do_put (Machine *machine, gsize bytes)
{
  guint64 number;

  return vidgen_cursor_number (&machine->in, bytes, &number)
             ? put (machine, number)
             : fail_short (machine);
}

static gboolean
do_get (Machine *machine, gsize bytes)
{
  VidgenPickleValue *value;
  guint64 number;

  if (!vidgen_cursor_number (&machine->in, bytes, &number))
    return fail_short (machine);
  value = g_hash_table_lookup (machine->memo, GSIZE_TO_POINTER ((gsize)number));
  if (!value)
    return fail (
        machine, "value %" G_GUINT64_FORMAT " was never remembered", number);
  g_ptr_array_add (machine->stack, value);
  return TRUE;
}

static gboolean
do_protocol (Machine *machine)
{
  guint64 version;

  if (!vidgen_cursor_number (&machine->in, 1, &version))
    return fail_short (machine);
  return (version >= 2 && version <= MAX_PROTOCOL) ||
         fail (machine, "protocol %" G_GUINT64_FORMAT " is not read", version);
}

static gboolean
do_mark (Machine *machine)
{
  g_array_append_val (machine->marks, machine->stack->len);
  return TRUE;
}

/* Names of opcodes that pickles for execution or of other data have. */
static const struct {
  guint8 opcode;
  const char *name;
} refused[] = {
  { 'i', "INST" },
  { 'o', "OBJ" },
  { 0x81, "NEWOBJ" },
  { 0x92, "NEWOBJ_EX" },
  { 0x82, "EXT1" },
  { 0x83, "EXT2" },
  { 0x84, "EXT4" },
  { 'P', "PERSID" },
  { 'B', "BINBYTES" },
  { 'C', "SHORT_BINBYTES" },
  { 0x8e, "BINBYTES8" },
  { 0x96, "BYTEARRAY8" },
  { 0x97, "NEXT_BUFFER" },
  { 0x8f, "EMPTY_SET" },
  { 0x91, "FROZENSET" },
  { 0x8b, "LONG4" },
  { 'V', "UNICODE" },
  { 'S', "STRING" },
  { 'I', "INT" },
};

static gboolean
refuse (Machine *machine, guint8 opcode)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    if (refused[i].opcode == opcode)
      return fail (machine, "the opcode %s is refused", refused[i].name);
  }
  return fail (machine, "the opcode 0x%02x is refused", opcode);
}

static gboolean
do_scalar (Machine *machine, guint8 opcode)
{
  switch (opcode) {
  case 'N':
    return push_new (machine, VIDGEN_PICKLE_NONE) != NULL;
  case 0x88:
  case 0x89:
    return push_integer (machine, VIDGEN_PICKLE_BOOL, opcode == 0x88);
  case 'K':
    return do_integer (machine, 1);
  case 'M':
    return do_integer (machine, 2);
  case 'J':
    return do_integer (machine, 4);
  case 0x8a:
    return do_long (machine);
  case 'G':
    return do_number (machine);
  case 'U':
  case 0x8c:
    return do_text (machine, 1);
  case 'T':
  case 'X':
    return do_text (machine, 4);
  case 0x8d:
    return do_text (machine, 8);
  default:
    return refuse (machine, opcode);
  }
}

static gboolean
do_container (Machine *machine, guint8 opcode)
{
  switch (opcode) {
  case '}':
    return push_new (machine, VIDGEN_PICKLE_DICT) != NULL;
  case ']':
    return push_new (machine, VIDGEN_PICKLE_LIST) != NULL;
  case ')':
    return do_tuple (machine, 0);
  case 0x85:
  case 0x86:
  case 0x87:
    return do_tuple (machine, opcode - 0x84);
  case 't':
    return do_marked_tuple (machine);
  case 's':
    return add_items (machine, VIDGEN_PICKLE_DICT, "dictionary", 2);
  case 'u':
    return do_set_items (machine);
  case 'a':
    return add_items (machine, VIDGEN_PICKLE_LIST, "list", 1);
  case 'e':
    return do_append (machine);
  default:
    return do_scalar (machine, opcode);
  }
}

static gboolean
do_opcode (Machine *machine, guint8 opcode)
{
  switch (opcode) {
  case 0x80:
    return do_protocol (machine);
  case 0x95:
    return vidgen_cursor_take (&machine->in, 8) || fail_short (machine);
  case '(':
    return do_mark (machine);
  case 'c':
    return do_global (machine);
  case 0x93:
    return do_stack_global (machine);
  case 'R':
    return do_reduce (machine);
  case 'b':
    return do_build (machine);
  case 'Q':
    return do_persistent (machine);
  case 'q':
    return do_put (machine, 1);
  case 'r':
    return do_put (machine, 4);
  case 0x94:
    return put (machine, g_hash_table_size (machine->memo));
  case 'h':
    return do_get (machine, 1);
  case 'j':
    return do_get (machine, 4);
  default:
    return do_container (machine, opcode);
  }
}

static gboolean
run (Machine *machine)
{
  guint64 opcode;

  for (;;) {
    machine->at = machine->in.at;
    if (!vidgen_cursor_number (&machine->in, 1, &opcode))
      return fail_short (machine);
    if (opcode == '.')
      break;
    if (!do_opcode (machine, (guint8)opcode))
      return FALSE;
  }
  if (machine->stack->len != 1 || machine->marks->len)
    return fail (machine, "it ends with %u values and %u marks, not one value",
        machine->stack->len, machine->marks->len);
  machine->pickle->root = machine->stack->pdata[0];
  return TRUE;
}

VidgenPickle *
vidgen_pickle_new (const guint8 *data, gsize size, const char *name,
    const VidgenPickleGlobal *globals, guint n_globals, GError **error)
{
  g_autoptr (VidgenPickle) pickle = g_new0 (VidgenPickle, 1);
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GHashTable) memo = g_hash_table_new (NULL, NULL);
  Machine machine = {
    .pickle = pickle,
    .in = { data, size, 0 },
    .name = name,
    .globals = globals,
    .n_globals = n_globals,
    .stack = stack,
    .marks = marks,
    .memo = memo,
    .error = error,
  };

  pickle->values = g_ptr_array_new_with_free_func (free_value);
  pickle->texts = g_string_chunk_new (4096);
  return run (&machine) ? g_steal_pointer (&pickle) : NULL;
}

void
vidgen_pickle_free (VidgenPickle *pickle)
{
  if (!pickle)
    return;
  g_ptr_array_unref (pickle->values);
  g_string_chunk_free (pickle->texts);
  g_free (pickle);
}

const VidgenPickleValue *
vidgen_pickle_root (const VidgenPickle *pickle)
{
  return pickle->root;
}
