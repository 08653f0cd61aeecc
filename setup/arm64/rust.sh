# Rust's standard library for ARM64. To be sourced after debian.sh.
# shellcheck shell=bash

target=aarch64-unknown-linux-gnu

has_target() { compgen -G "$("$1" --print sysroot)/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null; }

# rustup's server is no package registry and may be out of reach, so Debian's build of the same
# library is the second way. A library only fits the compiler it was made by, so that way
# compiles with Debian's rustc (rustc-web: the recent one that Debian 12 gets with its updates),
# unpacked beside the system: as a package it conflicts with rustup's.
ensure_target() {
  local debian=$fetched/arm64-rust
  has_target rustc && return
  if command -v rustup >/dev/null; then
    say "fetching Rust's library for $target with rustup"
    if timeout 300 rustup target add "$target" >"$fetched/log/rustup.log" 2>&1 && has_target rustc; then return; fi
    say "rustup could not (its words: .fetched/log/rustup.log); taking Debian's rustc-web"
  fi
  use_debian_rust "$debian"
}

use_debian_rust() {
  local debian=$1 key
  key=$(sha256sum <"$here/rust.sh" | cut -d' ' -f1)
  if ! stamp_holds arm64-rust "$key" || [ ! -x "$debian/usr/bin/rustc" ]; then
    say "fetching Debian's rustc-web and its library for $target (2 minutes or more, 1.2 GB on disk)"
    debian_tree "$debian" "rustc-web and libstd-rust-web-dev:arm64 (rustup had no luck either, so one of the two must be reached)" \
      amd64,arm64 rustc-web libstd-rust-web-dev libstd-rust-web-dev:arm64
    write_stamp arm64-rust "$key"
  fi
  export RUSTC=$debian/usr/bin/rustc
  export LD_LIBRARY_PATH=$debian/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  "$RUSTC" --version >/dev/null || fail "Debian's rustc was unpacked to $debian, but does not start"
  has_target "$RUSTC" || fail "Debian's rustc is in $debian, but without a library for $target"
  say "compiling with Debian's $("$RUSTC" --version)"
}
