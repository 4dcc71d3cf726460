# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""What judge.py measures with. Times are in seconds, unless a name says else."""
