/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/tell.h"

#include "models/checkpoint/folder.h"
#include "models/decoder.h"
#include "models/family.h"
#include "models/lora.h"
#include "models/umt5/umt5.h"
#include "models/wan/names.h"
#include "models/wan/work.h"

#define FAMILY "wan"
#define FPS 16

VidgenWanRole
vidgen_wan_role (VidgenCheckpoint *checkpoint)
{
  if (vidgen_wan_names_part (checkpoint, NULL))
    return VIDGEN_WAN_TRANSFORMER;
  if (vidgen_lora_probe (checkpoint))
    return VIDGEN_WAN_LORA;
  if (vidgen_umt5_probe (checkpoint))
    return VIDGEN_WAN_TEXT_ENCODER;
  return vidgen_decoder_probe (checkpoint) ? VIDGEN_WAN_DECODER
                                           : VIDGEN_WAN_OTHER;
}

static void
tell_transformer (
    const char *path, VidgenCheckpoint *checkpoint, GString *report)
{
  g_autoptr (VidgenWanPreset) preset = vidgen_wan_preset_guess (path);
  const char *part = vidgen_wan_names_part (checkpoint, preset->part);

  g_string_append_printf (report, "transformer, preset %s", preset->name);
  if (part && *part)
    g_string_append_printf (report, ", part %s", part);
}

static void
tell_text_encoder (const char *path, GString *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenUmt5) umt5 = vidgen_umt5_open (path, &error);
  g_autofree char *memory =
      umt5 ? g_format_size (vidgen_umt5_bytes (umt5)) : NULL;

  if (umt5)
    g_string_append_printf (report,
        "text encoder umT5, needs %s of device memory while it encodes",
        memory);
  else
    g_string_append_printf (
        report, "text encoder umT5, broken: %s", error->message);
}

static void
tell_decoder (VidgenCheckpoint *checkpoint, GString *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDecoder) decoder = vidgen_decoder_open (checkpoint, &error);

  if (decoder)
    g_string_append_printf (
        report, "decoder %s", vidgen_decoder_kind (decoder));
  else
    g_string_append_printf (report, "decoder, broken: %s", error->message);
}

static void
tell_lora (VidgenCheckpoint *checkpoint, GString *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenLora) lora = vidgen_lora_new (checkpoint, 1, &error);

  if (lora)
    g_string_append_printf (
        report, "LoRA of %u tensors", vidgen_lora_count (lora));
  else
    g_string_append_printf (report, "LoRA, broken: %s", error->message);
}

static void
tell_file (const VidgenFolderFile *file, VidgenWanRole role, GString *report)
{
  g_string_append_printf (report, "%s: ", file->path);
  if (file->error) {
    g_string_append_printf (report, "broken: %s\n", file->error->message);
    return;
  }
  switch (role) {
  case VIDGEN_WAN_TRANSFORMER:
    tell_transformer (file->path, file->checkpoint, report);
    break;
  case VIDGEN_WAN_TEXT_ENCODER:
    tell_text_encoder (file->path, report);
    break;
  case VIDGEN_WAN_DECODER:
    tell_decoder (file->checkpoint, report);
    break;
  case VIDGEN_WAN_LORA:
    tell_lora (file->checkpoint, report);
    break;
  case VIDGEN_WAN_OTHER:
    g_string_append (report, "not of the family wan");
    break;
  }
  g_string_append_c (report, '\n');
}

/* What a transformer lacks; `found` are bits of 1 << VidgenWanRole. */
static void
tell_missing (guint found, GString *report)
{
  if (!(found & 1u << VIDGEN_WAN_TRANSFORMER))
    return;
  if (!(found & 1u << VIDGEN_WAN_DECODER))
    g_string_append (report, "missing: a decoder, such as taew2_1.safetensors "
                             "or Wan2.1_VAE.pth\n");
  if (!(found & 1u << VIDGEN_WAN_TEXT_ENCODER))
    g_string_append (report, "missing: a text encoder umT5, without which only "
                             "prompts that were encoded before are played\n");
}

void
vidgen_wan_tell_files (const char *location, GString *report)
{
  const gboolean is_file = g_file_test (location, G_FILE_TEST_IS_REGULAR);
  g_autofree char *folder =
      is_file ? g_path_get_dirname (location) : g_strdup (location);
  g_autoptr (GPtrArray) all = vidgen_folder_open (folder, NULL);
  guint found = 0;

  for (guint i = 0; all && i < all->len; i++) {
    const VidgenFolderFile *file = all->pdata[i];
    const VidgenWanRole role = file->checkpoint
                                   ? vidgen_wan_role (file->checkpoint)
                                   : VIDGEN_WAN_OTHER;

    if (!is_file || g_str_equal (file->path, location) ||
        role != VIDGEN_WAN_OTHER)
      tell_file (file, role, report);
    found |= 1u << role;
  }
  tell_missing (found, report);
}

