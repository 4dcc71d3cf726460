#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Kills the nginx that the tool streams to and starts it again: the tool
# connects again and what it sends then is whole. Then kills it for good and
# interrupts the tool while it tries.
# shellcheck disable=SC2317  # functions are called by check
set -eu
# shellcheck source=tests/streaming/tap.sh
. "${VIDGEN_SOURCE:?}/tests/streaming/tap.sh"
# shellcheck source=tests/streaming/nginx.sh
. "$VIDGEN_SOURCE/tests/streaming/nginx.sh"

fps=30

# The recording NAME has N packets of each kind: has_packets NAME N
has_packets () {
  read_recording "$1"
  [ "$(count video)" -ge "$2" ] && [ "$(count audio)" -ge "$2" ]
}

is_recorded () {
  ! await 90 "$sender" has_packets "$@" || return 0
  wc -l "$folder/packets"
  cat "$folder/sender.err" "$folder/error.log"
  return 1
}

one_of_each () {
  grep '^[a-z0-9]*$' "$folder/packets" | grep . | sort | tr '\n' ' ' \
    >"$folder/streams"
  cat "$folder/streams"
  [ "$(cat "$folder/streams")" = "aac h264 " ]
}

only_grows () {
  awk -F, '
    /^(video|audio),/ {
      if ($1 in last && $2 <= last[$1]) {
        print last[$1] " s, then " $0
        bad++
      }
      last[$1] = $2
    }
    END { exit bad > 0 }' "$folder/packets"
}

begins_together () {
  awk -F, -v limit=$((1000 / fps + 50)) '
    /^(video|audio),/ && !($1 in first) { first[$1] = $2 * 1000 }
    END {
      print "picture at " first["video"] " ms, sound at " first["audio"] " ms"
      distance = first["video"] - first["audio"]
      exit !(distance <= limit && -distance <= limit)
    }' "$folder/packets"
}

check "nginx starts" start_server "$(records first)"
[ "$failures" = 0 ] || end

"${VIDGEN:?}" rtmp "rtmp://127.0.0.1:$port/live/scene" --fps $fps \
  --size 320x192 </dev/null >"$folder/sender.out" 2>"$folder/sender.err" &
sender=$!
children="$children $sender"

check "the stream is recorded" is_recorded first $((5 * fps))
[ "$failures" = 0 ] || end
check "nginx dies" dies
sleep 3
check "the loss is told once" says "connection is lost" 1
check "nginx starts again" starts_again second
check "the stream is recorded again" is_recorded second $((3 * fps))
[ "$failures" = 0 ] || end
check "the success is told once" says "connected again" 1
check "it has one H.264 and one AAC stream" one_of_each
check "decoding times only grow" only_grows
check "picture and sound begin together" begins_together
check "nginx dies again" dies
check "the other loss is told" says "connection is lost" 2
check "an interrupt ends the sender while it tries" ends_in_order
sed 's/^/# /' "$folder/sender.err"
begins_together | sed 's/^/# /'
end
