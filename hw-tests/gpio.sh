#!/usr/bin/env bash
# Does the edge hear a contact at a pin? Makes a GPIO chip with the kernel's gpio-sim, runs the edge on two of its lines,
# closes and opens them, and waits for the alarms.
#
#   hw-tests/gpio.sh
#
# Exit status: 0 every change is told, 1 it is not or it could not run, 77 skipped; the last line says why. Needs root.
# GATEPOST_BIN_DIR is the folder of gatepost-edge, if not target/release.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
edge=${GATEPOST_BIN_DIR:-${CARGO_TARGET_DIR:-$root/target}/release}/gatepost-edge
runtime=$root/.fetched/onnxruntime/$(uname -m)/libonnxruntime.so
port=${GATEPOST_TEST_PORT:-18831}
patience_s=30
sim=/sys/kernel/config/gpio-sim/gatepost
work=$(mktemp -d)
children=()

clean() {
  kill "${children[@]}" 2>/dev/null || true
  wait
  if [ -d "$sim" ]; then
    echo 0 >"$sim/live" || true
    rmdir "$sim/bank0" "$sim" || true
  fi
  rm -rf "$work"
}
trap clean EXIT

fail() { echo "hw-tests: FAILED: $*" >&2; exit 1; }
skip() { echo "hw-tests: skipped: $*"; exit 77; }

[ "$(id -u)" = 0 ] || skip "only root may make a GPIO chip: run it with sudo"
[ -x "$edge" ] || skip "$edge is not here: build it ('make build'), or copy it over and set GATEPOST_BIN_DIR"
for needed in mosquitto mosquitto_sub; do
  command -v "$needed" >/dev/null || skip "$needed is not installed"
done
for needed in "$runtime" "$root/models/weights/centernet.onnx"; do
  [ -f "$needed" ] || skip "$needed is not here: run 'setup/install.sh debian python onnxruntime model'"
done
modprobe gpio-sim 2>"$work/modprobe" || skip "the kernel's gpio-sim cannot be loaded here: $(tail -n 1 "$work/modprobe")"
[ -d /sys/kernel/config/gpio-sim ] || skip "gpio-sim is loaded, but configfs is not mounted on /sys/kernel/config"

mkdir -p "$sim/bank0"
echo 4 >"$sim/bank0/num_lines"
echo 1 >"$sim/live"
chip=/dev/$(cat "$sim/bank0/chip_name")
lines=/sys/devices/platform/$(cat "$sim/dev_name")/$(cat "$sim/bank0/chip_name")
level() { # LINE up|down: what drives it
  echo "pull-$2" >"$lines/sim_gpio$1/pull"
}
level 1 up
level 2 down

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
[[camera]]
id = "camera"
url = "rtsp://127.0.0.1:9/none"
[[sensor]]
id = "open-at-rest"
input = "contact"
gpio = { chip = "$chip", line = 1, bias = "none" }
[[sensor]]
id = "closed-at-rest"
input = "contact"
gpio = { chip = "$chip", line = 2, bias = "none", contact = "normally_closed" }
TOML
mosquitto_sub -p "$port" -t gp/v1/hw-test/event >"$work/events" 2>/dev/null &
children+=($!)
"$edge" run --config "$work/edge.toml" >"$work/edge.log" 2>&1 &
children+=($!)

told() { # SENSOR PHASE COUNT: so many events of it have come
  local _
  for _ in $(seq $((patience_s * 10))); do
    [ "$(grep -c "\"phase\":\"$2\".*\"sensor\":\"$1\"\|\"sensor\":\"$1\".*\"phase\":\"$2\"" "$work/events")" -ge "$3" ] && return
    sleep 0.1
  done
  fail "of $1 nothing $2 in $patience_s s: $(tail -n 3 "$work/edge.log")"
}

for _ in $(seq $((patience_s * 10))); do
  grep -q ' started' "$work/edge.log" && break
  sleep 0.1
done
sleep 1
for round in 1 2 3; do
  level 1 down
  told open-at-rest began "$round"
  level 1 up
  told open-at-rest ended "$round"
  level 2 up
  told closed-at-rest began "$round"
  level 2 down
  told closed-at-rest ended "$round"
done
echo "hw-tests: PASSED: contacts at $chip are heard, three times each"
