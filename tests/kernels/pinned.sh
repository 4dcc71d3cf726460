#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Whether the pinned SPIR-V of KERNEL is what KERNEL.comp gives. The compiler
# that it was made with must give the same bytes, a newer one SPIR-V that is
# valid; with an older one the test is skipped. With PIN=1 it is made anew.
#
# Usage: pinned.sh SHADERS_FOLDER KERNEL; environment: GLSLANG, SPIRV_VAL
set -eu

shaders=$1
kernel=$2
pinned=$shaders/pinned/$kernel.spv.h
glslang=${GLSLANG:-glslang}
oldest=15

skip () {
  echo "$*"
  exit 77
}

version=$($glslang --version 2>/dev/null | sed -n 's/^Glslang Version: //p') ||
  skip "there is no glslang"
major=$(echo "$version" | sed 's/^[0-9]*:\([0-9]*\)\..*/\1/')
[ "${major:-0}" -ge "$oldest" ] ||
  skip "glslang ${version:-without a version} knows no cooperative matrices"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile () {
  $glslang --target-env vulkan1.3 -g0 --quiet "-I$shaders" "$@" \
    "$shaders/$kernel.comp"
}

{
  echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */'
  echo '/* SPDX-FileCopyrightText: The vidgensrc authors */'
  (cd "$work" && compile --vn "${kernel}_spirv" -o new.spv.h)
  cat "$work/new.spv.h"
} >"$work/pinned.spv.h"

if [ -n "${PIN:-}" ]; then
  cp "$work/pinned.spv.h" "$pinned"
fi
if [ "$(sed -n 3p "$pinned")" = "$(sed -n 3p "$work/pinned.spv.h")" ]; then
  cmp "$pinned" "$work/pinned.spv.h"
else
  echo "made with $(sed -n 's,^.*// ,,p;3q' "$pinned"), here is $version"
fi
compile -o "$work/new.spv"
if command -v "${SPIRV_VAL:-spirv-val}" >/dev/null; then
  "${SPIRV_VAL:-spirv-val}" --target-env vulkan1.3 --scalar-block-layout \
    "$work/new.spv" 2>"$work/errors" ||
    if grep -q 'Invalid capability\|Invalid extension' "$work/errors"; then
      echo "spirv-val is older than cooperative matrices"
    else
      cat "$work/errors"
      exit 1
    fi
fi
