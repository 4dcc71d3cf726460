/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/kernels/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shaders/runtime/device-private.h"
#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"

#define GUARD_BYTES 256
#define POISON 0xcd
#define BENCH_NS 300000000

typedef struct {
  VidgenMemory *memory;
  guint8 *before; /* the whole memory, guards included */
  guint8 *after;  /* what was there at the end of the run, of the reference */
  VidgenTestType type;
  guint rows;
  guint64 size, stride;
  gboolean written, poisoned;
} Tensor;

struct _VidgenKernelTest {
  VidgenDevice *device; /* NULL: the reference's turn, on `host` */
  VidgenDevice *target; /* what `device` is in its turn */
  VidgenDevice *host;
  guint32 seed;
  GRand *rand;
  GArray *tensors;   /* Tensor, of this turn */
  GArray *reference; /* Tensor, of the reference's turn */
  gboolean bench;
  gboolean ran;
  gboolean halves;
  gboolean round_inputs;
};

/* What a kernel is tested on. */
typedef struct {
  const char *name, *device;
  gboolean as_gpu; /* a CPU device that the kernels take for a GPU */
} Target;

static const Target targets[] = { { "host", "host", FALSE },
  { "vulkan", "auto", FALSE }, { "as-gpu", "auto", TRUE } };

typedef struct {
  VidgenKernelTestFunc func;
  guint n_rounds;
  const Target *target;
} Registered;

typedef struct {
  gsize bytes;
  double relative_l2, relative_max, absolute_max;
} Tolerance;

#define HALVES (VIDGEN_TEST_U32 + 1)

static const Tolerance tolerances[] = {
  [VIDGEN_TEST_F32] = { 4, 1e-5, 1e-4, 0 },
  [VIDGEN_TEST_F16] = { 2, 1e-3, 1e-2, 0 },
  [VIDGEN_TEST_U8] = { 1, INFINITY, 0, 1 },
  [VIDGEN_TEST_U32] = { 4, 0, 0, 0 },
  [HALVES] = { 4, 1e-3, 5e-3, 0 },
};

static gboolean run_bench, run_quick;

guint16
vidgen_float_to_half (float value)
{
  const guint16 sign = signbit (value) ? 0x8000 : 0;
  const float magnitude = fabsf (value);
  int exponent;
  float steps;

  if (isnan (value))
    return sign | 0x7e00;
  if (magnitude >= 65520.0f)
    return sign | 0x7c00;
  frexpf (magnitude, &exponent);
  exponent = magnitude > 0 ? MAX (exponent, -13) : -13;
  steps = rintf (ldexpf (magnitude, 11 - exponent));
  return (guint16)(sign + (((guint16)(exponent + 13)) << 10) + (guint16)steps);
}

guint
vidgen_kernel_test_int (VidgenKernelTest *test, guint low, guint high)
{
  return low + (guint)(g_rand_double (test->rand) * (high - low + 1.0));
}

double
vidgen_kernel_test_real (VidgenKernelTest *test, double low, double high)
{
  return g_rand_double_range (test->rand, low, high);
}

static VidgenDevice *
test_device (VidgenKernelTest *test)
{
  return test->device ? test->device : test->host;
}

const VidgenDeviceCaps *
vidgen_kernel_test_caps (VidgenKernelTest *test)
{
  return vidgen_device_caps (test_device (test));
}

const VidgenDeviceCaps *
vidgen_kernel_test_target_caps (VidgenKernelTest *test)
{
  return vidgen_device_caps (test->target);
}

void
vidgen_kernel_test_halves (VidgenKernelTest *test)
{
  test->halves = TRUE;
}

void
vidgen_kernel_test_round_inputs (VidgenKernelTest *test)
{
  test->round_inputs = TRUE;
}

static void
copy_memory (VidgenMemory *memory, guint8 *bytes, gboolean upload)
{
  const guint64 size = vidgen_memory_size (memory);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) staging =
      vidgen_memory_new (vidgen_memory_device (memory), size,
          upload ? VIDGEN_MEMORY_UPLOAD : VIDGEN_MEMORY_READBACK, &error);
  g_autoptr (VidgenRecorder) recorder = NULL;

  g_assert_no_error (error);
  recorder = vidgen_recorder_new (
      vidgen_memory_device (memory), VIDGEN_RECORDER_RUN, &error);
  g_assert_no_error (error);
  if (upload) {
    memcpy (vidgen_span_map (vidgen_memory_span (staging)), bytes, size);
    vidgen_recorder_copy (
        recorder, vidgen_memory_span (memory), vidgen_memory_span (staging));
  } else {
    vidgen_recorder_copy (
        recorder, vidgen_memory_span (staging), vidgen_memory_span (memory));
  }
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  if (!upload)
    memcpy (bytes, vidgen_span_map (vidgen_memory_span (staging)), size);
}

