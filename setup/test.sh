#!/usr/bin/env bash
# Tests of setup/install.sh that need no network: what it does with a wrong hash, without a
# network, and when there is nothing to do. The registries' clients are either real and cut off
# (a proxy that refuses) or replaced by small programs that hand out files made here.
set -euo pipefail

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$setup_dir")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A copy of set-up in a place of its own: nothing here touches the real .fetched.
fresh_copy() {
  rm -rf "$work/copy"
  mkdir -p "$work/copy/models" "$work/copy/clients"
  cp -r "$setup_dir" "$work/copy/setup"
  cp -r "$root/models/convert" "$root"/models/*.toml "$work/copy/models/"
}

install() { # STEP...: output in $work/output, status in $status
  status=0
  PATH=$work/copy/clients:$PATH "$work/copy/setup/install.sh" "$@" >"$work/output" 2>&1 || status=$?
}

client() { # NAME: a program of that name, its text from stdin, found before the real one
  { echo '#!/bin/bash'; cat; } >"$work/copy/clients/$1"
  chmod +x "$work/copy/clients/$1"
}

set_lock() { sed -i "s|^\($1  *$2  *\)[^ ]*$|\1$3|" "$work/copy/setup/fetched.lock"; }

sha256() { sha256sum "$1" | cut -d ' ' -f 1; }

expect() { # DESCRIPTION STATUS TEXT...: the status, and every text in the output
  local description=$1 want=$2 text
  shift 2
  if [ "$status" != "$want" ]; then
    report "$description" "status is $status, not $want"
    return
  fi
  for text in "$@"; do
    if ! grep -qF -- "$text" "$work/output"; then
      report "$description" "the output does not say '$text'"
      return
    fi
  done
  echo "ok    $description"
}

report() {
  echo "FAIL  $1: $2; the output was:"
  sed 's/^/      | /' "$work/output"
  failures=$((failures + 1))
}

cut_off() { # COMMAND...: with a proxy that refuses every connection
  local refuses=http://127.0.0.1:9
  http_proxy=$refuses https_proxy=$refuses HTTP_PROXY=$refuses HTTPS_PROXY=$refuses \
    no_proxy='' NO_PROXY='' PIP_CONFIG_FILE=/dev/null PIP_NO_CACHE_DIR=1 npm_config_cache=$work/npm-cache "$@"
}

# --- what a person types wrong, and a damaged lock

fresh_copy
install nonsense
expect "an unknown step is named" 2 "no step 'nonsense'" "usage:"

sed -i '/vtest.avi /d' "$work/copy/setup/fetched.lock"
install footage
expect "a lock without the needed line ends the run" 1 "setup/fetched.lock has no line 'sha256 vtest.avi'"

# --- no network

fresh_copy
client dpkg-query <<<'echo "mosquitto deinstall ok config-files"'
client apt-get <<<'echo "E: Failed to fetch mosquitto.deb  Temporary failure resolving" >&2; exit 100'
client sudo <<<'"$@"'
install debian
expect "debian without a network" 1 "no network reached for Debian's package servers" "mosquitto" "run the same command again"

cut_off install python
expect "python without a network" 1 "no network reached for PyPI" "setup/requirements/convert.txt" "run the same command again"

cut_off install onnxruntime aarch64
expect "onnxruntime without a network" 1 "no network reached for PyPI" "onnxruntime" "aarch64"
rm "$work/copy/clients/apt-get"

CARGO_NET_RETRY=0 CARGO_HOME=$work/cargo cut_off install cargo-deny
expect "a tool of cargo's without a network" 1 "no network reached for crates.io" "cargo-deny" "run the same command again"

client node <<<'echo v16.20.2'
client npm </dev/null
install debian
expect "an old Node is named" 1 "Node is 16.20.2" "18 or newer"
rm "$work/copy/clients/"{node,npm}

if command -v npm >/dev/null; then
  cut_off install model
  expect "model without a network" 1 "no network reached for npm" "@vladmandic/human"
fi

# --- wrong and right hashes: Debian's clip

if command -v dpkg-deb >/dev/null; then
  package=$work/opencv-doc
  mkdir -p "$package/DEBIAN" "$package/usr/share/doc/opencv-doc/examples/data"
  printf 'Package: opencv-doc\nVersion: 4.6\nArchitecture: all\nMaintainer: nobody\nDescription: test\n' >"$package/DEBIAN/control"
  echo "not a clip" >"$package/usr/share/doc/opencv-doc/examples/data/vtest.avi"
  dpkg-deb --build "$package" "$work/opencv-doc_4.6_all.deb" >/dev/null
  client apt-cache <<<'echo "Package: opencv-doc"'
  client apt-get <<<"cp '$work/opencv-doc_4.6_all.deb' ."
  install footage
  expect "a clip with a wrong hash is refused" 1 "wrong hash: vtest.avi from Debian's opencv-doc" "setup/fetched.lock wants"
  [ ! -e "$work/copy/.fetched/footage/vtest.avi" ] || report "a clip with a wrong hash is refused" "it was installed all the same"
  set_lock sha256 vtest.avi "$(sha256 "$package/usr/share/doc/opencv-doc/examples/data/vtest.avi")"
  install footage
  expect "a clip with the right hash is installed" 0 "done (.fetched/footage/vtest.avi)"
  install footage
  expect "a second run has nothing to do" 0 "already done (.fetched/footage/vtest.avi)"
fi

# --- wrong and right hashes: PyPI

wheel() { # FILE MEMBER...: a wheel made of empty-ish members; enough for pip to download or refuse
  python3 - "$@" <<'PYTHON'
import pathlib, sys, zipfile

path, *members = sys.argv[1:]
name, version = pathlib.Path(path).name.split("-")[:2]
with zipfile.ZipFile(path, "w") as wheel:
    for member in members:
        wheel.writestr(member, "a library")
    info = f"{name}-{version}.dist-info"
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", "")
PYTHON
}

mkdir "$work/wheels"
export PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/wheels PIP_CONFIG_FILE=/dev/null
wheel "$work/wheels/probe-1.0-py3-none-any.whl"
wrong=$(printf '0%.0s' {1..64})
echo "probe==1.0 --hash=sha256:$wrong" >"$work/copy/setup/requirements/convert.txt"
install python
expect "a Python package with a wrong hash is refused" 1 "PyPI sent a file whose hash is not the pinned one" "setup/requirements/convert.txt"
echo "probe==1.0 --hash=sha256:$(sha256 "$work/wheels/probe-1.0-py3-none-any.whl")" >"$work/copy/setup/requirements/convert.txt"
install python
expect "a changed pin is installed" 0 "fetching 1 packages from PyPI" "done"
install python
expect "a second run has nothing to do" 0 "already done (1 packages"

wheel "$work/wheels/onnxruntime-9.9.9-cp311-cp311-manylinux_2_28_aarch64.whl" onnxruntime/capi/libonnxruntime.so.9.9.9
set_lock version onnxruntime 9.9.9
install onnxruntime aarch64
expect "a wheel with a wrong hash is refused" 1 "wrong hash: onnxruntime-aarch64.whl from PyPI"
set_lock sha256 onnxruntime-aarch64.whl "$(sha256 "$work/wheels/onnxruntime-9.9.9-cp311-cp311-manylinux_2_28_aarch64.whl")"
install onnxruntime aarch64
expect "a library with a wrong hash is refused" 1 "wrong hash: onnxruntime-aarch64.so from the wheel"
set_lock sha256 onnxruntime-aarch64.so "$(printf 'a library' | sha256sum | cut -d ' ' -f 1)"
install onnxruntime aarch64
expect "a library with the right hash is installed" 0 "done (.fetched/onnxruntime/aarch64/libonnxruntime.so)"
install onnxruntime aarch64
expect "a second run has nothing to do" 0 "already done (onnxruntime 9.9.9 for aarch64)"
unset PIP_NO_INDEX PIP_FIND_LINKS PIP_CONFIG_FILE

# --- tools that cargo builds

client cargo <<<'echo "error: could not compile \`cargo-fuzz\`" >&2; exit 101'
install cargo-fuzz
expect "a tool that cannot be built is told" 1 "crates.io did not give cargo-fuzz" "could not compile"
client cargo <<<'mkdir -p "$5/bin"; echo "$*" >"$5/bin/cargo-fuzz"; chmod +x "$5/bin/cargo-fuzz"'
set_lock version cargo-fuzz 9.9.9
install cargo-fuzz
expect "a tool of the pinned version is built" 0 "building cargo-fuzz 9.9.9" "done (.fetched/cargo/bin/cargo-fuzz)"
grep -q "install --locked --force --root .* cargo-fuzz@9.9.9" "$work/copy/.fetched/cargo/bin/cargo-fuzz" ||
  report "a tool of the pinned version is built" "cargo was asked for something else"
install cargo-fuzz
expect "a second run has nothing to do" 0 "already done (cargo-fuzz 9.9.9)"
rm "$work/copy/clients/cargo"

# --- wrong hashes: npm, and a conversion that came out different

mkdir -p "$work/package/models"
echo '{}' >"$work/package/models/centernet.json"
echo weights >"$work/package/models/centernet.bin"
echo never >"$work/package/models/emotion.bin"
tar --create --gzip --file "$work/human.tgz" --directory "$work" package
client npm <<<"while [ \"\$1\" != --pack-destination ]; do shift; done; cp '$work/human.tgz' \"\$2/vladmandic-human.tgz\""
install model
expect "an npm package with a wrong hash is refused" 1 "wrong hash: human.tgz from npm"
set_lock sha256 human.tgz "$(sha256 "$work/human.tgz")"
set_lock sha256 centernet.json "$(sha256 "$work/package/models/centernet.json")"
set_lock sha256 centernet.bin "$(sha256 "$work/package/models/centernet.bin")"
install model
expect "a graph that cannot be converted stops the step" 1 "models/convert did not convert centernet.json"
extracted=$(cd "$work/copy/.fetched/detector" && echo *)
[ "$extracted" = "centernet.bin centernet.json" ] ||
  report "only the detector's two files are taken" ".fetched/detector holds $extracted"
client_python=$work/copy/.fetched/python/bin/python
rm "$client_python"
printf '#!/bin/bash\nmkdir -p "$(dirname "$4")"; echo other >"$4"\n' >"$client_python"
chmod +x "$client_python"
install model
expect "weights that came out different are refused" 1 "models/weights/centernet.onnx came out with sha256" "models/centernet-512.toml wants"
sed -i 's/^sha256 = "./sha256 = "/' "$work/copy/models/centernet-320.toml"
install model
expect "manifests that want different weights are refused" 1 "models/centernet-320.toml wants another sha256"

# --- the committed pins agree with each other

fresh_copy
for group in convert bench; do
  for name in onnxruntime numpy; do
    version=$(awk -v name=$name '$1 == "version" && $2 == name { print $3 }' "$setup_dir/fetched.lock")
    if grep -q "^$name==$version " "$setup_dir/requirements/$group.txt"; then
      echo "ok    requirements/$group.txt has the lock's $name"
    else
      echo "FAIL  requirements/$group.txt does not name $name==$version as fetched.lock does: run setup/repin.sh"
      failures=$((failures + 1))
    fi
  done
done

if [ $failures -gt 0 ]; then
  echo "setup/test.sh: $failures failed"
  exit 1
fi
echo "setup/test.sh: all passed"
