# Packages from Debian.

debian_packages=(
  # to build
  build-essential pkg-config clang libclang-dev lld cmake
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev libopencv-dev libtss2-dev
  # to run: decoders, RTSP
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-rtsp gstreamer1.0-tools
  # time zones, for schedules
  tzdata
  # to set up, test and measure; the CJK font is for Chinese in the page's screenshots
  python3 python3-venv python3-pip curl unzip ca-certificates
  mosquitto mosquitto-clients postgresql-15 swtpm openssl chromium fonts-noto-cjk
)

step_debian() {
  local missing=() package had_mosquitto=yes had_postgresql=yes
  local wanted=("${debian_packages[@]}")
  # Any Node that can run the page's build will do, whoever installed it.
  if command -v node >/dev/null && command -v npm >/dev/null; then
    local node
    node=$(node --version | sed 's/^v//')
    [ "${node%%.*}" -ge 18 ] ||
      fail "Node is $node ($(command -v node)), the page needs 18 or newer: take it off PATH, and Debian's 18 is installed instead"
  else
    wanted+=(nodejs npm)
  fi
  local installed
  installed=$(dpkg-query -W -f '${binary:Package} ${Status}\n' 2>/dev/null | awk '$4 == "installed" { sub(/:.*/, "", $1); print $1 }')
  for package in "${wanted[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
  done

  if [ ${#missing[@]} -gt 0 ]; then
    [[ " ${missing[*]} " == *" mosquitto "* ]] && had_mosquitto=no
    [[ " ${missing[*]} " == *" postgresql-15 "* ]] && had_postgresql=no
    require_root
    say "installing ${#missing[@]} packages from Debian, some minutes: ${missing[*]}"
    run_fetch "Debian's package servers" "${missing[*]}" install_packages "${missing[@]}"
    [ $had_mosquitto = yes ] || stop_installed_mosquitto
    [ $had_postgresql = yes ] || drop_installed_cluster
  fi

  local gstreamer opencv
  gstreamer=$(pkg-config --modversion gstreamer-1.0) || fail "pkg-config does not find gstreamer-1.0 although libgstreamer1.0-dev is installed: is PKG_CONFIG_PATH or PKG_CONFIG_LIBDIR set?"
  opencv=$(pkg-config --modversion opencv4) || fail "pkg-config does not find opencv4 although libopencv-dev is installed: is PKG_CONFIG_PATH or PKG_CONFIG_LIBDIR set?"
  [[ $gstreamer == 1.22.* ]] || fail "GStreamer is $gstreamer, Gatepost is built for 1.22: use Debian 12"
  [[ $opencv == 4.6.* ]] || fail "OpenCV is $opencv, Gatepost is built for 4.6: use Debian 12"
  local summary="${#wanted[@]} packages, GStreamer $gstreamer, OpenCV $opencv"
  if [ ${#missing[@]} -gt 0 ]; then say "done ($summary)"; else already_done "$summary"; fi
}

# An update that fails in part is no reason to stop: what matters is whether the install succeeds,
# and if it does not, the update's words in the log tell why.
install_packages() {
  as_root apt-get update || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=600 "$@"
}

require_root() {
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    fail "Debian's packages need root, and there is no sudo here: run 'setup/install.sh debian' as root once"
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian starts a package's service at once. The tests start brokers of their own; one that
# listens without being asked for is not ours to leave behind. A mosquitto that was there before
# is left alone.
# The package makes a server and starts it; tests start their own. It was not there before, so nothing is in it.
drop_installed_cluster() {
  as_root pg_dropcluster --stop 15 main >/dev/null 2>&1 || true
}

stop_installed_mosquitto() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl disable --now mosquitto.service >/dev/null 2>&1 || true
  else
    as_root service mosquitto stop >/dev/null 2>&1 || true
  fi
}
