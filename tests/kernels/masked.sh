#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# One round of every kernel's tests on the Vulkan device as the environment has
# it changed. Usage: masked.sh KERNEL_TEST…
set -u

failed=0
for program in "$@"; do
  "$program" --quick >"${TMPDIR:-/tmp}/masked-$$" 2>&1 || {
    echo "$program failed:"
    cat "${TMPDIR:-/tmp}/masked-$$"
    failed=1
  }
done
rm -f "${TMPDIR:-/tmp}/masked-$$"
exit $failed
