/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/wan-private.h"

G_BEGIN_DECLS

/* The weights that `key` stands for on `device`: those that are there already,
 * or loaded from the parts. Errors as vidgen_upload_run(). Thread-safe; one
 * load at a time. */
VidgenWanLoaded *vidgen_wan_loaded_get (const char *key,
    const VidgenWanParts *parts, const VidgenWanConfig *config,
    VidgenDevice *device, VidgenUploadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error);
void vidgen_wan_loaded_unref (VidgenWanLoaded *loaded);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenWanLoaded, vidgen_wan_loaded_unref)

G_END_DECLS
