#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Runs a test under memcheck, but for the scripts: the shell loses memory of its
# own. For `./vidgen test --valgrind`.
case ${1##*/} in
  sh | *.sh) exec "$@" ;;
esac
exec valgrind -q --error-exitcode=9 --leak-check=full \
  --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  --num-callers=40 --fair-sched=yes \
  --suppressions="$(dirname "$0")/valgrind.supp" "$@"
