# To be sourced by bash. Exports what cargo, cc and pkg-config need to build for
# aarch64-unknown-linux-gnu against .fetched/arm64-sysroot. All of it is scoped to that target, so
# build scripts and proc macros, which run on this machine, still build natively.
#
#   . setup/arm64/env.sh && cargo build --target aarch64-unknown-linux-gnu -p gatepost-wire
# shellcheck shell=bash

arm64_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arm64_sysroot=$(cd "$arm64_here/../.." && pwd)/.fetched/arm64-sysroot

# The compiler for C in crates (SQLite), and the linker: clang knows where crt1.o and
# libgcc are inside the sysroot, which lld alone does not.
export CC_aarch64_unknown_linux_gnu=$arm64_here/clang
export CXX_aarch64_unknown_linux_gnu=$arm64_here/clang++
export AR_aarch64_unknown_linux_gnu=llvm-ar
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$arm64_here/clang

export PKG_CONFIG_ALLOW_CROSS_aarch64_unknown_linux_gnu=1
export PKG_CONFIG_SYSROOT_DIR_aarch64_unknown_linux_gnu=$arm64_sysroot
export PKG_CONFIG_LIBDIR_aarch64_unknown_linux_gnu=$arm64_sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$arm64_sysroot/usr/share/pkgconfig

# OpenCV: the opencv crate asks no pkg-config for another architecture, and its generator asks a clang where the C++
# headers are, which must be the one that knows the sysroot. These cannot be scoped to a target, but only the edge uses them.
export OPENCV_DISABLE_PROBES=pkg_config,cmake,vcpkg_cmake,vcpkg
export OPENCV_LINK_LIBS=opencv_core,opencv_imgproc,opencv_video
export OPENCV_LINK_PATHS=$arm64_sysroot/usr/lib/aarch64-linux-gnu
export OPENCV_INCLUDE_PATHS=$arm64_sysroot/usr/include/opencv4,$arm64_sysroot/usr/include/aarch64-linux-gnu/opencv4
export OPENCV_CLANG_ARGS=--target=aarch64-linux-gnu
export CLANG_PATH=$arm64_here/clang
