/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/memory.h"

G_BEGIN_DECLS

struct _VidgenMemory {
  gint n_refs;
  VidgenDevice *device;
  VidgenMemoryKind kind;
  guint64 size;
  guint64 address;
  guint8 *mapped; /* NULL when the host cannot see it */
  guint64 buffer; /* VkBuffer; 0 on the host device */
  guint64 block;  /* VkDeviceMemory; 0 on the host device */
  gboolean coherent;
};

G_END_DECLS
