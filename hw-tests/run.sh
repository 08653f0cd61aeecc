#!/usr/bin/env bash
# Does this board see what another machine sees? Runs the edge's decoder and detector, at full speed
# and with the runtime built for this processor, on frames of the pedestrian clip.
#
#   hw-tests/run.sh record FILE     on the machine to compare with: writes what it detects to FILE
#   hw-tests/run.sh compare FILE    on the board: detects the same frames and compares
#
# Exit status: 0 the same, 1 not the same or it could not run, 77 skipped; the last line says why.
# GATEPOST_BIN_DIR is the folder of gatepost-edge, if not target/release: the result of `make arm64`
# copied over, say.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
fps=0.5 # of clip time: 40 frames, spread over the clip

fail() { echo "hw-tests: FAILED: $*" >&2; exit 1; }
skip() { echo "hw-tests: skipped: $*"; exit 77; }

[ $# = 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
action=$1 file=$2
edge=${GATEPOST_BIN_DIR:-${CARGO_TARGET_DIR:-target}/release}/gatepost-edge
runtime=.fetched/onnxruntime/$(uname -m)/libonnxruntime.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x "$edge" ] || skip "$edge is not here: build it ('make build'), or copy it over and set GATEPOST_BIN_DIR"
for needed in "$runtime" .fetched/footage/vtest.avi models/weights/centernet.onnx; do
  [ -f "$needed" ] || skip "$needed is not here: run 'setup/install.sh debian python onnxruntime footage model'"
done

analyse() { # OUTPUT: the edge says how fast it was
  "$edge" analyse --input .fetched/footage/vtest.avi --model models/centernet-320.toml \
    --onnxruntime "$runtime" --fps $fps --detections-out "$1" ||
    fail "gatepost-edge analyse failed on this $(uname -m) machine, its reason is above"
}

case $action in
  record)
    analyse "$file"
    echo "hw-tests: recorded $(wc -l <"$file") frames as $(uname -m) sees them in $file; now on the board: hw-tests/run.sh compare $file"
    ;;
  compare)
    [ -f "$file" ] || skip "$file is not here: make it on the other machine with 'hw-tests/run.sh record $file' and copy it over"
    if [ "$(uname -m)" = x86_64 ]; then skip "this is an x86-64 machine; the comparison is for a board"; fi
    analyse "$work/here.jsonl"
    python3 -B setup/arm64/compare.py "$file" "$work/here.jsonl" ||
      fail "this board does not detect what the other machine detects, the differences are above"
    echo "hw-tests: PASSED: this $(uname -m) board detects the same"
    ;;
  *) fail "there is no '$action': record or compare" ;;
esac
