# The default detector: fetched from its npm package and converted here, on the user's machine.

# Only these are taken. The package also holds models of faces and emotions, which have no place
# in this product: they are never unpacked, and the package is deleted afterwards.
detector_files=(centernet.json centernet.bin)
# Of COCO's 80 classes those the product speaks of; `[classes]` in the manifests counts them from 0.
detector_classes=0,1,2,3,5,7
detector_weights=models/weights/centernet.onnx
# They differ in the size of the picture only.
detector_manifests=(models/centernet-512.toml models/centernet-320.toml)

step_model() {
  local key file wanted sources=$fetched/detector
  wanted=$(wanted_sha256)
  key=$(
    cat "$root"/models/convert/*.py "$setup_dir/requirements/convert.txt"
    for file in "${detector_files[@]}"; do locked_sha256 "$file"; done
    echo "$detector_classes" "$wanted"
  )
  key=$(sha256sum <<<"$key")
  if stamp_holds model "$key" && has_sha256 "$root/$detector_weights" "$wanted"; then
    already_done "$detector_weights"
    return
  fi
  detector_sources_are_right || fetch_detector_sources
  step_python convert
  say "converting to $detector_weights"
  PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$root/models/convert" \
    "$sources/centernet.json" "$detector_classes" "$root/$detector_weights" ||
    fail "models/convert did not convert centernet.json, its reason is above"
  has_sha256 "$root/$detector_weights" "$wanted" ||
    fail "$detector_weights came out with sha256 $(sha256_of "$root/$detector_weights"), ${detector_manifests[0]} wants $wanted: the converter or its packages changed. If that is meant, run models/parity/run.sh, then put the new hash into ${detector_manifests[*]}"
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

wanted_sha256() {
  local manifest value wanted=
  for manifest in "${detector_manifests[@]}"; do
    value=$(sed -n 's/^sha256 *= *"\([0-9a-f]*\)".*/\1/p' "$root/$manifest")
    [ -n "$value" ] || fail "$manifest has no line 'sha256 = \"...\"': take the file from git again"
    [ "$value" = "${wanted:=$value}" ] ||
      fail "$manifest wants another sha256 of $detector_weights than ${detector_manifests[0]}: they are made to be the same"
  done
  echo "$wanted"
}
