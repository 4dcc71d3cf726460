# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Phrases that the grammars of several families share."""

SIDE_PHRASES = {
    "left": ["on the left", "to the left", "on the left side"],
    "centre": ["in the centre", "in the middle", "at the center"],
    "right": ["on the right", "to the right", "on the right side"],
}
