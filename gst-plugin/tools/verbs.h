/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What `vidgen VERB …` does. `arguments` begins with a name for messages. */
gboolean vidgen_demo (GStrv arguments, GError **error);
gboolean vidgen_rtmp (GStrv arguments, GError **error);
gboolean vidgen_bench (GStrv arguments, GError **error);
gboolean vidgen_bench_kernels (GStrv arguments, GError **error);
gboolean vidgen_prompts (GStrv arguments, GError **error);
gboolean vidgen_models (GStrv arguments, GError **error);
gboolean vidgen_encode (GStrv arguments, GError **error);

G_END_DECLS
