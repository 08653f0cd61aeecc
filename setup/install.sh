#!/usr/bin/env bash
# Installs what Gatepost needs. See setup/README.md.
#
#   setup/install.sh STEP...
#
# A step that is done already says so and costs less than a second.
set -euo pipefail
shopt -s inherit_errexit
# fail() may be called deep inside $(...); this is how it ends the whole run from there.
trap 'exit 1' TERM

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$setup_dir")
fetched=$root/.fetched

source "$setup_dir/progress.sh"
source "$setup_dir/lock.sh"
for file in "$setup_dir"/steps/*.sh; do source "$file"; done

usage() {
  cat <<'TEXT'
usage: setup/install.sh STEP...

  debian                 packages from Debian: GStreamer 1.22, OpenCV 4.6, clang, mosquitto, chromium, ...
  python                 Python packages for converting the detector, in .fetched/python
  python-bench           Python packages for `make bench`, in the same place
  python-accuracy        Python packages for `make accuracy`, in the same place
  python-sensors         the Modbus devices of the tests, in the same place
  python-api             what tests the hub's API by its OpenAPI document, in the same place
  onnxruntime [ARCH]     libonnxruntime.so for this machine, or for x86_64 or aarch64
  footage                the pedestrian clip, .fetched/footage/vtest.avi
  model                  the default detector, models/weights/*.onnx
  page                   the live page's npm packages
  oidc-provider          the OpenID Connect provider of the tests, npm packages in testbed/peers/oidc
  cargo-deny             what looks at licences and origins in `make lint`, in .fetched/cargo
  cargo-fuzz             what `make fuzz` builds and runs its targets with, in the same place
  all                    debian python onnxruntime footage model page
TEXT
}

[ $# -gt 0 ] || { usage >&2; exit 2; }

mkdir -p "$fetched/log"
# Two runs at once would write the same files.
exec 9>"$fetched/install.lock"
if ! flock --nonblock 9; then
  echo "setup: another run of setup/install.sh is at work; waiting for it"
  flock 9
fi

while [ $# -gt 0 ]; do
  step=$1
  shift
  case $step in
    debian) step_debian ;;
    python) step_python convert ;;
    python-bench) step_python bench ;;
    python-accuracy) step_python accuracy ;;
    python-sensors) step_python sensors ;;
    python-api) step_python api ;;
    onnxruntime)
      case ${1:-} in
        x86_64 | aarch64) step_onnxruntime "$1"; shift ;;
        *) step_onnxruntime "$(uname -m)" ;;
      esac
      ;;
    footage) step_footage ;;
    model) step_model ;;
    page) step_page ;;
    oidc-provider) step_oidc_provider ;;
    cargo-deny | cargo-fuzz) step_cargo_tool "$step" ;;
    all) set -- debian python onnxruntime footage model page "$@" ;;
    -h | --help) usage ;;
    *) echo "setup: there is no step '$step'" >&2; usage >&2; exit 2 ;;
  esac
done
