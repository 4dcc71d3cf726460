# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Every family of scenes. A family is a module with

ATTRIBUTES  {attribute: its values}, drawn at random where nobody says;
GRAMMAR     how its captions are made, see captions.py;
render      (attributes, rng, frames) to frames uint8 [frames, 112, 192, 3],
            samples float32 [frames * 1500, 2] and events, see clip.Clip.
"""

from . import (
    aurora, ball, birds, campfire, cars, clock, drops, fireworks, forge,
    lamp, lighthouse, ocean, snowfall, stars, storm, waterfall,
)

FAMILIES = {
    "ocean": ocean,
    "campfire": campfire,
    "storm": storm,
    "fireworks": fireworks,
    "ball": ball,
    "aurora": aurora,
    "drops": drops,
    "cars": cars,
    "clock": clock,
    "forge": forge,
    "snowfall": snowfall,
    "lamp": lamp,
    "stars": stars,
    "lighthouse": lighthouse,
    "waterfall": waterfall,
    "birds": birds,
}
