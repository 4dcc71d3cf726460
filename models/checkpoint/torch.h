/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/pickle.h"

G_BEGIN_DECLS

/* The globals that a dictionary of tensors needs, in the order of this
 * enumeration; from VIDGEN_TORCH_STORAGES on they are classes of storages. */
enum {
  VIDGEN_TORCH_ORDERED_DICT,
  VIDGEN_TORCH_REBUILD_TENSOR,
  VIDGEN_TORCH_REBUILD_PARAMETER,
  VIDGEN_TORCH_STORAGES
};
extern const VidgenPickleGlobal vidgen_torch_globals[];
extern const guint vidgen_torch_n_globals;

G_END_DECLS
