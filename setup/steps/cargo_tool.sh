# Tools that cargo builds from crates.io, in a place of their own: what this machine has of them stays as it is.

cargo_tools=$fetched/cargo

# step_cargo_tool NAME
step_cargo_tool() {
  local name=$1 version
  version=$(locked_version "$name")
  if stamp_holds "$name" "$version" && [ -x "$cargo_tools/bin/$name" ]; then
    already_done "$name $version"
    return
  fi
  command -v cargo >/dev/null || fail "cargo is missing: install a Rust toolchain, 1.95 or newer, and run the same command again"
  say "building $name $version from crates.io, some minutes"
  # --locked: with the dependencies it was published with. Of each crate cargo checks the registry's hash.
  run_fetch crates.io "$name $version" cargo install --locked --force --root "$cargo_tools" "$name@$version"
  write_stamp "$name" "$version"
  say "done (${cargo_tools#"$root"/}/bin/$name)"
}
