#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# bench kernels measures, keeps what it measured, and compares with it.
#
# Usage: kernels.sh VIDGEN
set -eu

vidgen=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail () {
  echo "$*"
  exit 1
}

"$vidgen" bench kernels --only rope --json >"$work/kept.json"
grep -q '"key" : "rope 88x6x32"' "$work/kept.json" ||
  fail "the shape of mini is missing"
grep -q '"plain_gflops" : [0-9]*[1-9]' "$work/kept.json" ||
  fail "there is no ceiling"

"$vidgen" bench kernels --only rope --compare "$work/kept.json" >"$work/text"
grep -q 'rope  *88x6x32 .* plain .* [0-9.]* x$' "$work/text" ||
  fail "there is no comparison"

echo '[]' >"$work/wrong.json"
if "$vidgen" bench kernels --compare "$work/wrong.json" 2>"$work/error"; then
  fail "a wrong file was taken"
fi
grep -q 'wrong.json was not written by' "$work/error" ||
  fail "the error does not name the file"