static void
fill_random (VidgenKernelTest *test, VidgenTestType type, guint8 *bytes,
    guint64 count, double scale)
{
  for (guint64 i = 0; i < count; i++) {
    const double unit = g_rand_double (test->rand);
    const float exact = (float)(scale * (2 * unit - 1));
    const float value = test->round_inputs ? vidgen_half_to_float (
                                                 vidgen_half_from_float (exact))
                                           : exact;

    switch (type) {
    case VIDGEN_TEST_F32:
      memcpy (bytes + 4 * i, &value, 4);
      break;
    case VIDGEN_TEST_F16: {
      const guint16 half = vidgen_float_to_half (value);
      memcpy (bytes + 2 * i, &half, 2);
      break;
    }
    case VIDGEN_TEST_U8:
      bytes[i] = (guint8)(unit * (scale + 1));
      break;
    case VIDGEN_TEST_U32: {
      const guint32 integer = (guint32)(unit * (scale + 1));
      memcpy (bytes + 4 * i, &integer, 4);
      break;
    }
    }
  }
}

static guint64
tensor_values (const Tensor *tensor)
{
  return (tensor->rows - 1) * tensor->stride + tensor->size;
}

/* Takes `bytes` of content, or poison when it is NULL. */
static VidgenSpan
test_add_tensor (VidgenKernelTest *test, Tensor tensor, const guint8 *bytes)
{
  const guint64 n_bytes =
      tensor_values (&tensor) * tolerances[tensor.type].bytes;
  const guint64 padded = (n_bytes + VIDGEN_SPAN_ALIGNMENT - 1) /
                         VIDGEN_SPAN_ALIGNMENT * VIDGEN_SPAN_ALIGNMENT;
  const guint64 total = GUARD_BYTES + padded + GUARD_BYTES;
  g_autoptr (GError) error = NULL;

  tensor.before = g_malloc (total);
  tensor.after = g_malloc (total);
  memset (tensor.before, POISON, total);
  if (bytes)
    memcpy (tensor.before + GUARD_BYTES, bytes, n_bytes);
  tensor.memory = vidgen_memory_new (
      test_device (test), total, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  copy_memory (tensor.memory, tensor.before, TRUE);
  g_array_append_val (test->tensors, tensor);
  return vidgen_span_cut (
      vidgen_memory_span (tensor.memory), GUARD_BYTES, n_bytes);
}

VidgenSpan
vidgen_kernel_test_input (
    VidgenKernelTest *test, VidgenTestType type, guint64 count, double scale)
{
  g_autofree guint8 *bytes = g_malloc (count * tolerances[type].bytes);

  fill_random (test, type, bytes, count, scale);
  return test_add_tensor (test,
      (Tensor){ .type = type, .rows = 1, .size = count, .stride = count },
      bytes);
}

VidgenSpan
vidgen_kernel_test_data (
    VidgenKernelTest *test, gconstpointer data, gsize bytes)
{
  return test_add_tensor (test,
      (Tensor){
          .type = VIDGEN_TEST_U8, .rows = 1, .size = bytes, .stride = bytes },
      data);
}

VidgenSpan
vidgen_kernel_test_output (VidgenKernelTest *test, VidgenTestType type,
    guint rows, guint64 size, guint64 stride)
{
  return test_add_tensor (test,
      (Tensor){ .type = type,
          .rows = rows,
          .size = size,
          .stride = stride,
          .written = TRUE,
          .poisoned = type != VIDGEN_TEST_U8 },
      NULL);
}

VidgenSpan
vidgen_kernel_test_inout (VidgenKernelTest *test, VidgenTestType type,
    guint rows, guint64 size, guint64 stride, double scale)
{
  const Tensor tensor = {
    .type = type, .rows = rows, .size = size, .stride = stride, .written = TRUE
  };
  g_autofree guint8 *bytes =
      g_malloc (tensor_values (&tensor) * tolerances[type].bytes);

  fill_random (test, type, bytes, tensor_values (&tensor), scale);
  return test_add_tensor (test, tensor, bytes);
}

static double
value_at (const Tensor *tensor, const guint8 *bytes, guint64 offset)
{
  const guint8 *at = bytes + offset;
  float value;
  guint32 integer;

  switch (tensor->type) {
  case VIDGEN_TEST_F32:
    memcpy (&value, at, 4);
    return value;
  case VIDGEN_TEST_F16:
    return vidgen_type_value (VIDGEN_F16, at, 0);
  case VIDGEN_TEST_U8:
    return *at;
  case VIDGEN_TEST_U32:
    memcpy (&integer, at, 4);
    return integer;
  }
  return 0;
}

static gboolean
is_poison (const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    if (bytes[i] != POISON)
      return FALSE;
  return TRUE;
}

static void
check_untouched (VidgenKernelTest *test, const Tensor *tensor, guint number,
    guint64 from, guint64 to)
{
  for (guint64 i = from; i < to; i++)
    if (tensor->before[i] != tensor->after[i]) {
      g_test_message ("span %u: byte %" G_GINT64_FORMAT
                      " outside of its values was changed (seed %u)",
          number, (gint64)i - GUARD_BYTES, test->seed);
      g_test_fail ();
      return;
    }
}

static void
check_touched (VidgenKernelTest *test, const Tensor *tensor, guint number)
{
  const gsize bytes = tolerances[tensor->type].bytes;
  guint64 at = 0;

  for (guint row = 0; row < tensor->rows && tensor->written; row++) {
    const guint64 start = GUARD_BYTES + row * tensor->stride * bytes;

    check_untouched (test, tensor, number, at, start);
    at = start + tensor->size * bytes;
    for (guint64 i = 0; i < tensor->size && tensor->poisoned; i++)
      if (is_poison (tensor->after + start + i * bytes, bytes)) {
        g_test_message ("span %u: value %" G_GUINT64_FORMAT
                        " of row %u was not written (seed %u)",
            number, i, row, test->seed);
        g_test_fail ();
        return;
      }
  }
  check_untouched (
      test, tensor, number, at, vidgen_memory_size (tensor->memory));
}

static void
compare (VidgenKernelTest *test, const Tensor *tensor, const Tensor *reference,
    guint number)
{
  const Tolerance *tolerance =
      &tolerances[test->halves && tensor->type == VIDGEN_TEST_F32
                      ? HALVES
                      : tensor->type];
  const gsize bytes = tolerance->bytes;
  double squares = 0, error_squares = 0, largest = 0, worst = 0;
  guint64 worst_row = 0, worst_column = 0;
  double limit, l2;

  for (guint row = 0; row < tensor->rows; row++)
    for (guint64 i = 0; i < tensor->size; i++) {
      const guint64 at = GUARD_BYTES + (row * tensor->stride + i) * bytes;
      const double got = value_at (tensor, tensor->after, at);
      const double want = value_at (reference, reference->after, at);
      const double off =
          isfinite (got) && isfinite (want) ? fabs (got - want) : INFINITY;

      squares += want * want;
      error_squares += off * off;
      largest = MAX (largest, fabs (want));
      if (off > worst) {
        worst = off;
        worst_row = row;
        worst_column = i;
      }
    }
  l2 = error_squares > 0 ? sqrt (error_squares / MAX (squares, 1e-30)) : 0;
  limit = tolerance->relative_max * largest + tolerance->absolute_max;
  if (!isfinite (worst) || worst > limit || l2 > tolerance->relative_l2) {
    const guint64 at =
        GUARD_BYTES + (worst_row * tensor->stride + worst_column) * bytes;

    g_test_message ("span %u: relative L2 %g, worst %g at row "
                    "%" G_GUINT64_FORMAT ", column %" G_GUINT64_FORMAT
                    ": %g, expected %g (seed %u)",
        number, l2, worst, worst_row, worst_column,
        value_at (tensor, tensor->after, at),
        value_at (reference, reference->after, at), test->seed);
    g_test_fail ();
  }
}

static void
read_tensors (VidgenKernelTest *test)
{
  for (guint i = 0; i < test->tensors->len; i++) {
    const Tensor *tensor = &g_array_index (test->tensors, Tensor, i);

    copy_memory (tensor->memory, tensor->after, FALSE);
  }
}

static void
print_bench (
    VidgenKernelTest *test, VidgenKernelLaunch launch, const void *params)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (test->device, VIDGEN_RECORDER_RUN, &error);
  double time_ns = 0, operations = 0;
  guint n_runs = 0;

  g_assert_no_error (error);
  while (time_ns < BENCH_NS && n_runs < 100) {
    const VidgenStageTime *times;
    guint n_times;

    launch (recorder, params);
    vidgen_recorder_finish (recorder, NULL, &error);
    g_assert_no_error (error);
    times = vidgen_recorder_times (recorder, &n_times);
    for (guint i = 0; i < n_times; i++) {
      time_ns += (double)times[i].time_ns;
      operations += times[i].operations;
    }
    n_runs++;
  }
  g_test_message ("bench %s: %.3f ms, %.2f GFLOP/s on %s", g_test_get_path (),
      time_ns / n_runs / 1e6, operations / MAX (time_ns, 1),
      vidgen_device_caps (test->device)->name);
}

