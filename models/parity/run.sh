#!/usr/bin/env bash
# Holds the converted detector against the original: the same frames through TensorFlow.js (the
# npm package's own graph) and through ONNX Runtime (what models/convert made of it).
#
#   models/parity/run.sh
#
# Exits 0 with a line "skipped: ..." where Node or the packages are not present, 1 on a difference.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
graph=$root/.fetched/detector/centernet.json
weights=$root/models/weights/centernet.onnx
python=$root/.fetched/python/bin/python
clip=$root/.fetched/footage/vtest.avi

skip() { echo "skipped: $*"; exit 0; }
missing() { echo "models/parity: $1 is missing: run 'setup/install.sh $2' first" >&2; exit 1; }

command -v node >/dev/null || skip "Node is not installed (setup/install.sh debian)"
command -v npm >/dev/null || skip "npm is not installed (setup/install.sh debian)"
[ -f "$graph" ] || skip "the original graph of @vladmandic/human is not here (setup/install.sh model)"
[ -f "$weights" ] || missing models/weights/centernet.onnx model
[ -x "$python" ] || missing .fetched/python python
[ -f "$clip" ] || missing .fetched/footage/vtest.avi footage

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! cmp -s "$here/package-lock.json" "$here/node_modules/.installed-lock.json"; then
  echo "models/parity: fetching TensorFlow.js from npm"
  if ! (cd "$here" && npm ci --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=2000) >"$work/npm.log" 2>&1; then
    tail -n 5 "$work/npm.log" >&2
    skip "TensorFlow.js is not installed and npm ci failed in models/parity, its last words are above"
  fi
  cp "$here/package-lock.json" "$here/node_modules/.installed-lock.json"
fi

# The original's own size, a smaller one, and one that is not square.
for size in 512x512 320x320 512x384; do
  mkdir "$work/$size"
  # One frame every 20 seconds of the clip, letterboxed as the edge does.
  gst-launch-1.0 -q filesrc location="$clip" ! decodebin ! \
    videorate ! video/x-raw,framerate=1/20 ! videoconvert ! videoscale add-borders=true ! \
    "video/x-raw,format=RGB,width=${size%x*},height=${size#*x},pixel-aspect-ratio=1/1" ! \
    multifilesink location="$work/$size/%02d.rgb"
  echo "models/parity: $size: the original graph, in TensorFlow.js"
  node "$here/reference.mjs" "$graph" "$size" "$work/$size"/*.rgb 2>"$work/node.log" ||
    { cat "$work/node.log" >&2; echo "models/parity: TensorFlow.js did not run the original graph at $size, its words are above" >&2; exit 1; }
  PYTHONDONTWRITEBYTECODE=1 "$python" "$here/compare.py" "$weights" "$size" "$work/$size"/*.rgb
done
