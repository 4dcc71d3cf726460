#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Every line of gst-launch-1.0 in README.md runs as it stands there, except
# that windows, loudspeakers and servers are replaced and that what is endless
# is interrupted. Lines whose elements are not here are skipped.
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

# One that may be missing, of those that a line names.
missing () {
  for element in srtsink hlssink2 webrtcsink v4l2sink compositor audiomixer; do
    case " $1 " in
      *" $element "*)
        gst-inspect-1.0 --exists "$element" || echo "$element"
        ;;
    esac
  done | head -n 1
}

port=$((20000 + $$ % 10000))
camera=fakesink
if [ -w /dev/video10 ]; then
  camera="v4l2sink device=\/dev\/video10"
fi

# A line as it stands in README.md to one that runs here.
here () {
  printf 'exec %s\n' "$1" |
    sed -e 's/autovideosink/fakesink/g' -e 's/autoaudiosink/fakesink/g' \
      -e 's/rtmp2sink sync=false location=[^ ]*/filesink location=out.flv/' \
      -e "s/srt:\/\/:7001/srt:\/\/:$port/" \
      -e "s/v4l2sink device=[^ ]*/$camera/" \
      -e 's/playbin3 /playbin3 video-sink=fakesink audio-sink=fakesink /' \
      -e 's/playbin /playbin video-sink=fakesink audio-sink=fakesink /'
}

# Runs a line to its end.
runs () {
  echo "$1"
  cd "$folder"
  here "$1" >line
  code=0
  timeout -k 30 "$(patient 200)" sh line >output 2>&1 </dev/null || code=$?
  cat output
  echo "exit code $code"
  [ "$code" = 0 ] && ! grep -q '^ERROR' output
}

# Runs a line until a command succeeds, then interrupts it: goes_on LINE CHECK…
goes_on () {
  echo "$1"
  cd "$folder"
  here "$1" >line
  shift
  timeout -k 30 -s INT "$(patient 220)" sh line >output 2>&1 </dev/null &
  child=$!
  children="$children $child"
  result=0
  await 200 "$child" "$@" || result=1
  kill -INT "$child" || true
  code=0
  wait "$child" || code=$?
  cat output
  echo "exit code $code"
  [ "$result" = 0 ] && [ "$code" != 124 ] && ! grep -q '^ERROR' output
}

is_big () {
  [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt 50000 ]
}

plays () {
  grep -q '^New clock' output && sleep 5
}

# Connects as a late viewer would, as often as it takes.
receives () {
  timeout -s INT 10 gst-launch-1.0 -q srtsrc \
    uri="srt://127.0.0.1:$port" ! filesink location=received.ts \
    >receiver 2>&1 </dev/null || true
  is_big received.ts
}

has_both () {
  codecs=$(ffprobe -v error -show_entries stream=codec_name \
    -of csv=p=0 "$1" | sort -u | xargs)
  echo "$1 has $codecs"
  [ "$codecs" = "aac h264" ]
}

sends () {
  goes_on "$1" receives && has_both received.ts
}

writes_segments () {
  goes_on "$1" test -s playlist.m3u8 && cat playlist.m3u8 &&
    grep -q '^#EXTINF' playlist.m3u8 && has_both segment00000.ts
}

mixes () {
  runs "$1" && has_both both.mp4 &&
    [ "$(ffprobe -v error -select_streams v -show_entries stream=width \
      -of csv=p=0 both.mp4)" = 384 ]
}

lines | grep '^gst-launch-1.0 ' >"$folder/lines" || true
check "README.md has lines to try" test "$(wc -l <"$folder/lines")" -ge 9
while read -r line; do
  name=$(echo "$line" | tr -d '#\134' | cut -c 1-60)
  element=$(missing "$line")
  if [ -n "$element" ]; then
    skip "$name" "there is no $element"
    continue
  fi
  case $line in
    *srtsink*) check "SRT: $name" sends "$line" ;;
    *hlssink2*) check "HLS: $name" writes_segments "$line" ;;
    *compositor*) check "two: $name" mixes "$line" ;;
    *rtmp2sink*) check "RTMP: $name" goes_on "$line" is_big out.flv ;;
    *is-live=true*) check "$name" goes_on "$line" plays ;;
    *) check "$name" runs "$line" ;;
  esac
done <"$folder/lines"
[ "$camera" != fakesink ] || skip "a camera" "there is no /dev/video10"
end
