#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Streams for three minutes to an nginx that is killed and started again every
# half minute, with a new prompt in each: the tool connects again each time and
# its scene goes on, and it holds no more in the end than after the first time.
# VIDGEN_SOAK_ROUNDS: how often (default: 6).
# shellcheck disable=SC2317  # functions are called by check
set -eu
# shellcheck source=tests/streaming/tap.sh
. "${VIDGEN_SOURCE:?}/tests/streaming/tap.sh"
# shellcheck source=tests/streaming/nginx.sh
. "$VIDGEN_SOURCE/tests/streaming/nginx.sh"

rounds=${VIDGEN_SOAK_ROUNDS:-6}
fps=16
seconds=30 # of stream in each round
max_growth_kb=16384

has_pictures () {
  read_recording "$round"
  [ "$(count video)" -ge $((seconds * fps)) ]
}

is_recorded () {
  ! await 180 "$sender" has_pictures || return 0
  echo "$(count video) pictures, $(count audio) packets of sound"
  cat "$folder/sender.err" "$folder/error.log"
  return 1
}

# Pictures come at even distances, and sound for as long as they do.
is_whole () {
  awk -F, -v fps="$fps" '
    /^(video|audio),/ {
      if ($1 in last && $2 <= last[$1])
        bad = bad " " $0
      if ($1 == "video" && ("video" in last) &&
          ($2 - last["video"] - 1 / fps) ^ 2 > 0.002 ^ 2)
        bad = bad " " $0
      if (!($1 in first))
        first[$1] = $2
      last[$1] = $2
    }
    END {
      print first["video"] "-" last["video"] " s, " first["audio"] "-" \
        last["audio"] " s" bad
      begin = first["video"] - first["audio"]
      exit bad != "" || begin ^ 2 > (1 / fps + 0.05) ^ 2
    }' "$folder/packets"
}

prompt_is_taken () {
  ! await 60 "$sender" grep -q "prompt: scene $round\$" \
    "$folder/sender.err" || return 0
  cat "$folder/sender.err"
  return 1
}

# The scene is not begun anew: the model is loaded once.
goes_on () {
  [ "$(grep -c '^load: 100' "$folder/sender.err")" = 1 ]
}

# Resident KiB, threads and descriptors of the sender.
holdings () {
  awk '/^VmRSS|^Threads/ { printf "%s ", $2 }' "/proc/$sender/status"
  find "/proc/$sender/fd" -mindepth 1 | wc -l
}

holds_no_more () {
  now=$(holdings)
  echo "$before, then $now"
  echo "$before $now" | awk -v growth=$max_growth_kb \
    '{ exit !($4 <= $1 + growth && $5 <= $2 + 2 && $6 <= $3 + 2) }'
}

check "nginx starts" start_server "$(records 1)"
[ "$failures" = 0 ] || end
mkfifo "$folder/prompts"
exec 3<>"$folder/prompts"
"${VIDGEN:?}" rtmp "rtmp://127.0.0.1:$port/live/scene" --fps $fps \
  --size 320x192 <"$folder/prompts" >"$folder/sender.out" \
  2>"$folder/sender.err" &
sender=$!
children="$children $sender"

for round in $(seq "$rounds"); do
  if [ "$round" -gt 1 ]; then
    check "nginx dies before round $round" dies
    sleep 2
    check "nginx starts for round $round" starts_again "$round"
    echo "scene $round" >&3
  fi
  check "round $round is recorded" is_recorded
  [ "$failures" = 0 ] || end
  check "round $round is whole" is_whole
  [ "$round" = 1 ] || check "the prompt of round $round is taken" \
    prompt_is_taken
  [ "$round" != 2 ] || before=$(holdings)
done
check "each loss is told once" says "connection is lost" $((rounds - 1))
check "each success is told once" says "connected again" $((rounds - 1))
check "the scene goes on" goes_on
check "no more is held in the end" holds_no_more
holds_no_more | sed 's/^/# /' || true
check "an interrupt ends the sender in order" ends_in_order
end
