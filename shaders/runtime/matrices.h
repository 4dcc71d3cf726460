/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/instance.h"

G_BEGIN_DECLS

/* Cooperative matrices: what a device offers of them that kernels use. */

/* What is set is of use and may be enabled. */
void vidgen_matrices_query (VidgenInstance *instance, VkPhysicalDevice physical,
    VidgenMatrixFeatures *features);
/* The chain to enable, links pointing into `features`; NULL: nothing. */
void *vidgen_matrices_link (VidgenMatrixFeatures *features);
/* The extensions to enable; returns how many. */
guint32 vidgen_matrices_extensions (
    const VidgenMatrixFeatures *features, const char *names[2]);
/* Sets matrix and group_matrix. */
void vidgen_matrices_fill_caps (VidgenInstance *instance,
    VkPhysicalDevice physical, const VidgenMatrixFeatures *features,
    VidgenDeviceCaps *caps);

G_END_DECLS
