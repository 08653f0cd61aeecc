# The default detector: fetched from its npm package and converted here, on the user's machine.

# Only these are taken. The package also holds models of faces and emotions, which have no place
# in this product: they are never unpacked, and the package is deleted afterwards.
detector_files=(centernet.json centernet.bin)
detector_sizes=(512 320)

step_model() {
  local size weights key file sources=$fetched/detector
  key=$(
    cat "$root"/models/convert/*.py "$setup_dir/requirements/convert.txt"
    for file in "${detector_files[@]}"; do locked_sha256 "$file"; done
    for size in "${detector_sizes[@]}"; do manifest_sha256 "$size"; done
  )
  key=$(sha256sum <<<"$key")
  if stamp_holds model "$key" && weights_are_right; then
    already_done "$(printf 'models/weights/centernet-%s.onnx ' "${detector_sizes[@]}" | sed 's/ $//')"
    return
  fi
  detector_sources_are_right || fetch_detector_sources
  step_python convert
  for size in "${detector_sizes[@]}"; do
    weights=$root/models/weights/centernet-$size.onnx
    say "converting to models/weights/centernet-$size.onnx"
    PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$root/models/convert" "$sources/centernet.json" "$size" "$weights" ||
      fail "models/convert did not convert centernet.json at size $size, its reason is above"
    has_sha256 "$weights" "$(manifest_sha256 "$size")" ||
      fail "models/weights/centernet-$size.onnx came out with sha256 $(sha256_of "$weights"), models/centernet-$size.toml wants $(manifest_sha256 "$size"): the converter or its packages changed. If that is meant, run models/parity/run.sh, then put the new hash into the manifest"
  done
  write_stamp model "$key"
  say "done"
}

fetch_detector_sources() {
  local version work file sources=$fetched/detector
  version=$(locked_version @vladmandic/human)
  command -v npm >/dev/null || fail "npm is missing: run 'setup/install.sh debian' first"
  say "fetching @vladmandic/human $version from npm, 29 MB, for the detector's two files in it"
  work=$fetched/work/model
  rm -rf "$work"
  mkdir -p "$work" "$sources"
  run_fetch npm "@vladmandic/human $version" pack_detector "$version" "$work"
  mv "$work"/*.tgz "$work/human.tgz"
  check_sha256 "$work/human.tgz" human.tgz npm
  tar --extract --gzip --file "$work/human.tgz" --directory "$sources" --strip-components=2 \
    --no-same-owner "${detector_files[@]/#/package/models/}"
  rm -rf "$work"
  for file in "${detector_files[@]}"; do check_sha256 "$sources/$file" "$file" "@vladmandic/human $version"; done
}

# Debian's npm 9.2 once ended with "errno -2" (no such file) on a machine that had no npm cache yet;
# not seen again in ten trials, and the second attempt went through. So there is one.
pack_detector() {
  local pack=(npm pack "@vladmandic/human@$1" --pack-destination "$2"
    --fetch-retries=1 --fetch-retry-mintimeout=2000)
  "${pack[@]}" || { echo "--- second attempt"; "${pack[@]}"; }
}

detector_sources_are_right() {
  local file
  for file in "${detector_files[@]}"; do
    has_sha256 "$fetched/detector/$file" "$(locked_sha256 "$file")" || return 1
  done
}

weights_are_right() {
  local size
  for size in "${detector_sizes[@]}"; do
    has_sha256 "$root/models/weights/centernet-$size.onnx" "$(manifest_sha256 "$size")" || return 1
  done
}

manifest_sha256() {
  local manifest=$root/models/centernet-$1.toml value
  value=$(sed -n 's/^sha256 *= *"\([0-9a-f]*\)".*/\1/p' "$manifest")
  [ -n "$value" ] || fail "models/centernet-$1.toml has no line 'sha256 = \"...\"': take the file from git again"
  echo "$value"
}
