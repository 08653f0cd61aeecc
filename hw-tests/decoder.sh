#!/usr/bin/env bash
# Does this board's own decoder decode, or did software have to take over? Makes a clip of each format and runs the
# edge on it.
#
#   hw-tests/decoder.sh [h264|h265 ...]     both unless given
#
# Exit status: 0 the hardware decodes, 1 software does or it could not run, 77 skipped; the last line says why.
# GATEPOST_BIN_DIR is the folder of gatepost-edge, if not target/release.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "hw-tests: FAILED: $*" >&2; exit 1; }
skip() { echo "hw-tests: skipped: $*"; exit 77; }

command -v gst-inspect-1.0 >/dev/null || skip "gst-inspect-1.0 is not installed: run 'setup/install.sh debian'"
[ $# -gt 0 ] || set -- h264 h265
for format in "$@"; do
  case $format in
    h264) encode='x264enc key-int-max=30 ! h264parse' ;;
    h265) encode='x265enc key-int-max=30 ! h265parse' ;;
    *) fail "there is no '$format': h264 or h265" ;;
  esac
  # As they are called by V4L2, VA-API and Rockchip's plugins.
  hardware=$(gst-inspect-1.0 | sed -nE "s/.* ((v4l2(sl)?|va|vaapi|mpp)${format}dec):.*/\1/p; s/.* (mppvideodec):.*/\1/p")
  [ -n "$hardware" ] || skip "GStreamer finds no hardware decoder of $format on this $(uname -m) machine"
  gst-launch-1.0 -q videotestsrc pattern=ball num-buffers=300 ! video/x-raw,width=1280,height=720,framerate=30/1 \
    ! $encode ! matroskamux ! filesink location="$work/$format.mkv" || fail "no clip of $format could be made"
  said=$("$here/watch.sh" "file://$work/$format.mkv") || { status=$?; echo "$said"; exit $status; }
  [[ " $hardware " == *"${said#decoder }"* ]] ||
    fail "$format is decoded by ${said#decoder }, though there is $hardware: the edge's log says why"
  echo "$format: $said"
done
echo "hw-tests: PASSED: the hardware of this board decodes $*"
