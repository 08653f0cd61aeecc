#!/usr/bin/env bash
# Does the box's own TPM make a key that a hub lets in? Runs a hub and an edge on this machine; the edge enrols with a key in the
# TPM and connects with it. Nothing stays in the TPM.
#
#   hw-tests/tpm.sh [TCTI]     device:/dev/tpmrm0 unless given
#
# Exit status: 0 it does, 1 it does not or it could not run, 77 skipped; the last line says why.
# GATEPOST_BIN_DIR is the folder of gatepost-edge and gatepost-hub, if not target/release.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tcti=${1:-device:/dev/tpmrm0}
bin=${GATEPOST_BIN_DIR:-${CARGO_TARGET_DIR:-$root/target}/release}
runtime=$root/.fetched/onnxruntime/$(uname -m)/libonnxruntime.so
port=${GATEPOST_TEST_PORT:-18832}
patience_s=60
work=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

fail() { echo "hw-tests: FAILED: $*" >&2; exit 1; }
skip() { echo "hw-tests: skipped: $*"; exit 77; }

if [[ $tcti == device:* ]]; then
  device=${tcti#device:}
  [ -e "$device" ] || skip "$device is not here: this box has no TPM 2.0, or it is switched off in the firmware"
  [ -r "$device" ] && [ -w "$device" ] || skip "$device may not be used: the user must be in the group 'tss', or root"
fi
for needed in gatepost-edge gatepost-hub; do
  [ -x "$bin/$needed" ] || skip "$bin/$needed is not here: build it ('make build'), or copy it over and set GATEPOST_BIN_DIR"
done
for needed in "$runtime" "$root/models/weights/centernet.onnx"; do
  [ -f "$needed" ] || skip "$needed is not here: run 'setup/install.sh debian python onnxruntime model'"
done

mkdir "$work/hub" "$work/edge"
cat >"$work/hub/hub.toml" <<TOML
data_dir = "data"
[web]
listen = "127.0.0.1:$port"
[broker]
listen = "127.0.0.1:$((port + 1))"
tls_listen = "127.0.0.1:$((port + 2))"
[enrolment]
listen = "127.0.0.1:$((port + 3))"
[tls]
names = ["localhost"]
TOML
cat >"$work/edge/edge.toml" <<TOML
edge = "hw-test"
data_dir = "data"
[model]
manifest = "$root/models/centernet-320.toml"
runtime = "$runtime"
[uplink]
broker = "mqtts://localhost:$((port + 2))"
enrolment = "https://localhost:$((port + 3))"
key_store = "tpm"
tpm = "$tcti"
[[camera]]
id = "camera"
url = "rtsp://127.0.0.1:9/none"
TOML

says() { # LOG TEXT
  local _
  for _ in $(seq $((patience_s * 10))); do
    grep -q "$2" "$1" && return
    sleep 0.1
  done
  fail "'$2' is not said within $patience_s s: $(tail -n 3 "$1")"
}

"$bin/gatepost-hub" run --config "$work/hub/hub.toml" >"$work/hub.log" 2>&1 &
children+=($!)
says "$work/hub.log" "enrolment listening"
code=$("$bin/gatepost-hub" device enrol hw-test --config "$work/hub/hub.toml") || fail "the hub prints no code: $(tail -n 3 "$work/hub.log")"
"$bin/gatepost-edge" enrol --config "$work/edge/edge.toml" <<<"$code" >"$work/enrol.log" 2>&1 ||
  fail "it does not enrol: $(tail -n 3 "$work/enrol.log")"
grep -q "BEGIN TSS2 PRIVATE KEY" "$work/edge/data/identity.json" || fail "the identity's file holds a key that is not wrapped by a TPM"
"$bin/gatepost-edge" run --config "$work/edge/edge.toml" >"$work/edge.log" 2>&1 &
children+=($!)
says "$work/edge.log" "the key of this box is in the TPM"
says "$work/edge.log" " connected"
echo "hw-tests: PASSED: a key in the TPM at $tcti enrols this box and connects it"
