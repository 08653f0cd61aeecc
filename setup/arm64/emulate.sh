#!/usr/bin/env bash
# Runs an ARM64 program under qemu-user with the libraries of .fetched/arm64-sysroot.
#
#   setup/arm64/emulate.sh PROGRAM [ARGUMENT...]
#
# The CPU is a Cortex-A72 unless ARM64_CPU says otherwise (`qemu-aarch64-static -cpu help`): the
# plain end of the boxes, without the dot product and half precision instructions.
set -euo pipefail
trap 'exit 1' TERM

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
fetched=$root/.fetched
sysroot=$fetched/arm64-sysroot
step=arm64-emulate
source "$root/setup/progress.sh"
source "$root/setup/steps/debian.sh"
source "$here/debian.sh"

[ $# -gt 0 ] || fail "name the program to run: setup/arm64/emulate.sh PROGRAM [ARGUMENT...]"
[ -d "$sysroot" ] || fail "${sysroot#"$root"/} is not there; run: setup/arm64/sysroot.sh"
mkdir -p "$fetched/log"
need_tools qemu-aarch64-static=qemu-user-static >&2

# qemu 7.2 lets the guest read the host's /proc/cpuinfo. ONNX Runtime 1.28 and later then knows
# none of the cores, counts no L2 cache, fills in those of the host's /sys all the same, and dies
# of a null pointer. What lies below the sysroot is seen in place of the host's file, so the guest
# is given the cpuinfo of the CPU that is emulated: as many Cortex-A72 as the host has cores.
mkdir -p "$sysroot/proc"
cpuinfo=$(mktemp "$sysroot/proc/cpuinfo.XXXXXX")
sed -n 's/^processor[[:space:]]*: //p' /proc/cpuinfo | while read -r core; do
  printf '%s\n' "processor	: $core" 'BogoMIPS	: 108.00' 'Features	: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid' \
    'CPU implementer	: 0x41' 'CPU architecture: 8' 'CPU variant	: 0x0' 'CPU part	: 0xd08' 'CPU revision	: 3' ''
done >"$cpuinfo"
mv "$cpuinfo" "$sysroot/proc/cpuinfo"

# Some plugins need BLAS and LAPACK, found through links that only an installed system has. GStreamer must not
# start its plugin scanner, an ARM64 program that the host's kernel cannot run, and must not mix
# its list of plugins with the host's.
libraries=$sysroot/usr/lib/aarch64-linux-gnu
exec qemu-aarch64-static -cpu "${ARM64_CPU:-cortex-a72}" -L "$sysroot" \
  -E LD_LIBRARY_PATH="$libraries/blas:$libraries/lapack" \
  -E GST_REGISTRY_FORK=no \
  -E GST_REGISTRY="$fetched/arm64-gstreamer-registry.bin" \
  -E GST_PLUGIN_SYSTEM_PATH_1_0="$libraries/gstreamer-1.0" \
  "$@"