void
vidgen_kernel_test_run (VidgenKernelTest *test, VidgenKernelLaunch launch,
    VidgenReference reference, const void *params)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenRecorder) recorder = NULL;

  g_assert_false (test->ran);
  test->ran = TRUE;
  if (!test->device) {
    reference (params);
    read_tensors (test);
    return;
  }
  recorder = vidgen_recorder_new (test->device, VIDGEN_RECORDER_RUN, &error);
  g_assert_no_error (error);
  launch (recorder, params);
  if (!vidgen_recorder_finish (recorder, NULL, &error)) {
    g_test_message ("%s (seed %u)", error->message, test->seed);
    g_test_fail ();
  }
  read_tensors (test);
  if (test->bench && !g_test_failed ())
    print_bench (test, launch, params);
}

static void
tensor_clear (gpointer data)
{
  Tensor *tensor = data;

  vidgen_memory_unref (tensor->memory);
  g_free (tensor->before);
  g_free (tensor->after);
}

static GArray *
tensors_new (void)
{
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));

  g_array_set_clear_func (tensors, tensor_clear);
  return tensors;
}

static void
take_turn (VidgenKernelTest *test, VidgenKernelTestFunc func)
{
  test->rand = g_rand_new_with_seed (test->seed);
  test->ran = FALSE;
  test->halves = test->round_inputs = FALSE;
  func (test);
  g_assert_true (test->ran);
  g_rand_free (test->rand);
  for (guint i = 0; i < test->tensors->len; i++) {
    const Tensor *tensor = &g_array_index (test->tensors, Tensor, i);

    check_touched (test, tensor, i);
  }
}

