/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Reads an untrusted pickle (protocols 2 to 5) of plain data into a tree.
 * Nothing is imported, called or built: a call is a node that holds what it
 * would call. Only the globals that the reader names are known, and only the
 * opcodes that dictionaries of tensors need; others are refused by name and
 * offset. Values may be shared and may form cycles. Immutable. */
typedef struct _VidgenPickle VidgenPickle;

typedef enum {
  VIDGEN_PICKLE_NONE,
  VIDGEN_PICKLE_BOOL,
  VIDGEN_PICKLE_INTEGER,
  VIDGEN_PICKLE_NUMBER,
  VIDGEN_PICKLE_TEXT,
  VIDGEN_PICKLE_TUPLE,
  VIDGEN_PICKLE_LIST,
  VIDGEN_PICKLE_DICT,
  VIDGEN_PICKLE_CLASS,
  VIDGEN_PICKLE_FUNCTION,
  VIDGEN_PICKLE_DICT_CLASS,
  VIDGEN_PICKLE_CALL,
  VIDGEN_PICKLE_PERSISTENT
} VidgenPickleKind;

/* A global that may occur: CLASS is only named; FUNCTION is called, which gives
 * a CALL; DICT_CLASS is called without arguments, which gives a DICT, whose
 * attributes are passed over. */
typedef struct {
  const char *name; /* "module.name" */
  VidgenPickleKind kind;
} VidgenPickleGlobal;

typedef struct _VidgenPickleValue VidgenPickleValue;
struct _VidgenPickleValue {
  VidgenPickleKind kind;
  guint global;     /* CLASS, FUNCTION, DICT_CLASS, CALL: index of the global */
  gsize offset;     /* of the opcode that made it */
  gint64 integer;   /* BOOL, INTEGER */
  double number;    /* NUMBER */
  const char *text; /* TEXT: UTF-8 */
  GPtrArray *items; /* TUPLE, LIST; DICT: key, value, key, value, … */
  const VidgenPickleValue *argument; /* CALL: a TUPLE; PERSISTENT: any */
};

/* `name` stands for the file in messages. Error: FORMAT. */
VidgenPickle *vidgen_pickle_new (const guint8 *data, gsize size,
    const char *name, const VidgenPickleGlobal *globals, guint n_globals,
    GError **error);
void vidgen_pickle_free (VidgenPickle *pickle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenPickle, vidgen_pickle_free)

/* Lives as long as the pickle. */
const VidgenPickleValue *vidgen_pickle_root (const VidgenPickle *pickle);

G_END_DECLS
