#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Every line of gst-launch-1.0 in README.md runs as it stands there, except
# that windows, loudspeakers and servers are replaced and that what is endless
# is interrupted.
# shellcheck disable=SC2317  # functions are called by check
set -eu
# shellcheck source=tests/streaming/tap.sh
. "${VIDGEN_SOURCE:?}/tests/streaming/tap.sh"

# Lines of shell blocks, with continued ones joined.
lines () {
  awk '
    /^```/ { inside = /^```sh/; next }
    inside {
      line = line $0
      if (sub (/\\$/, "", line))
        next
      print line
      line = ""
    }' "$VIDGEN_SOURCE/README.md"
}

# Runs a line to its end, or 20 s of a live one.
runs () {
  echo "$1"
  cd "$folder"
  limit=150
  expected=0
  case $1 in
    *is-live=true*)
      limit=20
      expected=124
      ;;
  esac
  printf 'exec timeout -k 30 -s INT %s %s\n' "$limit" "$1" |
    sed -e 's/autovideosink/fakesink/g' -e 's/autoaudiosink/fakesink/g' \
      -e 's/rtmp2sink sync=false location=[^ ]*/filesink location=out.flv/' \
      -e 's/playbin3 /playbin3 video-sink=fakesink audio-sink=fakesink /' \
      -e 's/playbin /playbin video-sink=fakesink audio-sink=fakesink /' >line
  code=0
  sh line >output 2>&1 </dev/null || code=$?
  cat output
  echo "exit code $code"
  [ "$code" = "$expected" ] && ! grep -q '^ERROR' output
}

lines | grep '^gst-launch-1.0 ' >"$folder/lines" || true
check "README.md has lines to try" test "$(wc -l <"$folder/lines")" -ge 5
while read -r line; do
  check "$(echo "$line" | tr -d '#\134' | cut -c 1-60)" runs "$line"
done <"$folder/lines"
end
