# ONNX Runtime's shared library, out of its Python wheel.

step_onnxruntime() {
  local arch=$1 version key library work wheel
  library=$fetched/onnxruntime/$arch/libonnxruntime.so
  case $arch in x86_64 | aarch64) ;; *) fail "ONNX Runtime is pinned for x86_64 and aarch64, this machine is $arch" ;; esac
  version=$(locked_version onnxruntime)
  key="$version $(locked_sha256 "onnxruntime-$arch.whl") $(locked_sha256 "onnxruntime-$arch.so")"
  if stamp_holds "onnxruntime-$arch" "$key" && has_sha256 "$library" "$(locked_sha256 "onnxruntime-$arch.so")"; then
    already_done "onnxruntime $version for $arch"
    return
  fi
  ensure_venv
  say "fetching the wheel of onnxruntime $version for $arch from PyPI"
  work=$fetched/work/onnxruntime-$arch
  rm -rf "$work"
  mkdir -p "$work" "$(dirname "$library")"
  run_fetch PyPI "onnxruntime $version for $arch" onnxruntime_wheel "$version" "$arch" "$work"
  wheel=$(echo "$work"/*.whl)
  check_sha256 "$wheel" "onnxruntime-$arch.whl" PyPI
  unzip -p "$wheel" 'onnxruntime/capi/libonnxruntime.so.*' >"$work/libonnxruntime.so"
  check_sha256 "$work/libonnxruntime.so" "onnxruntime-$arch.so" "the wheel"
  mv "$work/libonnxruntime.so" "$library"
  rm -rf "$work"
  write_stamp "onnxruntime-$arch" "$key"
  say "done (${library#"$root"/})"
}

# onnxruntime_wheel VERSION ARCH DIRECTORY: the library inside does not depend on the Python that
# runs here, so the wheel is always the one for the pinned Python.
onnxruntime_wheel() {
  local platforms=() glibc
  for glibc in 2_17 2_27 2_28 2_31 2_34; do platforms+=(--platform "manylinux_${glibc}_$2"); done
  venv_pip download --no-deps --only-binary=:all: "${platforms[@]}" \
    --implementation cp --python-version "$(locked_version python)" --dest "$3" "onnxruntime==$1"
}
