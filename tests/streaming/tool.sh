#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# What the driver script and the tool say, and that what goes wrong is told in
# one clear line with exit code 1.
# shellcheck disable=SC2317  # functions are called by check
set -eu
# shellcheck source=tests/streaming/tap.sh
. "${VIDGEN_SOURCE:?}/tests/streaming/tap.sh"

driver=$VIDGEN_SOURCE/vidgen
tool=${VIDGEN:?}
# This test may neither install nor build.
export VIDGEN_SETUP=no

shells_parse () {
  for script in "$driver" "$VIDGEN_SOURCE"/tests/streaming/*.sh; do
    sh -n "$script" || return 1
    ! command -v dash >/dev/null || dash -n "$script" || return 1
  done
  bash -n "$VIDGEN_SOURCE/.ci/run"
}

shellcheck_is_content () {
  cd "$VIDGEN_SOURCE"
  shellcheck -x vidgen .ci/run tests/streaming/*.sh
}

# The figures of a quick check must not be felt: it is part of every verb.
driver_helps () {
  sh "$driver" --help >"$folder/help"
  for verb in demo rtmp bench prompts models encode setup build test env \
    install; do
    grep -q "^  $verb" "$folder/help" || return 1
  done
}

tool_helps () {
  "$tool" --help >"$folder/help"
  for verb in demo rtmp bench prompts models encode; do
    grep -q "^  $verb" "$folder/help" || return 1
    "$tool" "$verb" --help >"$folder/verb" || return 1
    grep -q '^Usage:' "$folder/verb" || return 1
  done
}

# Also for a path with spaces and quotes, and without losing what was set, however
# often; the scenes that are shipped are found.
env_works () {
  mkdir -p "$folder/it's here"
  ln -s "$VIDGEN_BUILD_DIR" "$folder/it's here/build"
  (
    export VIDGEN_BUILD_DIR="$folder/it's here/build"
    export GST_PLUGIN_PATH_1_0="$folder/other"
    export GST_REGISTRY_1_0="$folder/registry"
    export GST_PRESET_PATH="$folder/presets"
    # A file of presets that a user has saved may hide those.
    export XDG_DATA_HOME="$folder/data"
    eval "$(sh "$driver" env)"
    eval "$(sh "$driver" env)"
    echo "$GST_PLUGIN_PATH_1_0 and $GST_PRESET_PATH"
    [ "$GST_PLUGIN_PATH_1_0" = \
      "$VIDGEN_BUILD_DIR/gst-plugin:$folder/other" ] || exit 1
    [ "$GST_PRESET_PATH" = \
      "$(readlink -f "$VIDGEN_SOURCE")/gst-plugin:$folder/presets" ] || exit 1
    gst-inspect-1.0 vidgensrc >"$folder/inspected" || exit 1
    grep -A 9 '^Presets' "$folder/inspected" || true
    grep -q 'Campfire on snow' "$folder/inspected"
  )
}

# What a user has saved below ~/.local is not overwritten by what is shipped.
users_presets_stay () {
  meson setup -Dtests=false --prefix "$folder/.local" "$folder/build" \
    "$VIDGEN_SOURCE" >"$folder/out" 2>&1 || {
    tail -n 20 "$folder/out"
    return 1
  }
  meson introspect --installed "$folder/build" | tr ',' '\n' >"$folder/paths"
  grep presets "$folder/paths"
  grep -q 'presets/GstVidgenSrc.prs"' "$folder/paths" &&
    ! grep -q '"[^"]*/gstreamer-1.0/presets/' "$folder/paths"
}

# A folder without any of the programs that a build needs.
missing_is_told () {
  mkdir -p "$folder/bin"
  for program in sh dirname readlink grep cat id tr; do
    ln -sf "$(command -v "$program")" "$folder/bin/$program"
  done
  ! PATH=$folder/bin CC=no-such-compiler sh "$driver" setup \
    >"$folder/out" 2>&1 || return 1
  cat "$folder/out"
  grep -q 'packages are missing:.*build-essential.*meson' "$folder/out"
}

prompts_are_printed () {
  "$tool" prompts >"$folder/prompts"
  cat "$folder/prompts"
  [ "$(wc -l <"$folder/prompts")" -ge 4 ] &&
    grep -q '^ocean$' "$folder/prompts" &&
    grep -q '^  time  *sunset, day, night$' "$folder/prompts"
}

