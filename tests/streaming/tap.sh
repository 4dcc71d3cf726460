# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
# shellcheck shell=sh
#
# Test Anything Protocol for the shell tests, which source this file. They are
# given VIDGEN (the tool), VIDGEN_SOURCE (the tree) and VIDGEN_BUILD_DIR, and
# get $folder, their own, which goes when they end.

n=0
failures=0
folder=$(mktemp -d)
children=
PATH="$PATH:/usr/sbin:/sbin"
# No test may open a window or make a sound.
unset DISPLAY WAYLAND_DISPLAY

finish () {
  status=$?
  trap - EXIT
  for child in $children; do
    kill "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  done
  rm -rf "$folder"
  exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# check NAME COMMAND…: the test succeeds when the command does.
check () {
  name=$1
  shift
  n=$((n + 1))
  if "$@" >"$folder/check" 2>&1; then
    echo "ok $n - $name"
  else
    echo "not ok $n - $name"
    failures=$((failures + 1))
    sed 's/^/# /' "$folder/check" | tail -n 30
  fi
}

# The seconds that something may take at most, given those that it may where
# nothing else runs: VIDGEN_TEST_PATIENCE multiplies them as meson's own limits.
patient () {
  awk "BEGIN { printf \"%d\", $1 * ${VIDGEN_TEST_PATIENCE:-1} + 0.5 }"
}

# A child that has ended stays until it is waited for.
is_alive () {
  kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status"
}

# await SECONDS CHILD COMMAND…: until the command succeeds, patiently, and while
# the child runs.
await () {
  until_s=$(($(date +%s) + $(patient "$1")))
  awaited=$2
  shift 2
  while ! "$@"; do
    if ! is_alive "$awaited"; then
      "$@"
      return
    fi
    [ "$(date +%s)" -lt "$until_s" ] || return 1
    sleep 0.2
  done
}

# Skips one test, or with the name "all" the whole file.
skip () {
  if [ "$1" = all ]; then
    echo "1..0 # SKIP $2"
    exit 77
  fi
  n=$((n + 1))
  echo "ok $n - $1 # SKIP $2"
}

end () {
  echo "1..$n"
  [ "$failures" = 0 ] || exit 1
  exit 0
}

# One line that holds PATTERN is written to standard error and the exit code
# is 1: fails_with PATTERN COMMAND…
fails_with () {
  pattern=$1
  shift
  code=0
  "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$?
  cat "$folder/err"
  echo "exit code $code"
  [ "$code" = 1 ] && grep -q -- "$pattern" "$folder/err" &&
    [ "$(grep -c '^vidgen' "$folder/err")" = 1 ]
}

# The value of one line NAME=VALUE of ffprobe.
probe () {
  ffprobe -v error "$@" -of default=noprint_wrappers=1:nokey=1
}
