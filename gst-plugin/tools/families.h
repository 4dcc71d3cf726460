/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *name;
  const char *values; /* between commas */
} VidgenAttribute;

/* A kind of scene that the embedded model `mini` was trained to show. */
typedef struct {
  const char *name;
  const VidgenAttribute *attributes; /* the last has no name */
  const char *example;               /* a prompt */
} VidgenFamily;

/* The last has no name. */
extern const VidgenFamily vidgen_families[];

G_END_DECLS
