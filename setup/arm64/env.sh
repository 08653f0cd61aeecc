# To be sourced by bash. Exports what cargo, cc, pkg-config and the opencv crate need to build for
# aarch64-unknown-linux-gnu against .fetched/arm64-sysroot. Scoped to that target wherever a tool
# allows it, so build scripts and proc macros, which run on this machine, still build natively.
#
#   . setup/arm64/env.sh && cargo build --target aarch64-unknown-linux-gnu -p gatepost-wire
# shellcheck shell=bash

arm64_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arm64_sysroot=$(cd "$arm64_here/../.." && pwd)/.fetched/arm64-sysroot

# C and C++ in crates (SQLite, ring, opencv's glue), and the linker: clang knows where crt1.o and
# libgcc are inside the sysroot, which lld alone does not.
export CC_aarch64_unknown_linux_gnu=$arm64_here/clang
export CXX_aarch64_unknown_linux_gnu=$arm64_here/clang++
export AR_aarch64_unknown_linux_gnu=llvm-ar
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$arm64_here/clang

export PKG_CONFIG_ALLOW_CROSS_aarch64_unknown_linux_gnu=1
export PKG_CONFIG_SYSROOT_DIR_aarch64_unknown_linux_gnu=$arm64_sysroot
export PKG_CONFIG_LIBDIR_aarch64_unknown_linux_gnu=$arm64_sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$arm64_sysroot/usr/share/pkgconfig

# The opencv crate parses the headers with libclang and would otherwise find the host's OpenCV.
# Which modules: the libopencv-*-dev lines of packages.txt, so the list stands in one place.
OPENCV_LINK_LIBS=$(sed -n 's/^libopencv-\([a-z0-9]*\)-dev\b.*/opencv_\1/p' "$arm64_here/packages.txt" | paste -sd,)
export OPENCV_LINK_LIBS
export OPENCV_LINK_PATHS=$arm64_sysroot/usr/lib/aarch64-linux-gnu
export OPENCV_INCLUDE_PATHS=$arm64_sysroot/usr/include/opencv4,$arm64_sysroot/usr/include/aarch64-linux-gnu/opencv4
export OPENCV_DISABLE_PROBES=pkg_config,cmake,vcpkg_cmake,vcpkg
export OPENCV_CLANG_ARGS=--target=aarch64-linux-gnu
# Its binding generator runs this clang to learn the C++ header directories.
export CLANG_PATH=$arm64_here/clang
