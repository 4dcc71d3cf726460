/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/error.h"
#include "shaders/runtime/hazards.h"
#include "shaders/runtime/mask.h"
#include "shaders/runtime/select.h"
#ifdef VIDGEN_SHADERS
#include "shaders/runtime/vulkan.h"
#endif
#include "tests/kernels/harness.h"

static const VidgenDeviceCaps machine[] = {
  { .name = "llvmpipe (LLVM 15.0.6, 256 bits)",
      .uuid = "6d657361-3235-2e30-2e37-2d3100000000",
      .type = VIDGEN_DEVICE_CPU },
  { .name = "Intel(R) UHD Graphics 770",
      .uuid = "8680a046-0c00-0000-0002-000000000000",
      .type = VIDGEN_DEVICE_INTEGRATED },
  { .name = "NVIDIA GeForce RTX 4070",
      .uuid = "0a1b2c3d-0000-1111-2222-333344445555",
      .type = VIDGEN_DEVICE_DISCRETE },
  { .name = "NVIDIA GeForce RTX 4070",
      .uuid = "0a1b2c3d-0000-1111-2222-333344445556",
      .type = VIDGEN_DEVICE_DISCRETE },
  { .name = "Virtio-GPU 3",
      .uuid = "11111111-0000-1111-2222-333344445556",
      .type = VIDGEN_DEVICE_OTHER },
};

static void
test_device (void)
{
  static const struct {
    guint first, n;
    const char *name;
    gint expected;
  } cases[] = {
    { 0, 5, NULL, 2 },
    { 0, 5, "", 2 },
    { 0, 5, "auto", 2 },
    { 0, 2, "auto", 1 },
    { 0, 1, "auto", 0 },
    { 4, 1, "auto", 0 },
    { 0, 0, "auto", -1 },
    { 0, 5, "0", 0 },
    { 0, 5, "3", 3 },
    { 0, 5, "5", -1 },
    { 0, 5, "-1", -1 },
    { 0, 5, "99999999999999999999", -1 },
    { 0, 5, "0A1B2C3D-0000-1111-2222-333344445556", 3 },
    { 0, 5, "geforce", 2 },
    { 0, 5, "LLVMPIPE", 0 },
    { 0, 5, "uhd graphics", 1 },
    { 0, 5, "radeon", -1 },
    /* An index before a part of a name. */
    { 0, 5, "4", 4 },
    { 0, 5, "770", -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (vidgen_select_device (
                         machine + cases[i].first, cases[i].n, cases[i].name),
        ==, cases[i].expected);
}

/* However it is called, an open device is the same one. */
static void
test_open (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("0", &error);
  g_autoptr (GArray) list = NULL;
  const VidgenDeviceCaps *listed, *caps;

  if (!device) {
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
    g_test_skip (error->message);
    return;
  }
  list = vidgen_device_list (&error);
  g_assert_no_error (error);
  listed = &g_array_index (list, VidgenDeviceCaps, 0);
  caps = vidgen_device_caps (device);
  g_assert_cmpstr (listed->uuid, ==, caps->uuid);
  g_assert_cmpstr (listed->name, ==, caps->name);
  g_assert_cmpuint (strlen (caps->uuid), ==, 36);
  g_assert_cmpuint (caps->memory_bytes, >, 1 << 20);
  g_assert_cmpuint (caps->max_allocation_bytes, >, 1 << 20);
  g_assert_cmpuint (caps->subgroup_size, >, 0);
  g_assert_cmpuint (caps->max_group_count[2], >=, 65535);
  {
    g_autoptr (VidgenDevice) same = vidgen_device_open (caps->uuid, &error);

    g_assert_no_error (error);
    g_assert_true (same == device);
  }
}

static void
test_hazards (void)
{
  VidgenHazards *hazards = vidgen_hazards_new ();
  VidgenMemory *a = (VidgenMemory *)&machine[0];
  VidgenMemory *b = (VidgenMemory *)&machine[1];

  vidgen_hazards_add (hazards, (VidgenSpan){ a, 100, 50 }, TRUE);
  vidgen_hazards_add (hazards, (VidgenSpan){ a, 200, 50 }, FALSE);
  g_assert_true (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 149, 1 }, FALSE));
  g_assert_false (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 150, 50 }, TRUE));
  g_assert_true (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 0, 101 }, TRUE));
  g_assert_false (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 0, 100 }, TRUE));
  g_assert_false (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 200, 50 }, FALSE));
  g_assert_true (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 249, 50 }, TRUE));
  g_assert_false (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ b, 100, 50 }, TRUE));
  vidgen_hazards_clear (hazards);
  g_assert_false (
      vidgen_hazards_conflict (hazards, (VidgenSpan){ a, 100, 50 }, TRUE));
  vidgen_hazards_free (hazards);
}

