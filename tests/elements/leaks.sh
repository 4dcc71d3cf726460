#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# No object of GStreamer outlives the tests that are given: the leaks tracer
# finds none.
set -eu

n=0
failures=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# The volume of playbin outlives any playbin of GStreamer 1.22.
left_out () {
  case $(basename "$1") in
    elements-inspect) echo -s /inspect/05-launch-lines ;;
    elements-players) echo -s /players/playbin -s /players/playbin3 ;;
  esac
}

# The tracer tells what lives when GStreamer is left.
leaves_nothing () {
  VIDGEN_DEINIT=1 GST_TRACERS=leaks GST_DEBUG='GST_TRACER:7,GST_INIT:4' \
    GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE="$folder/log" "$1" $(left_out "$1") \
    >"$folder/out" 2>&1 || {
    cat "$folder/out"
    grep 'object-alive, type-name=(string)[^%]' "$folder/log"
    return 1
  }
  grep -q 'object-alive\.class' "$folder/log" || {
    echo "the tracer was not there"
    return 1
  }
  grep -q 'deinitialized GStreamer' "$folder/log" || {
    echo "GStreamer was not left"
    return 1
  }
  ! grep 'object-alive, type-name=(string)[^%]' "$folder/log"
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
