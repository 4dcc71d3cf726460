/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/wan-private.h"

G_BEGIN_DECLS

/* What text encoders keep on a discrete GPU from one prompt to the next, so
 * that those that follow need not bring it there again, and who must give it
 * up: every model of the process on that device. Thread-safe. */

/* From open to free. */
void vidgen_wan_room_join (VidgenWanModel *model);
void vidgen_wan_room_leave (VidgenWanModel *model);

/* The model's streams take `bytes` of the device from now on, or not any
 * more. */
void vidgen_wan_room_take (VidgenWanModel *model, guint64 bytes);
void vidgen_wan_room_give (VidgenWanModel *model, guint64 bytes);

/* What the model's text encoder may keep: half of what is free on its device,
 * but for what the encoder keeps already and what the model has yet to take.
 * Under the model's text_lock. */
guint64 vidgen_wan_room_bytes (VidgenWanModel *model);

/* Frees what text encoders keep on the model's device, this model's and those
 * of others that do not encode just now, and has them keep nothing from then
 * on. Whether that was anything. Not under any text_lock. */
gboolean vidgen_wan_room_make (VidgenWanModel *model);

G_END_DECLS