static void
run_round (VidgenKernelTest *test, VidgenKernelTestFunc func)
{
  VidgenDevice *device = g_steal_pointer (&test->device);

  test->seed = (guint32)g_test_rand_int ();
  test->tensors = tensors_new ();
  take_turn (test, func);
  test->reference = g_steal_pointer (&test->tensors);
  test->tensors = tensors_new ();
  test->device = device;
  if (!g_test_failed ())
    take_turn (test, func);
  for (guint i = 0; i < test->tensors->len; i++) {
    const Tensor *tensor = &g_array_index (test->tensors, Tensor, i);

    if (tensor->written)
      compare (test, tensor, &g_array_index (test->reference, Tensor, i), i);
  }
  g_array_unref (test->tensors);
  g_array_unref (test->reference);
}

static void
run_registered (gconstpointer data)
{
  const Registered *registered = data;
  const Target *target = registered->target;
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) host = vidgen_device_open ("host", &error);
  g_autoptr (VidgenDevice) device = NULL;
  VidgenKernelTest test = { .host = host };

  g_assert_no_error (error);
  device = vidgen_device_open (target->device, &error);
  if (!device) {
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
    g_test_skip (error->message);
    return;
  }
  test.device = test.target = device;
  if (target->as_gpu)
    device->caps.type = VIDGEN_DEVICE_DISCRETE;
  vidgen_device_watch (host, TRUE);
  for (guint i = 0; i < registered->n_rounds && !g_test_failed (); i++) {
    test.bench = run_bench && !strcmp (target->name, "vulkan") &&
                 i + 1 == registered->n_rounds;
    run_round (&test, registered->func);
  }
}

static void
test_register (const char *path, VidgenKernelTestFunc func, guint n_rounds)
{
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    g_autofree char *name = g_strdup_printf ("%s/%s", path, targets[i].name);
    Registered *registered;

    if (run_quick && strcmp (targets[i].name, "vulkan"))
      continue;
    registered = g_new (Registered, 1);
    *registered = (Registered){ func,
      run_quick           ? 1
      : targets[i].as_gpu ? (n_rounds + 1) / 2
                          : n_rounds,
      &targets[i] };
    g_test_add_data_func_full (name, registered, run_registered, g_free);
  }
}

/* Whether `option` was among the arguments, of which it is taken out. */
static gboolean
take_option (int *argc, char ***argv, const char *option)
{
  for (int i = 1; i < *argc; i++)
    if (!strcmp ((*argv)[i], option)) {
      memmove (
          &(*argv)[i], &(*argv)[i + 1], (gsize)(*argc - i) * sizeof (char *));
      (*argc)--;
      return TRUE;
    }
  return FALSE;
}

void
vidgen_kernel_test_init (int *argc, char ***argv)
{
  run_bench = take_option (argc, argv, "--bench");
  run_quick = take_option (argc, argv, "--quick");
  g_test_init (argc, argv, NULL);
}

void
vidgen_kernel_test_add (const char *path, VidgenKernelTestFunc func)
{
  test_register (path, func, VIDGEN_KERNEL_TEST_ROUNDS);
}

void
vidgen_kernel_test_add_fixed (const char *path, VidgenKernelTestFunc func)
{
  test_register (path, func, 1);
}
