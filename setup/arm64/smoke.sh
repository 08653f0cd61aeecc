#!/usr/bin/env bash
# Runs the ARM64 build under qemu-user: gatepost-edge sees the pedestrian clip with the aarch64
# ONNX Runtime, and must detect what this machine's own build detects; both daemons must start
# and print the same schemas. A few minutes: emulated inference is a hundred times slower.
#
#   setup/arm64/smoke.sh [FRAMES]     analyse so many frames, spread over the clip (default 40)
set -euo pipefail
trap 'exit 1' TERM

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
fetched=$root/.fetched
step="arm64-smoke"
source "$root/setup/progress.sh"

analysed=${1:-40}
[[ $analysed =~ ^[1-9][0-9]{0,2}$ ]] || fail "the number of frames is 1 to 795, not '$analysed'"
[ "$(uname -m)" = x86_64 ] || fail "this compares with an x86-64 build, but this machine is $(uname -m); on an ARM64 board, build and test natively (make test)"

cd "$root"
mkdir -p "$fetched/log"
setup/install.sh footage model onnxruntime x86_64 onnxruntime aarch64
"$here/build.sh"
say "building for this machine, to compare with"
cargo build --release --locked --workspace --bins || fail "cargo build failed, see above"

target=${CARGO_TARGET_DIR:-target}
arm64=$target/aarch64-unknown-linux-gnu/release
native=$target/release
out=$fetched/work/arm64-smoke
rm -rf "$out"
mkdir -p "$out"

emulated() { "$here/emulate.sh" "$@"; }

# same WHAT ARGUMENTS...: a daemon prints the same in both builds.
same() {
  local program=$1
  shift
  "$native/$program" "$@" >"$out/native" || fail "$program $* fails on this machine"
  emulated "$arm64/$program" "$@" >"$out/emulated" || fail "$program $* fails under qemu"
  cmp -s "$out/native" "$out/emulated" || fail "$program $* prints something else under qemu: diff $out/native $out/emulated"
}
same gatepost-edge --version
same gatepost-edge schema
same gatepost-hub --version
same gatepost-hub schema
same gatepost-hub openapi
say "both daemons start under qemu and print the same schemas"

# The clip has 795 frames at 10 a second.
analyse=(analyse --input "$fetched/footage/vtest.avi" --model models/centernet-320.toml
  --fps "$(awk -v n="$analysed" 'BEGIN { printf "%.6f", n / 79.5 }')")

# timed NAME COMMAND...: its seconds in $seconds, its words in a log.
timed() {
  local name=$1 start=$EPOCHREALTIME
  shift
  "$@" >"$fetched/log/$step-$name.log" 2>&1 || {
    tail -n 5 "$fetched/log/$step-$name.log" >&2
    fail "the $name gatepost-edge analyse failed, its last words are above, all of them in $fetched/log/$step-$name.log"
  }
  seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}

say "analysing $analysed frames on this machine"
timed native "$native/gatepost-edge" "${analyse[@]}" \
  --onnxruntime "$fetched/onnxruntime/x86_64/libonnxruntime.so" --detections-out "$out/native.jsonl"
native_seconds=$seconds
say "done in $native_seconds s; the same under qemu (about $((analysed * 4 + 60)) s)"
timed emulated emulated "$arm64/gatepost-edge" "${analyse[@]}" \
  --onnxruntime "$fetched/onnxruntime/aarch64/libonnxruntime.so" --detections-out "$out/emulated.jsonl"
say "done in $seconds s"

if ! python3 -B "$here/compare.py" "$out/native.jsonl" "$out/emulated.jsonl"; then
  fail "the ARM64 build does not detect what the x86-64 build detects, see above; the detections are in $out"
fi
say "PASSED: the ARM64 build detects the same (clip decoded and analysed: $native_seconds s here, $seconds s under qemu)"
