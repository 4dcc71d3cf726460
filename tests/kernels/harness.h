/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* A kernel test is a function that draws a shape, makes inputs and outputs and
 * runs the kernel once:
 *
 *   static void
 *   test_random (VidgenKernelTest *test)
 *   {
 *     const guint n = vidgen_kernel_test_int (test, 1, 100);
 *     const VidgenThing thing = {
 *       .n = n,
 *       .x = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, n, 1.0),
 *       .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, n, n),
 *     };
 *     VIDGEN_KERNEL_TEST_RUN (test, thing, &thing);
 *   }
 *
 * The harness calls it with one seed for the reference and then for a device,
 * in that order, so shapes and inputs are the same, and compares the outputs.
 * It does so ROUNDS times with fresh seeds, on the host device (watched), on
 * the Vulkan device that "auto" takes and, half as often, on that device in the
 * shapes that kernels choose for GPUs; each is a test of its own, /PATH/host,
 * /PATH/vulkan, /PATH/as-gpu. `--seed` (of GTest) repeats a failure.
 *
 * With --quick there is one round on the Vulkan device and nothing else, for
 * runs under VIDGEN_MASK (shaders/runtime/mask.h) and the like.
 *
 * With --bench the Vulkan half also prints milliseconds and GFLOP/s of the last
 * round.
 */
typedef struct _VidgenKernelTest VidgenKernelTest;
typedef void (*VidgenKernelTestFunc) (VidgenKernelTest *test);

#define VIDGEN_KERNEL_TEST_ROUNDS 8

/* How values are stored and how near they must come to the reference. Of finite
 * values no kernel stores a half that is infinite: what is beyond 65504 becomes
 * that, in kernels and references alike. */
typedef enum {
  VIDGEN_TEST_F32, /* relative L2 1e-5, none off by 1e-4 of the largest */
  VIDGEN_TEST_F16, /* relative L2 1e-3, none off by 1e-2 of the largest */
  VIDGEN_TEST_U8,  /* none off by more than 1 */
  VIDGEN_TEST_U32  /* exact */
} VidgenTestType;

/* The device of this turn: the host for the reference. */
const VidgenDeviceCaps *vidgen_kernel_test_caps (VidgenKernelTest *test);
/* The device that is tested, in the reference's turn too. */
const VidgenDeviceCaps *vidgen_kernel_test_target_caps (VidgenKernelTest *test);
/* To be called where the kernel multiplies halves on this device: f32 outputs
 * are then held to relative L2 1e-3, none off by 5e-3 of the largest. */
void vidgen_kernel_test_halves (VidgenKernelTest *test);
/* f32 inputs made after this are halves, exactly: for kernels that magnify what
 * rounding does to their inputs. */
void vidgen_kernel_test_round_inputs (VidgenKernelTest *test);

/* Takes --bench and --quick out of the arguments and calls g_test_init(). */
void vidgen_kernel_test_init (int *argc, char ***argv);
void vidgen_kernel_test_add (const char *path, VidgenKernelTestFunc func);
/* One round: for shapes that are not drawn, as those of a benchmark. */
void vidgen_kernel_test_add_fixed (const char *path, VidgenKernelTestFunc func);

/* A number from `low` to `high`, both included. */
guint vidgen_kernel_test_int (VidgenKernelTest *test, guint low, guint high);
/* A number in [low, high). */
double vidgen_kernel_test_real (
    VidgenKernelTest *test, double low, double high);

/* `count` random values in [-scale, scale]; of U8 and U32 in [0, scale]. */
VidgenSpan vidgen_kernel_test_input (
    VidgenKernelTest *test, VidgenTestType type, guint64 count, double scale);
/* An input with the given content of `bytes` bytes. */
VidgenSpan vidgen_kernel_test_data (
    VidgenKernelTest *test, gconstpointer data, gsize bytes);

/* `rows` rows of `size` values, each row `stride` values after the one before;
 * the span ends with the last row's last value. All of the values must be
 * written (not checked of U8), nothing between or around them. */
VidgenSpan vidgen_kernel_test_output (VidgenKernelTest *test,
    VidgenTestType type, guint rows, guint64 size, guint64 stride);
/* The same, with random content that the kernel may read. */
VidgenSpan vidgen_kernel_test_inout (VidgenKernelTest *test,
    VidgenTestType type, guint rows, guint64 size, guint64 stride,
    double scale);

/* Runs vidgen_KERNEL() or vidgen_KERNEL_reference() on params, of which the
 * spans were made by the functions above. Once per call of the test function,
 * after all spans are made. */
#define VIDGEN_KERNEL_TEST_RUN(test, kernel, params)                           \
  ((void)sizeof (vidgen_##kernel##_reference (params), 0),                     \
      vidgen_kernel_test_run (test, (VidgenKernelLaunch)vidgen_##kernel,       \
          (VidgenReference)vidgen_##kernel##_reference, params))

typedef void (*VidgenKernelLaunch) (
    VidgenRecorder *recorder, const void *params);
void vidgen_kernel_test_run (VidgenKernelTest *test, VidgenKernelLaunch launch,
    VidgenReference reference, const void *params);

/* To the nearest, ties to even. */
guint16 vidgen_float_to_half (float value);

G_END_DECLS
