# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
# shellcheck shell=sh disable=SC2154
#
# A private nginx with its RTMP module on a loopback port, as $server, and what
# is asked of the tool that streams to it, $sender, for the shell tests that
# source this file behind tap.sh. Skips the whole test where there is none or no
# ffprobe to read with.

module=$(find /usr/lib/nginx/modules /usr/share/nginx/modules \
  -name ngx_rtmp_module.so 2>/dev/null | head -n 1)
command -v nginx >/dev/null || skip all "nginx is not installed"
[ -n "$module" ] || skip all "nginx has no RTMP module"
command -v ffprobe >/dev/null || skip all "ffprobe is not installed"

# One line of configuration for each argument goes to the application "live".
write_config () {
  cat >"$folder/nginx.conf" <<END
load_module $module;
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log $folder/error.log;
events { }
rtmp {
  server {
    listen 127.0.0.1:$port;
    application live {
      live on;
      wait_video on;
      access_log off;
$(printf '      %s;\n' "$@")
    }
  }
}
END
}

# Starts nginx as $server on $port, and waits until it listens: run_server
# CONFIGURATION…
run_server () {
  write_config "$@"
  rm -f "$folder/nginx.pid"
  nginx -p "$folder" -e "$folder/error.log" -c "$folder/nginx.conf" \
    >"$folder/nginx.out" 2>&1 &
  server=$!
  children="$children $server"
  await 60 "$server" test -s "$folder/nginx.pid"
}

# nginx does not start where the port is taken; another one is tried then.
start_server () {
  for try in 1 2 3 4 5; do
    port=$((20000 + ($$ * 7 + try * 1013) % 30000))
    ! run_server "$@" || return 0
  done
  cat "$folder/nginx.out" "$folder/error.log"
  return 1
}

# Configuration: what comes is recorded in a folder of its own, records NAME
records () {
  mkdir -p "$folder/$1"
  echo "record all; record_path $folder/$1"
}

# On the port that it had: starts_again NAME
starts_again () {
  for _ in 1 2 3 4 5; do
    ! run_server "$(records "$1")" || return 0
  done
  cat "$folder/nginx.out" "$folder/error.log"
  return 1
}

dies () {
  kill -KILL "$server"
  wait "$server" 2>/dev/null || true
  ! kill -0 "$server" 2>/dev/null
}

# Streams and packets of a recording: read_recording NAME
read_recording () {
  timeout "$(patient 20)" ffprobe -v error -show_entries \
    stream=codec_name:packet=codec_type,dts_time -of csv=p=0 \
    "$folder/$1/scene.flv" >"$folder/packets" 2>/dev/null </dev/null || true
}

# Packets of a kind, video or audio.
count () {
  grep -c "^$1," "$folder/packets" || true
}

has_said () {
  [ "$(grep -c "$1" "$folder/sender.err")" -ge "$2" ]
}

# So often and no more, once it has had the time: says PATTERN COUNT
says () {
  await 60 "$sender" has_said "$@" || true
  cat "$folder/sender.err"
  [ "$(grep -c "$1" "$folder/sender.err")" = "$2" ]
}

ends_in_order () {
  code=0
  kill -INT "$sender"
  wait "$sender" || code=$?
  cat "$folder/sender.err"
  [ "$code" = 0 ]
}