#ifdef VIDGEN_SHADERS
static void
test_memory_types (void)
{
  const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  const VkMemoryPropertyFlags visible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  const VkMemoryPropertyFlags coherent = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  const VkMemoryPropertyFlags amd = VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD;
  const VkMemoryPropertyFlags lazy = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT;
  /* Each kind's types from the best to the last that serves, then one that
   * does not. */
  const struct {
    VidgenDeviceType device;
    VidgenMemoryKind kind;
    VkMemoryPropertyFlags order[4];
    VkMemoryPropertyFlags useless;
  } cases[] = {
    { VIDGEN_DEVICE_INTEGRATED, VIDGEN_MEMORY_DEVICE,
        { local, local | visible | coherent, 0, visible | coherent },
        local | lazy },
    { VIDGEN_DEVICE_DISCRETE, VIDGEN_MEMORY_UPLOAD,
        { visible | coherent, local | visible | coherent,
            visible | coherent | cached, local | visible | coherent | cached },
        visible | cached },
    { VIDGEN_DEVICE_CPU, VIDGEN_MEMORY_DEVICE,
        { local, local | visible | coherent, 0, visible | coherent },
        local | amd },
    { VIDGEN_DEVICE_DISCRETE, VIDGEN_MEMORY_READBACK,
        { visible | coherent | cached, visible | cached, visible | coherent,
            visible },
        local },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint ranks[G_N_ELEMENTS (cases[i].order)];

    for (guint j = 0; j < G_N_ELEMENTS (ranks); j++) {
      ranks[j] = vidgen_vulkan_rank_memory (
          cases[i].device, cases[i].order[j], cases[i].kind);
      g_assert_cmpuint (ranks[j], >, 0);
      g_assert_true (j == 0 || ranks[j - 1] > ranks[j]);
    }
    g_assert_cmpuint (vidgen_vulkan_rank_memory (
                          cases[i].device, cases[i].useless, cases[i].kind),
        ==, 0);
  }
}

/* A discrete GPU does not take the host's memory for its own. */
static void
test_discrete_memory (void)
{
  const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  const VkMemoryPropertyFlags shared = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                       VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const VidgenDeviceType device = VIDGEN_DEVICE_DISCRETE;
  const VidgenMemoryKind kind = VIDGEN_MEMORY_DEVICE;

  g_assert_cmpuint (vidgen_vulkan_rank_memory (device, local, kind), >,
      vidgen_vulkan_rank_memory (device, local | shared, kind));
  g_assert_cmpuint (
      vidgen_vulkan_rank_memory (device, local | shared, kind), >, 0);
  g_assert_cmpuint (vidgen_vulkan_rank_memory (device, shared, kind), ==, 0);
  g_assert_cmpuint (vidgen_vulkan_rank_memory (device, 0, kind), ==, 0);
}
#endif

