#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# checklist.sh BUILD: the tests that README.md names for each row of the
# checklist exist, in the programs of the folder BUILD or in the scripts here.
# TAP.
set -u

build=$1
here=$(dirname "$(readlink -f "$0")")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# FILE/TEST, or FILE for all that is in it; prints what is wrong, or "skip".
look_for () {
  file=${1%%/*}
  name=${1#*/}
  case $file in
    *.sh)
      if [ ! -f "$here/$file" ]; then
        echo "no $file"
      elif [ "$name" != "$file" ]; then
        grep -q "^skip \"$name\"" "$here/$file" && echo skip
        grep -q "\"$name\"" "$here/$file" || echo "no \"$name\" in $file"
      fi
      ;;
    *)
      if [ ! -x "$build/elements-$file" ]; then
        echo "no $file"
      elif [ "$name" != "$file" ]; then
        [ -f "$scratch/$file" ] ||
          "$build/elements-$file" -l >"$scratch/$file" 2>&1
        grep -qx "/$file/$name" "$scratch/$file" || echo "no /$file/$name"
      fi
      ;;
  esac
}

row () {
  : >"$scratch/problems"
  while read -r name; do
    look_for "$name" >>"$scratch/problems"
  done <"$scratch/names"
  skipped=
  if [ ! -s "$scratch/names" ]; then
    skipped=" # SKIP shown by another suite"
  fi
  if grep -qx skip "$scratch/problems"; then
    skipped=" # SKIP a part: Debian lacks the package"
  fi
  if grep -qvx skip "$scratch/problems"; then
    sed 's/^/# /' "$scratch/problems"
    echo "not ok $1 $2"
  else
    echo "ok $1 $2$skipped"
  fi
}

sed -n 's/^| \([0-9][0-9]*\) | \(.*\) | \(.*\) |$/\1|\2|\3/p' \
  "$here/README.md" >"$scratch/rows"
echo "1..$(grep -c . "$scratch/rows")"
while IFS='|' read -r number what tests; do
  printf '%s\n' "$tests" | grep -o '`[a-z][a-z0-9]*\(\.sh\)\{0,1\}\(/[^`]*\)\{0,1\}`' |
    tr -d '`' >"$scratch/names"
  row "$number" "$what"
done <"$scratch/rows"
