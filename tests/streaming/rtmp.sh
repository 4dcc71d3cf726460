#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Streams live to nginx with its RTMP module on a loopback port, and reads the
# stream back with ffprobe while it is sent; then interrupts the sender.
# shellcheck disable=SC2317  # functions are called by check
set -eu
# shellcheck source=tests/streaming/tap.sh
. "${VIDGEN_SOURCE:?}/tests/streaming/tap.sh"
# shellcheck source=tests/streaming/nginx.sh
. "$VIDGEN_SOURCE/tests/streaming/nginx.sh"

seconds=18
fps=30
rate=48000

# Whoever joins as soon as the server lets him: of nginx 1.22, a reader that
# comes before the first packet may see the picture alone.
read_some () {
  timeout "$(patient 60)" ffprobe -v error -read_intervals "%+$seconds" \
    -show_entries stream=codec_name:packet=codec_type,dts_time -of csv=p=0 \
    "$url" >"$folder/packets" 2>"$folder/ffprobe.err" </dev/null || true
  [ "$(wc -l <"$folder/packets")" -ge 10 ]
}

read_stream () {
  ! await 150 "$sender" read_some || return 0
  echo "nothing could be read"
  cat "$folder/ffprobe.err" "$folder/error.log" "$folder/sender.err"
  return 1
}

# A new prompt when the scene has gone on for some seconds, by standard input,
# which stays open.
send_prompt () {
  await 150 "$sender" grep -q '^warmup: 100' "$folder/sender.err" || return
  sleep 8
  echo "fireworks over a lake" >&3
}

value () {
  sed -n "s/^$1 //p" "$folder/figures"
}

# within NAME LIMIT
within () {
  sed 's/^/# /' "$folder/figures"
  [ -n "$(value "$1")" ] && awk "BEGIN { exit !($(value "$1") <= $2) }"
}

lasts_long_enough () {
  cat "$folder/figures"
  awk "BEGIN { exit !($(value seconds) >= 15) }"
}

one_of_each () {
  cat "$folder/streams"
  [ "$(sort "$folder/streams" | tr '\n' ' ')" = "aac h264 " ]
}

prompt_is_reported () {
  ! await 60 "$sender" grep -q 'fireworks over a lake' \
    "$folder/sender.err" || return 0
  cat "$folder/sender.err"
  return 1
}

check "nginx starts" start_server "idle_streams off"
[ "$failures" = 0 ] || end
url=rtmp://127.0.0.1:$port/live/scene

mkfifo "$folder/prompts"
exec 3<>"$folder/prompts"
"${VIDGEN:?}" rtmp "$url" --fps $fps \
  <"$folder/prompts" >"$folder/sender.out" 2>"$folder/sender.err" &
sender=$!
children="$children $sender"
send_prompt >/dev/null 2>&1 &

check "the stream is read" read_stream
[ "$failures" = 0 ] || end
grep -v '^\(video\|audio\),' "$folder/packets" >"$folder/streams" || true
awk -v fps=$fps -v rate=$rate -f "$VIDGEN_SOURCE/tests/streaming/packets.awk" \
  "$folder/packets" >"$folder/figures"

check "it has one H.264 and one AAC stream" one_of_each
check "it lasts at least 15 s" lasts_long_enough
check "decoding times only grow" within backwards 0
check "frame intervals are 1/fps to 1 ms" within video_deviation_ms 1
check "there is no gap in the sound" within audio_deviation_ms 1
check "picture and sound end together" within end_distance_ms \
  "$((1000 / fps + 50))"
check "picture and sound do not drift" within drift_ms 10
check "a prompt from standard input is taken" prompt_is_reported
check "an interrupt ends the sender in order" ends_in_order

sed 's/^/# /' "$folder/figures"
end
