#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# No object of GStreamer outlives the tests that are given: the leaks tracer
# finds none. Any playbin of GStreamer 1.22 leaves its volume with two pads; that
# alone is put up with.
set -eu

n=0
failures=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# What lives, but for what is playbin's.
living () {
  volume='GstVolume, address=[^,]*, description=(string)<volume>'
  pads='GstPad, address=[^,]*, description=(string)<volume:\(sink\|src\)>'
  grep 'object-alive, type-name=(string)[^%]' "$folder/log" |
    grep -v -e "(string)$volume" -e "(string)$pads"
}

# Whether all tests have passed and only then, while GStreamer was left, the
# tracer's warning of what lives, an error to a test program, has ended it.
has_passed () {
  grep '^Bail out!' "$folder/out" | grep -q 'FATAL-WARNING: Leaks detected' &&
    grep -q '^1\.\.' "$folder/out" && ! grep -q '^not ok' "$folder/out"
}

# The tracer tells what lives when GStreamer is left.
leaves_nothing () {
  VIDGEN_DEINIT=1 GST_TRACERS=leaks GST_DEBUG='GST_TRACER:7,GST_INIT:4' \
    GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE="$folder/log" "$1" \
    >"$folder/out" 2>&1 || has_passed || {
    cat "$folder/out"
    living
    return 1
  }
  grep -q 'object-alive\.class' "$folder/log" || {
    echo "the tracer was not there"
    return 1
  }
  has_passed || grep -q 'deinitialized GStreamer' "$folder/log" || {
    echo "GStreamer was not left"
    return 1
  }
  ! living
}

for program in "$@"; do
  n=$((n + 1))
  name=$(basename "$program")
  if leaves_nothing "$program" >"$folder/check" 2>&1; then
    echo "ok $n - $name"
  else
    echo "not ok $n - $name"
    failures=$((failures + 1))
    tail -n 30 "$folder/check" | cut -c 1-300 | sed 's/^/# /'
  fi
done
echo "1..$n"
[ "$failures" = 0 ]
