#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# examples.sh APPSINK [WINDOW]: the examples on the host device with a tiny
# model, the window on a display of its own. TAP.
set -u

appsink=$1
window=${2:-}
tiny=$(dirname "$(readlink -f "$0")")/../data/tiny.safetensors
scratch=$(mktemp -d)
server=
trap 'rm -rf "$scratch"; [ -z "$server" ] || kill "$server"' EXIT
number=0

check () {
  name=$1
  shift
  number=$((number + 1))
  if "$@" >"$scratch/log" 2>&1; then
    echo "ok $number $name"
  else
    sed 's/^/# /' "$scratch/log"
    echo "not ok $number $name"
  fi
}

arrived () {
  [ "$(grep -c "^$1 .* $2 bytes$" "$scratch/arrived")" = "$3" ]
}

play () {
  "$appsink" "a rain at night" "model=$tiny" device=host \
    duration=6000000000 >"$scratch/arrived" || return 1
  head "$scratch/arrived"
}

# From the second of the change on, within the buffer's second and a chunk.
changes () {
  grep '^prompt' "$scratch/arrived"
  [ "$(grep -c '^prompt' "$scratch/arrived")" = 1 ] &&
    grep -q '^prompt "a rain at night" from 0:00:0[23]\.' "$scratch/arrived"
}

refuses () {
  ! "$appsink" "$@" 2>"$scratch/errors" && cat "$scratch/errors" &&
    [ -s "$scratch/errors" ]
}

# What the window needs and this machine lacks.
lacks () {
  if [ -z "$window" ]; then
    echo "it was not built: there are no headers of GTK 4"
    return
  fi
  for tool in Xvfb xdotool ffmpeg; do
    command -v "$tool" >/dev/null || echo "there is no $tool"
  done | head -n 1
}

# Until a command succeeds, at most a minute.
await () {
  for _ in $(seq 120); do
    "$@" && return
    sleep 0.5
  done
  return 1
}

open_display () {
  Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp 3>"$scratch/display" \
    >/dev/null 2>&1 &
  server=$!
  await test -s "$scratch/display"
  DISPLAY=:$(cat "$scratch/display")
  export DISPLAY GDK_BACKEND=x11 GSK_RENDERER=cairo NO_AT_BRIDGE=1
  unset WAYLAND_DISPLAY
}

colours () {
  ffmpeg -nostdin -v error -f x11grab -video_size 800x600 -i "$DISPLAY" \
    -frames:v 1 -pix_fmt gray -f rawvideo -y "$scratch/screen"
  od -An -v -tu1 -w1 "$scratch/screen" | sort -u | wc -l
}

is_colourful () {
  [ "$(colours)" -ge 64 ]
}

shown () {
  grep -q '^now: thunder at sea$' "$scratch/shown"
}

steers () {
  open_display || return 1
  "$window" "a calm sea" "model=$tiny" device=host >"$scratch/shown" 2>&1 &
  child=$!
  result=1
  if await xdotool search --sync --onlyvisible --name "a calm sea" >/dev/null &&
    await is_colourful; then
    xdotool type --delay 20 "thunder at sea"
    xdotool key Return
    await shown && result=0
  fi
  kill "$child"
  wait "$child"
  cat "$scratch/shown"
  return "$result"
}

echo 1..8
check "plays to the end" play
check "every picture arrives" arrived video/x-raw $((48 * 32 * 3)) 96
check "all the sound arrives" arrived audio/x-raw $((1500 * 2 * 2)) 96
check "the prompt changes" changes
check "a model that is missing is an error" refuses rain model=/nonexistent
check "a property that is missing is an error" refuses rain colour=red
lack=$(lacks)
if [ -n "$lack" ]; then
  echo "ok 7 the window shows pictures and takes a prompt # SKIP $lack"
  echo "ok 8 the window refuses a model that is missing # SKIP $lack"
else
  check "the window shows pictures and takes a prompt" steers
  appsink=$window
  check "the window refuses a model that is missing" \
    refuses rain model=/nonexistent
fi