static guint64
weights_bytes (const VidgenWanConfig *config)
{
  const guint64 size = config->size;
  const guint64 block =
      8 * size * (size + 1) + 2 * size * config->ffn + config->ffn + 13 * size;
  const guint64 rest = size * (VIDGEN_WAN_VALUES + 1) * 2 +
                       size * (config->text_size + size + 2) +
                       size * (config->time_size + size + 2) +
                       6 * size * (size + 1);

  return 2 * (config->layers * block + rest);
}

/* Of the encoder umT5-XXL and the decoder TAEHV at work, about. */
#define PARTS_BYTES (G_GUINT64_CONSTANT (1) << 30)

static guint64
memory_bytes (const VidgenWanConfig *config, const VidgenWanPreset *preset,
    const VidgenFormat *format)
{
  const VidgenWanShape shape = vidgen_wan_work_shape (preset, format);
  g_autoptr (VidgenPlan) plan = vidgen_plan_new ();
  VidgenWanTransformer transformer;

  vidgen_wan_transformer_plan (&transformer, config, &shape, plan, 0, 0);
  return weights_bytes (config) + vidgen_plan_bytes (plan) +
         vidgen_wan_transformer_bytes (config, &shape) + PARTS_BYTES;
}

/* f32, of the files whose size is known. */
static guint64
file_bytes (const char *name)
{
  return g_str_equal (name, "wan") || g_str_equal (name, "self-forcing")
             ? G_GUINT64_CONSTANT (5676070424)
             : 0;
}

static void
list_presets (GArray *list)
{
  static const VidgenWanConfig config = { .size = 1536,
    .layers = 30,
    .heads = 12,
    .ffn = 8960,
    .time_size = 256,
    .text_size = 4096,
    .text_rows = 512 };
  const char *const *names = vidgen_wan_preset_names ();

  for (guint i = 0; names[i]; i++) {
    const VidgenWanPresetAbout *about = vidgen_wan_preset_about (names[i]);
    g_autoptr (VidgenWanPreset) preset = vidgen_wan_preset_new (names[i]);
    const VidgenFormat format = { preset->width, preset->height, FPS, 1 };
    const VidgenPublished published = { .family = FAMILY,
      .name = names[i],
      .title = about->title,
      .source = about->source,
      .licence = about->licence,
      .file_bytes = file_bytes (names[i]),
      .format = format,
      .memory_bytes = memory_bytes (&config, preset, &format) };

    g_array_append_val (list, published);
  }
}

void
vidgen_wan_list_published (GArray *list)
{
  static const VidgenPublished parts[] = {
    { .family = FAMILY,
        .title = "text encoder: umT5-XXL, bf16, with its tokenizer",
        .source = "https://huggingface.co/Wan-AI/Wan2.1-T2V-1.3B "
                  "models_t5_umt5-xxl-enc-bf16.pth with google/umt5-xxl/",
        .licence = "Apache-2.0",
        .file_bytes = G_GUINT64_CONSTANT (11361920418) },
    { .family = FAMILY,
        .title = "text encoder: umT5-XXL, scaled 8-bit floats, in one file",
        .source = "https://huggingface.co/Comfy-Org/"
                  "Wan_2.1_ComfyUI_repackaged split_files/text_encoders/"
                  "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
        .licence = "Apache-2.0",
        .file_bytes = G_GUINT64_CONSTANT (6735906897) },
    { .family = FAMILY,
        .title = "decoder: TAEHV, fast",
        .source = "https://github.com/madebyollin/taehv "
                  "safetensors/taew2_1.safetensors",
        .licence = "MIT",
        .file_bytes = 22642902 },
    { .family = FAMILY,
        .title = "decoder: the VAE of Wan 2.1, 25 times the work",
        .source = "https://huggingface.co/Wan-AI/Wan2.1-T2V-1.3B "
                  "Wan2.1_VAE.pth",
        .licence = "Apache-2.0",
        .file_bytes = 507609880 },
  };

  list_presets (list);
  g_array_append_vals (list, parts, G_N_ELEMENTS (parts));
}
