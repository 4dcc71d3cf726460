/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The energy that processors and graphics cards take, all of it and whoever
 * causes it, from the counters of Linux: those of the packages below
 * class/powercap (RAPL) and of graphics drivers below class/hwmon. A counter
 * that may not be read counts for nothing. Thread-safe.
 */
typedef struct _VidgenEnergy VidgenEnergy;

/* `sys`: "/sys". NULL where no counter tells. */
VidgenEnergy *vidgen_energy_new (const char *sys);
void vidgen_energy_free (VidgenEnergy *energy);

/* Joules since vidgen_energy_new(). To be asked every few minutes at least:
 * counters turn over. */
double vidgen_energy_joules (VidgenEnergy *energy);

G_END_DECLS
