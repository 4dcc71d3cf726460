/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The one error domain below the element. The element translates a code into
 * a GST_ELEMENT_ERROR once, at its border; messages are whole sentences that
 * name what is wrong (file, tensor, property, device) and what was expected.
 * Cancellation is reported as G_IO_ERROR_CANCELLED.
 */
#define VIDGEN_ERROR (vidgen_error_quark ())

typedef enum {
  VIDGEN_ERROR_NOT_FOUND,   /* no such model, file or folder */
  VIDGEN_ERROR_NO_DEVICE,   /* no Vulkan loader, no driver, no such device */
  VIDGEN_ERROR_FORMAT,      /* broken or unsupported weights */
  VIDGEN_ERROR_NO_MEMORY,   /* says what was needed and what there was */
  VIDGEN_ERROR_DEVICE_LOST, /* fatal for the device; open a new one */
  VIDGEN_ERROR_INVALID,     /* a parameter outside what the model takes */
  VIDGEN_ERROR_UNSUPPORTED, /* the model has no such ability */
  VIDGEN_ERROR_FAILED       /* anything else the driver reported */
} VidgenError;

GQuark vidgen_error_quark (void);

G_END_DECLS
