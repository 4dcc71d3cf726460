#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# packaging.sh PLUGIN: what the built plugin needs of a machine, what it adds to
# a process, and what GStreamer's own tools make of it. TAP.
set -u

plugin=$1
tiny=$(dirname "$(readlink -f "$0")")/../data/tiny.safetensors
wide=$(dirname "$(readlink -f "$0")")/../data/tiny-wide.safetensors
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
alone () {
  env GST_REGISTRY_1_0="$scratch/registry-$number" \
    GST_PLUGIN_SYSTEM_PATH_1_0="" \
    GST_PLUGIN_PATH_1_0="$(dirname "$plugin")" "$@"
}

inspects () {
  alone "$@" gst-inspect-1.0 vidgensrc >"$scratch/inspected" || return 1
  cat "$scratch/inspected"
  for word in prompt on-underrun vidgen Source/Video/Audio; do
    grep -q -e "$word" "$scratch/inspected" || return 1
  done
}

# Whatever tool looks at it, nothing is said on stderr.
inspects_quietly () {
  alone gst-inspect-1.0 vidgensrc >"$scratch/inspected" &&
    alone gst-inspect-1.0 --print-all >"$scratch/inspected" &&
    alone gst-inspect-1.0 --uri-handlers >"$scratch/inspected" &&
    grep "^vidgensrc .*vidgen$" "$scratch/inspected"
}

quiet () {
  inspects_quietly 2>"$scratch/warnings"
  status=$?
  cat "$scratch/warnings"
  [ "$status" = 0 ] && [ ! -s "$scratch/warnings" ]
}

# Without a version gst-inspect-1.0 --exists asks for GStreamer's own, which a
# plugin that is released apart does not have.
version_exists () {
  version=$(alone gst-inspect-1.0 vidgensrc |
    awk '$1 == "Version" { print $2 }')
  alone gst-inspect-1.0 --exists --atleast-version="$version" vidgensrc &&
    ! alone gst-inspect-1.0 --exists --atleast-version=99.0 vidgensrc
}

# With all of GStreamer's plugins too.
with_all () {
  env GST_REGISTRY_1_0="$scratch/registry" \
    GST_PLUGIN_PATH_1_0="$(dirname "$plugin")" "$@"
}

# NAME TOOL COMMAND…: as check, once pictures can be made from a URI, which
# cannot name the host device.
check_uri () {
  if with_all gst-launch-1.0 -q vidgensrc num-buffers=1 model="$tiny" ! \
    fakesink >"$scratch/log" 2>&1; then
    check "$@"
  else
    skip "$1" "no Vulkan device is here"
  fi
}

discovers () {
  with_all timeout 60 gst-discoverer-1.0 "vidgen://$tiny?duration=1" \
    >"$scratch/discovered" || return 1
  cat "$scratch/discovered"
  for words in "Duration: 0:00:01.000000000" "Seekable: yes" "video #1" \
    "audio #2" "Width: 48" "Sample rate: 24000"; do
    grep -q "$words" "$scratch/discovered" || return 1
  done
}

plays () {
  with_all timeout 60 gst-play-1.0 --no-interactive \
    --videosink=fakevideosink --audiosink=fakeaudiosink \
    "vidgen://$tiny?duration=1" >"$scratch/played" 2>&1 || return 1
  cat "$scratch/played"
  grep -q "0:00:01.0 / 0:00:01.0" "$scratch/played" &&
    grep -q "Reached end of play list" "$scratch/played"
}

discovers_wide () {
  with_all timeout 60 gst-discoverer-1.0 "vidgen://$wide?duration=1&width=96" \
    >"$scratch/discovered" || return 1
  cat "$scratch/discovered"
  grep -q "Width: 96" "$scratch/discovered" &&
    grep -q "Height: 64" "$scratch/discovered"
}

# SIZE: eight pictures of a model that makes 48x32 and 96x64.
launches_at () {
  with_all gst-launch-1.0 -q vidgensrc num-buffers=8 device=host \
    model="$wide" ! "video/x-raw,format=RGB,$1" ! \
    filesink location="$scratch/pictures"
}

launches_wide () {
  launches_at width=96,height=64 || return 1
  wc -c "$scratch/pictures"
  [ "$(wc -c <"$scratch/pictures")" = $((8 * 96 * 64 * 3)) ] || return 1
  ! launches_at width=96,height=32 >"$scratch/refused" 2>&1 || return 1
  cat "$scratch/refused"
  grep -q -i "negotiat" "$scratch/refused"
}

names_bad_part () {
  with_all timeout 60 gst-play-1.0 --no-interactive \
    --videosink=fakevideosink --audiosink=fakeaudiosink \
    "vidgen://$tiny?colour=red" >"$scratch/played" 2>&1
  cat "$scratch/played"
  grep -q colour "$scratch/played"
}

# An interrupt ends the streams; the pipeline does not just stop.
ends_on_interrupt () {
  env GST_REGISTRY_1_0="$scratch/registry" \
    GST_PLUGIN_PATH_1_0="$(dirname "$plugin")" \
    gst-launch-1.0 -e vidgensrc name=s device=host is-live=true \
    buffer-time=250000000 model="$tiny" s.video ! fakesink sync=true \
    s.audio ! fakesink sync=true >"$scratch/launched" 2>&1 &
  launched=$!
  tries=0
  until grep -q PLAYING "$scratch/launched" || [ "$tries" = 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -INT "$launched"
  wait "$launched"
  cat "$scratch/launched"
  grep -q "Got EOS from element" "$scratch/launched"
}

echo 1..14
check "only the entry points are exported" nm exports
check "libvulkan is not linked to" readelf needs_no_vulkan
check "inspects without a Vulkan driver" gst-inspect-1.0 \
  inspects VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent
check "inspects without libvulkan" gst-inspect-1.0 \
  inspects VIDGEN_VULKAN_LIBRARY=/nonexistent
check "inspects without a warning" gst-inspect-1.0 quiet
check "exists by its own version" gst-inspect-1.0 version_exists
check_uri "gst-discoverer-1.0 sees both streams" gst-discoverer-1.0 discovers
check_uri "gst-discoverer-1.0 sees twice the native size" gst-discoverer-1.0 \
  discovers_wide
check "gst-launch-1.0 gets twice the native size" gst-launch-1.0 launches_wide
check_uri "gst-play-1.0 plays a URI to its end" gst-play-1.0 plays
check_uri "gst-play-1.0 names what is bad in a URI" gst-play-1.0 names_bad_part
check "gst-launch-1.0 -e ends on an interrupt" gst-launch-1.0 ends_on_interrupt
skip "scenarios of gst-validate" "Debian does not package gst-validate-1.0"
skip "cache of the documentation" \
  "Debian does not package gst-plugins-doc-cache-generator and hotdoc"
