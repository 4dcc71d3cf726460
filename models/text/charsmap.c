/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/charsmap.h"

#include <string.h>

#include "shaders/runtime/error.h"

struct _VidgenCharsmap {
  guint32 *units;
  gsize n_units;
  char *replacements;
  gsize replacement_bytes; /* without the NUL added at the end */
};

static gboolean
check_replacements (
    const char *texts, gsize bytes, const char *name, GError **error)
{
  for (gsize at = 0; at < bytes;) {
    const char *end = memchr (texts + at, 0, bytes - at);
    const gsize length = (end ? (gsize)(end - texts) : bytes) - at;

    if (length > VIDGEN_CHARSMAP_MAX_BYTES ||
        !g_utf8_validate_len (texts + at, length, NULL)) {
      g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
          "'%s': the replacement at byte %" G_GSIZE_FORMAT
          " of the character map is not UTF-8 or longer than %d bytes.",
          name, at, VIDGEN_CHARSMAP_MAX_BYTES);
      return FALSE;
    }
    at += length + 1;
  }
  return TRUE;
}

VidgenCharsmap *
vidgen_charsmap_new (
    gconstpointer blob, gsize bytes, const char *name, GError **error)
{
  const char *data = blob;
  VidgenCharsmap *map;
  guint32 size = 0;

  if (bytes > sizeof size)
    memcpy (&size, data, sizeof size);
  if (size < sizeof *map->units || size % sizeof *map->units ||
      size >= bytes - sizeof size) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "'%s': the character map of %" G_GSIZE_FORMAT
        " bytes has no index of %u bytes and replacements.",
        name, bytes, size);
    return NULL;
  }
  data += sizeof size;
  bytes -= sizeof size;
  if (!check_replacements (data + size, bytes - size, name, error))
    return NULL;

  map = g_new0 (VidgenCharsmap, 1);
  map->units = g_memdup2 (data, size);
  map->n_units = size / sizeof *map->units;
  map->replacement_bytes = bytes - size;
  map->replacements = g_malloc (map->replacement_bytes + 1);
  memcpy (map->replacements, data + size, map->replacement_bytes);
  map->replacements[map->replacement_bytes] = '\0';
  return map;
}

void
vidgen_charsmap_free (VidgenCharsmap *map)
{
  if (!map)
    return;
  g_free (map->units);
  g_free (map->replacements);
  g_free (map);
}

static guint32
offset_of (guint32 unit)
{
  return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

static const char *
find (const VidgenCharsmap *map, const char *text, gsize length,
    gboolean longest, gsize *key_bytes)
{
  gsize node = offset_of (map->units[0]);
  const char *found = NULL;

  for (gsize i = 0; i < length; i++) {
    const guint8 byte = (guint8)text[i];
    guint32 unit;

    node ^= byte;
    if (node >= map->n_units)
      break;
    unit = map->units[node];
    if ((unit & (1u << 31 | 0xff)) != byte)
      break;
    node ^= offset_of (unit);
    if (unit & (1u << 8) && node < map->n_units) {
      const guint32 value = map->units[node] & ~(1u << 31);

      if (value >= map->replacement_bytes)
        break;
      found = map->replacements + value;
      *key_bytes = i + 1;
      if (!longest)
        break;
    }
  }
  return found;
}

const char *
vidgen_charsmap_longest (
    const VidgenCharsmap *map, const char *text, gsize length, gsize *key_bytes)
{
  return find (map, text, length, TRUE, key_bytes);
}

const char *
vidgen_charsmap_shortest (
    const VidgenCharsmap *map, const char *text, gsize length, gsize *key_bytes)
{
  return find (map, text, length, FALSE, key_bytes);
}
