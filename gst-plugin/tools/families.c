/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Written by models/mini/train/scenes.py. */

#include "gst-plugin/tools/families.h"

/* clang-format off */
const VidgenFamily vidgen_families[] = {
  { "ocean", (const VidgenAttribute[]) {
      { "time", "sunset, day, night" },
      { "sea", "calm, rough" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "rough surf at sunset with the sun on the right" },
  { "campfire", (const VidgenAttribute[]) {
      { "size", "small, large" },
      { "ground", "snow, grass, sand" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a large campfire on sand" },
  { "storm", (const VidgenAttribute[]) {
      { "rain", "light, heavy" },
      { "time", "dusk, night" },
      { "lightning", "none, frequent" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "light rain at night" },
  { "fireworks", (const VidgenAttribute[]) {
      { "colour", "red, green, blue, golden" },
      { "size", "small, huge" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "small golden fireworks over the city" },
  { "ball", (const VidgenAttribute[]) {
      { "colour", "red, blue, green, yellow" },
      { "floor", "wooden, tiled, grass" },
      { "speed", "slow, fast" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a red ball bouncing slowly on grass" },
  { "aurora", (const VidgenAttribute[]) {
      { "colour", "green, purple, red" },
      { "motion", "slow, fast" },
      { "land", "mountains, lake, forest" },
      { NULL, NULL },
    },
    "slow red aurora over a lake" },
  { "drops", (const VidgenAttribute[]) {
      { "colour", "blue, green, golden" },
      { "size", "small, large" },
      { "pace", "slow, fast" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a large water drop falling in a blue pool on the left" },
  { "cars", (const VidgenAttribute[]) {
      { "colour", "red, white, yellow, blue" },
      { "heading", "left, right" },
      { "speed", "slow, fast" },
      { "road", "dry, wet" },
      { NULL, NULL },
    },
    "a fast blue car heading left" },
  { "clock", (const VidgenAttribute[]) {
      { "material", "wooden, golden, silver" },
      { "speed", "slow, fast" },
      { "wall", "red, green, blue" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a silver clock ticking fast on a green wall" },
  { "forge", (const VidgenAttribute[]) {
      { "glow", "orange, white, blue" },
      { "size", "small, large" },
      { "pace", "slow, fast" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a small hammer hitting orange iron" },
  { "snowfall", (const VidgenAttribute[]) {
      { "strength", "light, heavy" },
      { "time", "day, dusk, night" },
      { "place", "forest, village, mountains" },
      { "wind", "calm, windy" },
      { NULL, NULL },
    },
    "light snow over a forest at night" },
  { "lamp", (const VidgenAttribute[]) {
      { "colour", "red, green, purple, blue" },
      { "liquid", "dark, yellow" },
      { "speed", "slow, fast" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "blue blobs moving fast in dark water" },
  { "stars", (const VidgenAttribute[]) {
      { "colour", "blue, purple, orange" },
      { "speed", "slow, fast" },
      { "count", "few, many" },
      { NULL, NULL },
    },
    "a spaceship flying fast through few stars" },
  { "lighthouse", (const VidgenAttribute[]) {
      { "colour", "white, red, green" },
      { "pace", "slow, fast" },
      { "weather", "clear, foggy" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a lighthouse flashing slowly with a red light" },
  { "waterfall", (const VidgenAttribute[]) {
      { "size", "small, large" },
      { "time", "day, sunset, night" },
      { "land", "rocks, jungle, ice" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "a small waterfall at day" },
  { "birds", (const VidgenAttribute[]) {
      { "colour", "white, black, brown" },
      { "count", "one, two" },
      { "time", "dawn, day" },
      { "side", "left, centre, right" },
      { NULL, NULL },
    },
    "one white swan on a lake at day" },
  { NULL, NULL, NULL },
};
