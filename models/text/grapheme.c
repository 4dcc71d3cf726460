/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/grapheme.h"

#include "models/text/utf8.h"

typedef enum {
  OTHER,
  CONTROL,
  PREPENDED,
  EXTENDING,
  LINKER, /* extending; joins two consonants */
  SPACING,
  JOINER,
  PICTURE,
  CONSONANT,
  FLAG, /* regional indicator */
  HANGUL_L,
  HANGUL_V,
  HANGUL_T,
  HANGUL_LV,
  HANGUL_LVT
} Kind;

#include "models/text/grapheme-table.h"

#define NON_JOINER 0x200c

/* What came in the cluster so far. */
typedef struct {
  Kind last;
  gboolean picture;   /* a picture, then extending ones, perhaps the joiner */
  gboolean consonant; /* one, then extending ones and linkers */
  gboolean linked;    /* a linker among them */
  gboolean open_flag; /* one half of a flag */
} State;

static Kind
hangul_kind (gunichar c)
{
  if ((c >= 0x1100 && c <= 0x115f) || (c >= 0xa960 && c <= 0xa97c))
    return HANGUL_L;
  if ((c >= 0x1160 && c <= 0x11a7) || (c >= 0xd7b0 && c <= 0xd7c6) ||
      c == 0x16d63 || (c >= 0x16d67 && c <= 0x16d6a))
    return HANGUL_V;
  if ((c >= 0x11a8 && c <= 0x11ff) || (c >= 0xd7cb && c <= 0xd7fb))
    return HANGUL_T;
  if (c >= 0xac00 && c <= 0xd7a3)
    return (c - 0xac00) % 28 ? HANGUL_LVT : HANGUL_LV;
  return OTHER;
}

static Kind
kind_of (gunichar c)
{
  guint first = 0, end = G_N_ELEMENTS (ranges);

  if (c >= 0x20 && c < 0x7f)
    return OTHER;
  if (c == 0x200d)
    return JOINER;
  if (c >= 0x1f1e6 && c <= 0x1f1ff)
    return FLAG;
  while (first < end) {
    const guint middle = first + (end - first) / 2;

    if (c < ranges[middle].first)
      end = middle;
    else if (c > ranges[middle].last)
      first = middle + 1;
    else
      return (Kind)ranges[middle].kind;
  }
  return hangul_kind (c);
}

static gboolean
hangul_joins (Kind before, Kind after)
{
  switch (before) {
  case HANGUL_L:
    return after == HANGUL_L || after == HANGUL_V || after == HANGUL_LV ||
           after == HANGUL_LVT;
  case HANGUL_LV:
  case HANGUL_V:
    return after == HANGUL_V || after == HANGUL_T;
  case HANGUL_LVT:
  case HANGUL_T:
    return after == HANGUL_T;
  default:
    return FALSE;
  }
}

static gboolean
joins (const State *state, Kind kind)
{
  if (state->last == CONTROL || kind == CONTROL)
    return FALSE;
  if (kind == EXTENDING || kind == LINKER || kind == SPACING ||
      kind == JOINER || state->last == PREPENDED)
    return TRUE;
  if (kind == CONSONANT)
    return state->consonant && state->linked;
  if (kind == PICTURE)
    return state->picture && state->last == JOINER;
  if (kind == FLAG)
    return state->open_flag;
  return hangul_joins (state->last, kind);
}

static void
enter (State *state, Kind kind, gunichar c)
{
  const gboolean extends =
      kind == EXTENDING || kind == LINKER || kind == JOINER;

  state->picture =
      kind == PICTURE || (state->picture && extends && state->last != JOINER);
  state->consonant =
      kind == CONSONANT || (state->consonant && extends && c != NON_JOINER);
  state->linked = state->consonant && kind != CONSONANT &&
                  (state->linked || kind == LINKER);
  state->open_flag = kind == FLAG && !state->open_flag;
  state->last = kind;
}

gsize
vidgen_grapheme_bytes (const char *text, gsize length)
{
  State state = { .last = OTHER };
  guint bytes;
  gunichar c = vidgen_utf8_get (text, length, &bytes);
  gsize at = bytes;

  if (c == '\r' && at < length && text[at] == '\n')
    return at + 1;
  for (enter (&state, kind_of (c), c); at < length; at += bytes) {
    Kind kind;

    c = vidgen_utf8_get (text + at, length - at, &bytes);
    kind = kind_of (c);
    if (!joins (&state, kind))
      break;
    enter (&state, kind, c);
  }
  return at;
}
