/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/protobuf.h"

#include <string.h>

#define MAX_VARINT_BYTES 10

static gboolean
read_varint (VidgenProtobuf *message, guint64 *value)
{
  *value = 0;
  for (guint i = 0; i < MAX_VARINT_BYTES && message->left > 0; i++) {
    const guint8 byte = (guint8)*message->data++;

    message->left--;
    *value |= (guint64)(byte & 0x7f) << (7 * i);
    if (!(byte & 0x80))
      return TRUE;
  }
  return FALSE;
}

static gboolean
read_fixed (VidgenProtobuf *message, gsize bytes, guint64 *value)
{
  *value = 0;
  if (message->left < bytes)
    return FALSE;
  for (gsize i = 0; i < bytes; i++)
    *value |= (guint64)(guint8)message->data[i] << (8 * i);
  message->data += bytes;
  message->left -= bytes;
  return TRUE;
}

static gboolean
read_bytes (VidgenProtobuf *message, VidgenProtobuf *content)
{
  guint64 bytes;

  if (!read_varint (message, &bytes) || bytes > message->left)
    return FALSE;
  *content = (VidgenProtobuf){ message->data, (gsize)bytes, FALSE };
  message->data += bytes;
  message->left -= (gsize)bytes;
  return TRUE;
}

static gboolean
read_field (VidgenProtobuf *message, VidgenField *field)
{
  guint64 tag;

  if (!read_varint (message, &tag) || tag >> 3 == 0 || tag > G_MAXUINT32)
    return FALSE;
  *field = (VidgenField){ .number = (guint)(tag >> 3),
    .type = (VidgenProtobufType)(tag & 7) };
  switch (field->type) {
  case VIDGEN_PROTOBUF_VARINT:
    return read_varint (message, &field->value);
  case VIDGEN_PROTOBUF_FIXED64:
    return read_fixed (message, 8, &field->value);
  case VIDGEN_PROTOBUF_BYTES:
    return read_bytes (message, &field->content);
  case VIDGEN_PROTOBUF_FIXED32:
    return read_fixed (message, 4, &field->value);
  }
  return FALSE;
}

gboolean
vidgen_protobuf_next (VidgenProtobuf *message, VidgenField *field)
{
  if (message->broken || message->left == 0)
    return FALSE;
  message->broken = !read_field (message, field);
  return !message->broken;
}

float
vidgen_field_float (const VidgenField *field)
{
  const guint32 bits = (guint32)field->value;
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}