models_are_told () {
  "$tool" models >"$folder/models" || return 1
  cat "$folder/models"
  grep -q '^mini: ' "$folder/models" || return 1
  "$tool" models check "$VIDGEN_SOURCE/tests/data/tiny-wide.safetensors" \
    >"$folder/models" || return 1
  cat "$folder/models"
  grep -q '48 x 32 .* need' "$folder/models" || return 1
  grep -q '96 x 64 .* need' "$folder/models" || return 1
  "$tool" models check mini >"$folder/models" || return 1
  cat "$folder/models"
  grep -q 'can be played' "$folder/models"
}

families_are_true () {
  python3 -B "$VIDGEN_SOURCE/models/mini/train/scenes.py" --check
}

check "the scripts parse" shells_parse
if command -v shellcheck >/dev/null; then
  check "shellcheck is content" shellcheck_is_content
else
  skip "shellcheck is content" "shellcheck is not installed"
fi
check "the driver helps" driver_helps
check "the tool helps" tool_helps
check "env gives what GStreamer needs" env_works
check "a user's presets stay" users_presets_stay
check "what is missing is told" missing_is_told
check "prompts are printed" prompts_are_printed
check "models are told" models_are_told
if python3 -c 'import numpy, scipy' 2>/dev/null; then
  check "the families are those of the training" families_are_true
else
  skip "the families are those of the training" "no numpy and scipy"
fi

out=$folder/clip.mp4
check "an unknown verb" fails_with "no verb 'dance'" "$tool" dance
check "an unknown sanitizer" fails_with "address or thread, not 'memory'" \
  sh "$driver" test --sanitize memory
check "no sanitizer" fails_with "address or thread" \
  sh "$driver" test --sanitize
check "an unknown option" fails_with "colour" "$tool" demo --colour red
check "a word too many" fails_with usage "$tool" demo more
check "a folder without a model" fails_with "no model that can be played" \
  "$tool" models check "$folder"
check "a broken weight file" fails_with "no model that can be played" \
  "$tool" models check "$VIDGEN_SOURCE/tests/streaming/tap.sh"
check "nothing to encode" fails_with "a model and prompts" "$tool" encode mini
check "an encoder of no cost" fails_with "need not be kept" \
  "$tool" encode mini rain
check "odd words after models" fails_with "check and a path" \
  "$tool" models list
check "an odd size" fails_with "two even numbers.*'75x40'" \
  "$tool" demo --size 75x40
check "no size at all" fails_with "not 'large'" "$tool" demo --size large
check "a bad frame rate" fails_with "not '30/0'" "$tool" demo --fps 30/0
check "a frame rate with a rest" fails_with "not '30fps'" \
  "$tool" demo --fps 30fps
check "a negative time" fails_with "not negative" "$tool" demo --seconds -1
check "a file that is no MP4" fails_with "not 'clip.avi'" \
  "$tool" demo --out clip.avi
check "a folder that does not exist" fails_with "nowhere" \
  "$tool" demo --out "$folder/nowhere/clip.mp4"
check "an unknown model" fails_with "no-such-model" \
  "$tool" demo --out "$out" --model no-such-model
check "a file that is no model" fails_with "tap.sh" \
  "$tool" demo --out "$out" --model "$VIDGEN_SOURCE/tests/streaming/tap.sh"
check "an unknown device" fails_with "no-such-device" \
  "$tool" demo --out "$out" --device no-such-device
check "no Vulkan driver" fails_with "Vulkan driver" \
  env VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent \
  "$tool" demo --out "$out"
check "a size that a model does not make" \
  fails_with "48 x 32 or 96 x 64, not '96x32'" "$tool" bench --size 96x32 \
  --model "$VIDGEN_SOURCE/tests/data/tiny-wide.safetensors"
check "no Vulkan driver for bench" fails_with "Vulkan driver" \
  env VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent "$tool" bench
check "no address" fails_with usage "$tool" rtmp
check "an address that is not RTMP" fails_with "begins with rtmp" \
  "$tool" rtmp http://127.0.0.1/live
check "a server that is not there" fails_with "connect to 127.0.0.1" \
  "$tool" rtmp rtmp://127.0.0.1:1/live/scene
end
