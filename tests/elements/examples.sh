#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# examples.sh APPSINK: the examples on the host device with a tiny model. TAP.
set -u

appsink=$1
tiny=$(dirname "$(readlink -f "$0")")/../data/tiny.safetensors
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
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

echo 1..6
check "plays to the end" play
check "every picture arrives" arrived video/x-raw $((48 * 32 * 3)) 96
check "all the sound arrives" arrived audio/x-raw $((1500 * 2 * 2)) 96
check "the prompt changes" changes
check "a model that is missing is an error" refuses rain model=/nonexistent
check "a property that is missing is an error" refuses rain colour=red
