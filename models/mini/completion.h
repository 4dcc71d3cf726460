/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/fields.h"

G_BEGIN_DECLS

/* What a prompt leaves open is drawn by the seed and put into words, by the
 * rules of models/mini/FORMAT.md section 2: a small model makes the average of
 * what it was not told. */

typedef struct {
  guint draw;      /* rules of one number and as many phrases draw alike */
  GPtrArray *when; /* char **: a word of each has to be there; empty: no word
                      at all may be */
  char **unless;   /* none of these may be there */
  char **phrases;  /* one of these is added */
} VidgenMiniRule;

/* Of the key "completions", which may be absent: VidgenMiniRule; never NULL. */
GArray *vidgen_mini_rules_read (
    VidgenFields *fields, const VidgenSection *text);

/* The prompt with what the rules add while it has at most `max_words` words.
 * Free it. Any thread. */
char *vidgen_mini_complete (
    const GArray *rules, const char *prompt, guint64 seed, guint max_words);

G_END_DECLS