static void
test_matrix (void)
{
  static const struct {
    VidgenMatrixShape shapes[4];
    guint n;
    gint expected;
  } cases[] = {
    { { { 0 } }, 0, -1 },
    { { { 0 } }, 1, -1 },
    { { { 16, 8, 8, 0 }, { 16, 8, 16, 0 }, { 16, 16, 16, 0 } }, 3, 2 },
    { { { 32, 32, 32, 0 }, { 16, 16, 16, 0 } }, 2, 1 },
    { { { 8, 8, 16, 0 }, { 8, 16, 16, 0 } }, 2, 1 },
    /* Not of sizes that divide 32. */
    { { { 64, 8, 16, 0 }, { 8, 24, 8, 0 } }, 2, -1 },
    { { { 64, 64, 64, 0 }, { 8, 8, 8, 0 } }, 2, 1 },
    { { { 16, 16, 16, 128 }, { 16, 16, 16, 256 }, { 16, 16, 16, 512 } }, 3, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (vidgen_select_matrix (cases[i].shapes, cases[i].n), ==,
        cases[i].expected);
}

static const VidgenDeviceCaps capable = {
  .type = VIDGEN_DEVICE_CPU,
  .subgroup_ballot = TRUE,
  .subgroup_shuffle = TRUE,
  .shared_memory_bytes = 49152,
  .float16 = TRUE,
  .timestamp_period_ns = 1,
  .matrix = { 16, 16, 16, 0 },
  .group_matrix = { 32, 32, 16, 256 },
};

static VidgenDeviceCaps
mask (const char *words)
{
  g_autoptr (GError) error = NULL;
  VidgenDeviceCaps caps = capable;

  g_assert_true (vidgen_mask_caps (&caps, words, &error));
  g_assert_no_error (error);
  return caps;
}

static void
test_mask (void)
{
  static const char *const wrong[] = { "fast", "shared", "shared=", "shared=x",
    "no-matrix,quiet", "shared=-1" };
  VidgenDeviceCaps caps = mask (NULL);

  g_assert_cmpmem (&caps, sizeof caps, &capable, sizeof capable);
  caps = mask ("");
  g_assert_cmpmem (&caps, sizeof caps, &capable, sizeof capable);
  g_assert_cmpint (mask ("gpu").type, ==, VIDGEN_DEVICE_DISCRETE);
  g_assert_false (mask ("no-ballot").subgroup_ballot);
  g_assert_false (mask ("no-shuffle").subgroup_shuffle);
  g_assert_cmpfloat (mask ("no-timestamps").timestamp_period_ns, ==, 0);
  g_assert_cmpuint (mask ("no-matrix").matrix.m, ==, 0);
  g_assert_cmpuint (mask ("no-matrix").group_matrix.m, ==, 0);
  g_assert_cmpuint (mask ("no-group-matrix").matrix.m, ==, 16);
  g_assert_cmpuint (mask ("no-group-matrix").group_matrix.m, ==, 0);
  g_assert_cmpuint (mask ("shared=16384").shared_memory_bytes, ==, 16384);
  g_assert_cmpuint (mask ("shared=65536").shared_memory_bytes, ==, 49152);
  caps = mask ("no-float16,no-ballot");
  g_assert_false (caps.float16);
  g_assert_false (caps.subgroup_ballot);
  g_assert_cmpuint (caps.matrix.m, ==, 0);

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    caps = capable;
    g_assert_false (vidgen_mask_caps (&caps, wrong[i], &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  }
}

static void
test_half (void)
{
  for (guint i = 0; i <= G_MAXUINT16; i++) {
    const guint16 half = (guint16)i;

    if ((half & 0x7fff) <= 0x7c00)
      g_assert_cmpuint (
          vidgen_float_to_half (vidgen_type_value (VIDGEN_F16, &half, 0)), ==,
          half);
  }
  g_assert_cmpuint (vidgen_float_to_half (2049), ==, 0x6800);
  g_assert_cmpuint (vidgen_float_to_half (2051), ==, 0x6802);
  g_assert_cmpuint (vidgen_float_to_half (65519), ==, 0x7bff);
  g_assert_cmpuint (vidgen_float_to_half (65520), ==, 0x7c00);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/runtime/choices/device", test_device);
  g_test_add_func ("/runtime/choices/open", test_open);
  g_test_add_func ("/runtime/choices/hazards", test_hazards);
#ifdef VIDGEN_SHADERS
  g_test_add_func ("/runtime/choices/memory-types", test_memory_types);
  g_test_add_func ("/runtime/choices/discrete-memory", test_discrete_memory);
#endif
  g_test_add_func ("/runtime/choices/half", test_half);
  g_test_add_func ("/runtime/choices/matrix", test_matrix);
  g_test_add_func ("/runtime/choices/mask", test_mask);
  return g_test_run ();
}
