# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
# shellcheck shell=sh disable=SC2154
#
# A private nginx with its RTMP module on a loopback port, for the shell tests
# that source this file behind tap.sh. Skips the whole test where there is none
# or no ffprobe to read with.

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

# Starts nginx as $server on $port: run_server CONFIGURATION…
run_server () {
  write_config "$@"
  nginx -p "$folder" -e "$folder/error.log" -c "$folder/nginx.conf" \
    >"$folder/nginx.out" 2>&1 &
  server=$!
  sleep 1
  kill -0 "$server" 2>/dev/null || return 1
  children="$children $server"
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
