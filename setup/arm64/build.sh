#!/usr/bin/env bash
# Cross-builds gatepost-edge and gatepost-hub (release) for ARM64 Linux.
#
#   setup/arm64/build.sh [ARGUMENTS OF CARGO BUILD]     without any: -p gatepost-edge -p gatepost-hub
#
# Result: target/aarch64-unknown-linux-gnu/release/gatepost-{edge,hub}
set -euo pipefail
trap 'exit 1' TERM

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
fetched=$root/.fetched
step=arm64
source "$root/setup/progress.sh"
source "$root/setup/steps/debian.sh"
source "$here/debian.sh"
source "$here/rust.sh"

command -v cargo >/dev/null || fail "cargo is not on the PATH; install a Rust toolchain first"
mkdir -p "$fetched/log"
need_tools clang=clang ld.lld=lld llvm-ar=llvm pkg-config=pkg-config
"$here/sysroot.sh"
ensure_target
source "$here/env.sh"

[ $# -gt 0 ] || set -- -p gatepost-edge -p gatepost-hub
cd "$root"
say "cargo build --release --target $target $* (5 minutes on two idle cores the first time)"
started=$SECONDS
cargo build --release --locked --target "$target" "$@" ||
  fail "cargo build failed, see above. If a header or library was not found: its Debian package belongs into setup/arm64/packages.txt"
say "done in $((SECONDS - started)) s (${CARGO_TARGET_DIR:-target}/$target/release)"
