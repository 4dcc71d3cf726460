#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
#
# The demo into a file, from end to end, and the line that it prints.
# shellcheck disable=SC2317  # functions are called by check
set -eu
# shellcheck source=tests/streaming/tap.sh
. "${VIDGEN_SOURCE:?}/tests/streaming/tap.sh"

command -v ffprobe >/dev/null || skip all "ffprobe is not installed"

prompt="a \"red\" ball, it's 5\\6 ! \$HOME é"
seconds=3
clip=$folder/clip.mp4

makes_a_clip () {
  cd "$folder"
  "${VIDGEN:?}" demo --prompt "$prompt" --seconds "$seconds" --out clip.mp4 \
    >"$folder/demo.out" 2>"$folder/demo.err" </dev/null || {
    cat "$folder/demo.err"
    return 1
  }
}

# is STREAM ENTRY VALUE
is () {
  value=$(probe -select_streams "$1" -show_entries "stream=$2" "$clip")
  echo "$2 is $value"
  [ "$value" = "$3" ]
}

lasts () {
  value=$(probe -select_streams "$1" -show_entries stream=duration "$clip")
  echo "$value s"
  awk "BEGIN { d = $value - $seconds; exit !(d > -0.05 && d < 0.05) }"
}

has_title () {
  title=$(probe -show_entries format_tags=title "$1")
  printf '%s\n' "$title"
  [ "$title" = "$prompt" ]
}

# Peaks between a whisper and full scale, and more than one tone of grey.
sounds () {
  ffmpeg -nostdin -hide_banner -i "$clip" -vn -af volumedetect -f null - \
    >"$folder/volume" 2>&1
  grep max_volume "$folder/volume"
  awk '/max_volume/ { v = $(NF - 1); exit !(v > -40 && v <= 0) }' \
    "$folder/volume"
}

sheet_is_not_flat () {
  gst-launch-1.0 -q filesrc location="$folder/clip.png" ! pngdec ! \
    videoconvert ! video/x-raw,format=GRAY8 ! filesink \
    location="$folder/grey"
  levels=$(od -An -v -tu1 -w1 "$folder/grey" | sort -u | wc -l)
  echo "$levels levels of grey"
  [ "$levels" -ge 32 ]
}

# x264enc gives other bytes from run to run, so pictures are compared.
looks_like () {
  ffmpeg -nostdin -hide_banner -i "$1" -i "$2" -lavfi '[0:v][1:v]psnr' \
    -f null - >"$folder/psnr" 2>&1
  grep average "$folder/psnr"
  sed -n 's/.*average:\([^ ]*\).*/\1/p' "$folder/psnr" |
    awk '{ exit !($1 == "inf" || $1 > 35) }'
}

shown_line_makes_the_same () {
  mv "$clip" "$folder/first.mp4"
  sed -n 's/^  gst-launch-1.0/gst-launch-1.0 -q/p' "$folder/demo.out" \
    >"$folder/line"
  cat "$folder/line"
  (cd "$folder" && sh "$folder/line" </dev/null)
  has_title "$clip" && lasts v && lasts a &&
    looks_like "$clip" "$folder/first.mp4"
}

other_size_and_rate () {
  clip=$folder/small.mp4
  "$VIDGEN" demo --seconds 1 --size 320x240 --fps 25 --out "$clip" </dev/null
  is v width 320 && is v height 240 && is v r_frame_rate 25/1
}

has_begun () {
  [ "$(stat -c %s "$clip" 2>/dev/null || echo 0)" -ge 1000 ]
}

interrupt_leaves_a_whole_file () {
  clip=$folder/cut.mp4
  "$VIDGEN" demo --seconds 600 --out "$clip" >"$folder/cut.out" 2>&1 \
    </dev/null &
  child=$!
  children=$child
  await 60 "$child" has_begun || true
  kill -INT "$child"
  code=0
  wait "$child" || code=$?
  cat "$folder/cut.out"
  [ "$code" = 0 ] && is v codec_name h264 && is a codec_name aac
}

check "the demo makes a clip" makes_a_clip
[ "$failures" = 0 ] || end
check "the picture is H.264" is v codec_name h264
check "the sound is AAC" is a codec_name aac
check "it is 768 wide" is v width 768
check "it is 448 high" is v height 448
check "no frame is missing" is v nb_frames $((16 * seconds))
check "the colours are told" is v color_space bt709
check "the picture lasts as long as asked" lasts v
check "the sound lasts as long as asked" lasts a
check "the title is the prompt" has_title "$clip"
check "there is sound to hear" sounds
check "the contact sheet shows something" sheet_is_not_flat
check "the line that it shows makes the same" shown_line_makes_the_same
check "another size and rate" other_size_and_rate
check "an interrupt leaves a whole file" interrupt_leaves_a_whole_file
end
