#!/usr/bin/env bash
# Does a camera at this box (USB or CSI, a device file) give pictures?
#
#   hw-tests/device-camera.sh [DEVICE]     /dev/video0 unless given
#
# Exit status: 0 pictures come, 1 they do not or it could not run, 77 skipped; the last line says why.
# GATEPOST_BIN_DIR is the folder of gatepost-edge, if not target/release.
set -euo pipefail

device=${1:-/dev/video0}
[ -e "$device" ] || { echo "hw-tests: skipped: $device is not here: this box has no such camera"; exit 77; }
[ -r "$device" ] || { echo "hw-tests: FAILED: $device may not be read: the user must be in the group 'video'" >&2; exit 1; }
said=$("$(dirname "${BASH_SOURCE[0]}")/watch.sh" "v4l2://$device") || { status=$?; echo "$said"; exit $status; }
echo "hw-tests: PASSED: $device gives pictures, $said"
