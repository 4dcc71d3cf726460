/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/device.h"

G_BEGIN_DECLS

/* The choices that need no device to be tested. Pure functions. */

/* The index of the device that vidgen_device_open() takes for `name` (not
 * "host") among `n` devices, or -1. A UUID or an index decides before a part
 * of a name; of several names that fit the first is taken. */
gint vidgen_select_device (
    const VidgenDeviceCaps *caps, guint n, const char *name);

/* The index of the shape that kernels multiply with, or -1: one whose sizes
 * divide 32, 16 x 16 x 16 before all others, then the larger one, and among
 * equals that of the group nearest to 256 invocations. */
gint vidgen_select_matrix (const VidgenMatrixShape *shapes, guint n);

G_END_DECLS
