/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Reads the fields of a Protocol Buffers message, one after the other, without
 * a schema: https://protobuf.dev/programming-guides/encoding. Nothing in it is
 * trusted; groups are refused. */
typedef struct {
  const char *data;
  gsize left;
  gboolean broken; /* set where reading had to end before the end */
} VidgenProtobuf;

typedef enum {
  VIDGEN_PROTOBUF_VARINT = 0,
  VIDGEN_PROTOBUF_FIXED64 = 1,
  VIDGEN_PROTOBUF_BYTES = 2,
  VIDGEN_PROTOBUF_FIXED32 = 5
} VidgenProtobufType;

typedef struct {
  guint number;
  VidgenProtobufType type;
  guint64 value;          /* of all but BYTES */
  VidgenProtobuf content; /* of BYTES: text or a message */
} VidgenField;

/* FALSE at the end, and where the message is broken. */
gboolean vidgen_protobuf_next (VidgenProtobuf *message, VidgenField *field);

/* Of FIXED32. */
float vidgen_field_float (const VidgenField *field);

G_END_DECLS
