#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# packaging.sh PLUGIN: what the built plugin needs of a machine, and what it
# adds to a process. TAP.
set -u

plugin=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

result () {
  number=$((number + 1))
  if [ "$1" = 0 ]; then
    echo "ok $number $2"
  else
    echo "not ok $number $2"
  fi
}

skip () {
  number=$((number + 1))
  echo "ok $number $1 # SKIP $2"
}

# NAME TOOL COMMAND…: passes when the command does, once the tool exists.
check () {
  name=$1
  tool=$2
  shift 2
  if command -v "$tool" >"$scratch/tool"; then
    "$@" >"$scratch/log" 2>&1
    status=$?
    [ "$status" = 0 ] || sed 's/^/# /' "$scratch/log"
    result "$status" "$name"
  else
    skip "$name" "$tool is not here"
  fi
}

exports () {
  nm -D --defined-only "$plugin" | awk '{ print $3 }' | sort >"$scratch/symbols"
  cat "$scratch/symbols"
  printf 'gst_plugin_vidgen_%s\n' get_desc register | cmp - "$scratch/symbols"
}

needs_no_vulkan () {
  readelf -d "$plugin" >"$scratch/needed" &&
    grep NEEDED "$scratch/needed" && ! grep -i vulkan "$scratch/needed"
}

# A registry of its own, so that the plugin is loaded anew.
inspects () {
  env GST_REGISTRY_1_0="$scratch/registry-$number" \
    GST_PLUGIN_SYSTEM_PATH_1_0="" \
    GST_PLUGIN_PATH_1_0="$(dirname "$plugin")" \
    "$@" gst-inspect-1.0 vidgensrc >"$scratch/inspected" || return 1
  cat "$scratch/inspected"
  for word in prompt on-underrun vidgen Source/Video/Audio; do
    grep -q -e "$word" "$scratch/inspected" || return 1
  done
}

echo 1..6
check "only the entry points are exported" nm exports
check "libvulkan is not linked to" readelf needs_no_vulkan
check "inspects without a Vulkan driver" gst-inspect-1.0 \
  inspects VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent
check "inspects without libvulkan" gst-inspect-1.0 \
  inspects VIDGEN_VULKAN_LIBRARY=/nonexistent
skip "scenarios of gst-validate" "Debian does not package gst-validate-1.0"
skip "cache of the documentation" \
  "Debian does not package gst-plugins-doc-cache-generator and hotdoc"
