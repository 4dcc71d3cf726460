/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/error.h"

G_DEFINE_QUARK (vidgen - error - quark, vidgen_error)
