#!/usr/bin/env bash
# For maintainers, after a `version` line of setup/fetched.lock changed: fetches what the versions
# name and writes its hashes, into fetched.lock and requirements/*.txt. Read the difference before
# committing it: this trusts the registries, everyone after you trusts what you commit.
set -euo pipefail
shopt -s inherit_errexit
trap 'exit 1' TERM

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$setup_dir")
fetched=$root/.fetched
step=repin
source "$setup_dir/progress.sh"
source "$setup_dir/lock.sh"
for file in "$setup_dir"/steps/*.sh; do source "$file"; done

work=$fetched/work/repin
rm -rf "$work"
mkdir -p "$work" "$fetched/log"

set_locked_sha256() {
  local name=$1 value=$2
  locked_sha256 "$name" >/dev/null
  sed -i "s|^\(sha256  $name *\) [0-9a-f]*$|\1 $value|" "$lock_file"
}

# Every package the group needs, with its wheels' hashes for both architectures. Packages in $leave_out are asked for
# by one of the group, but not needed for what is done with it here.
leave_out=()
repin_group() {
  local group=$1 arch glibc name wanted=() platforms
  shift
  for name in "$@"; do wanted+=("$name==$(locked_version "$name")"); done
  for arch in x86_64 aarch64; do
    say "resolving group $group for $arch"
    platforms=()
    for glibc in 2014 _2_17 _2_27 _2_28; do platforms+=(--platform "manylinux${glibc}_$arch"); done
    run_fetch PyPI "the packages of group $group" venv_pip install --dry-run --ignore-installed \
      --target "$work/none" --only-binary=:all: "${platforms[@]}" --implementation cp \
      --python-version "$(locked_version python)" --report "$work/$group-$arch.json" "${wanted[@]}"
  done
  LEAVE_OUT="${leave_out[*]}" "$venv/bin/python" - "$group" "$work/$group-x86_64.json" "$work/$group-aarch64.json" \
    >"$setup_dir/requirements/$group.txt" <<'PYTHON'
import json, os, sys

leave_out = os.environ["LEAVE_OUT"].split()
group, *reports = sys.argv[1:]
hashes = {}
for report in reports:
    for item in json.load(open(report))["install"]:
        if item["metadata"]["name"].lower() in leave_out:
            continue
        pin = f"{item['metadata']['name'].lower()}=={item['metadata']['version']}"
        hashes.setdefault(pin, set()).add(item["download_info"]["archive_info"]["hashes"]["sha256"])
names = [pin.split("==")[0] for pin in hashes]
twice = {name for name in names if names.count(name) > 1}
if twice:
    sys.exit(f"repin: the architectures resolve to different versions of {', '.join(sorted(twice))}")
print(f"# Written by setup/repin.sh from the versions in setup/fetched.lock: group {group},")
print("# with the wheels of x86_64 and aarch64.")
for pin in sorted(hashes):
    print(" \\\n    ".join([pin] + [f"--hash=sha256:{value}" for value in sorted(hashes[pin])]))
PYTHON
}

repin_onnxruntime() {
  local arch version wheel
  version=$(locked_version onnxruntime)
  for arch in x86_64 aarch64; do
    say "fetching onnxruntime $version for $arch"
    run_fetch PyPI "onnxruntime $version for $arch" onnxruntime_wheel "$version" "$arch" "$work/$arch"
    wheel=$(echo "$work/$arch"/*.whl)
    set_locked_sha256 "onnxruntime-$arch.whl" "$(sha256_of "$wheel")"
    set_locked_sha256 "onnxruntime-$arch.so" \
      "$(unzip -p "$wheel" 'onnxruntime/capi/libonnxruntime.so.*' | sha256sum | cut -d ' ' -f 1)"
  done
}

repin_detector() {
  local version file
  version=$(locked_version @vladmandic/human)
  say "fetching @vladmandic/human $version"
  run_fetch npm "@vladmandic/human $version" npm pack "@vladmandic/human@$version" --pack-destination "$work"
  mv "$work"/*.tgz "$work/human.tgz"
  set_locked_sha256 human.tgz "$(sha256_of "$work/human.tgz")"
  for file in "${detector_files[@]}"; do
    set_locked_sha256 "$file" \
      "$(tar --extract --to-stdout --gzip --file "$work/human.tgz" "package/models/$file" | sha256sum | cut -d ' ' -f 1)"
  done
}

ensure_venv
repin_group convert onnx numpy onnxruntime
repin_group bench opencv-python-headless supervision numpy onnxruntime
# TrackEval draws and compares masks with these; accuracy/ takes its measure of boxes.
leave_out=(contourpy cycler fonttools kiwisolver matplotlib opencv-python packaging pillow pycocotools pyparsing tabulate)
repin_group accuracy motmetrics trackeval numpy
leave_out=()
repin_group sensors pymodbus pyserial
repin_group api schemathesis
repin_onnxruntime
repin_detector
rm -rf "$work"
say "done; now read: git diff setup"
