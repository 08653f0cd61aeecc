#!/usr/bin/env bash
# Runs the edge on one camera with a broker of its own, waits until its health says that pictures come, and prints
# `decoder NAME`, or `decoder none needed`. Called by the tests here.
#
#   hw-tests/watch.sh URL
#
# Exit status: 0 pictures come, 1 they do not or it could not run, 77 skipped; the last line says why.
# GATEPOST_BIN_DIR is the folder of gatepost-edge, if not target/release.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
url=${1:?the URL of a camera}
edge=${GATEPOST_BIN_DIR:-${CARGO_TARGET_DIR:-$root/target}/release}/gatepost-edge
runtime=$root/.fetched/onnxruntime/$(uname -m)/libonnxruntime.so
port=${GATEPOST_TEST_PORT:-18830}
patience_s=60
work=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

fail() { echo "hw-tests: FAILED: $*" >&2; exit 1; }
skip() { echo "hw-tests: skipped: $*"; exit 77; }

[ -x "$edge" ] || skip "$edge is not here: build it ('make build'), or copy it over and set GATEPOST_BIN_DIR"
for needed in mosquitto mosquitto_sub python3; do
  command -v "$needed" >/dev/null || skip "$needed is not installed"
done
for needed in "$runtime" "$root/models/weights/centernet.onnx"; do
  [ -f "$needed" ] || skip "$needed is not here: run 'setup/install.sh debian python onnxruntime model'"
done

mosquitto -p "$port" >"$work/broker.log" 2>&1 &
children+=($!)
cat >"$work/edge.toml" <<TOML
edge = "hw-test"
data_dir = "data"
[model]
manifest = "$root/models/centernet-320.toml"
runtime = "$runtime"
[uplink]
broker = "mqtt://127.0.0.1:$port"
health_every_s = 2
[[camera]]
id = "camera"
url = "$url"
TOML
"$edge" run --config "$work/edge.toml" >"$work/edge.log" 2>&1 &
children+=($!)

for _ in $(seq $((patience_s / 2))); do
  health=$(mosquitto_sub -p "$port" -t gp/v1/hw-test/health -C 1 -W 2 2>/dev/null || true)
  said=$(python3 -B -c '
import json, sys
message = json.loads(sys.argv[1] or "{}")
camera = (message.get("data") or message).get("cameras", [{}])[0]
if camera.get("state", {}).get("name") == "streaming" and camera["frames_analysed"] > 10:
    print("decoder", camera.get("decoder", "none needed"))
' "$health")
  [ -z "$said" ] || { echo "$said"; exit 0; }
  sleep 1
done
fail "$url gave no pictures in $patience_s s: $(tail -n 3 "$work/edge.log")"
