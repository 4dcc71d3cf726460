# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# Reads lines CODEC_TYPE,DTS_TIME as ffprobe prints them for each packet of a
# live stream and prints NAME VALUE of what a viewer would suffer from. FLV
# rounds times to milliseconds. Needs -v fps= and -v rate= (Hz).

BEGIN {
  FS = ","
  step["video"] = 1000 / fps
  step["audio"] = 1024 * 1000 / rate
}

$1 in step {
  kind = $1
  ms = $2 * 1000
  if (count[kind]) {
    interval = ms - last[kind]
    if (interval <= 0)
      backwards++
    deviation = interval - step[kind]
    if (deviation < 0)
      deviation = -deviation
    if (deviation > worst[kind])
      worst[kind] = deviation
  } else {
    first[kind] = ms
  }
  last[kind] = ms
  count[kind]++
}

function drift (kind) {
  return last[kind] - first[kind] - (count[kind] - 1) * step[kind]
}

function absolute (x) {
  return x < 0 ? -x : x
}

END {
  printf "seconds %.3f\n", (last["video"] - first["video"]) / 1000
  printf "backwards %d\n", backwards
  printf "video_deviation_ms %.3f\n", worst["video"]
  printf "audio_deviation_ms %.3f\n", worst["audio"]
  printf "end_distance_ms %.3f\n", absolute (last["video"] - last["audio"])
  printf "drift_ms %.3f\n", absolute (drift ("video") - drift ("audio"))
}
