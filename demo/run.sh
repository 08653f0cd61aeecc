#!/usr/bin/env bash
# The whole product on one machine: a clip served as an RTSP camera, an edge, a hub, the live page.
#
#   demo/run.sh        `make demo` installs and builds what it needs first
#
# Everything it keeps is in var/demo; alerts of earlier runs stay until `make clean-demo`.
# GATEPOST_BIN_DIR names the folder of the programs, if not target/release: a dev build, say.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=$root/var/demo
clip=$root/.fetched/footage/vtest.avi
edge_name=demo-gate
ready_within=60 # seconds, for each program
stop_within=15

say() { echo "demo: $*"; }
fail() {
  echo "demo: FAILED: $*" >&2
  exit 1
}

cd "$root" # CARGO_TARGET_DIR may be relative to it
bin_dir=$(cd "${GATEPOST_BIN_DIR:-${CARGO_TARGET_DIR:-target}/release}" 2>/dev/null && pwd) ||
  fail "the programs are not built: run 'make demo'"
for program in gatepost-edge gatepost-hub gatepost-clip-camera; do
  [ -x "$bin_dir/$program" ] || fail "$bin_dir/$program is not built: run 'make demo'"
done
[ -f "$clip" ] || fail "the clip is not here: run 'setup/install.sh footage'"

umask 077 # pictures and keys are kept below
mkdir -p "$data/log"
exec 9>"$root/var/demo.lock"
flock --nonblock 9 || fail "it runs already, from this folder: use that one, or end it first"

# --- programs: started, waited for, ended

declare -A pid=()

# start NAME COMMAND...: a session of its own, so that Ctrl-C reaches only this script, which ends
# the programs in their order. Should this script be killed, the kernel ends them.
start() {
  local name=$1
  shift
  setsid setpriv --pdeathsig TERM "$@" </dev/null >"$data/log/$name.log" 2>&1 9>&- &
  pid[$name]=$!
}

alive() { [ -n "${pid[$1]:-}" ] && kill -0 "${pid[$1]}" 2>/dev/null; }

# What was started must go on.
check_all() {
  local name
  for name in "${!pid[@]}"; do
    alive "$name" || broken "$name" "the $name ended by itself"
  done
}

# wait_for NAME WHAT COMMAND...: until the command succeeds.
wait_for() {
  local name=$1 what=$2 until=$((SECONDS + ready_within))
  shift 2
  until "$@" >/dev/null 2>&1; do
    check_all
    [ $SECONDS -lt $until ] || broken "$name" "$what within $ready_within seconds"
    sleep 0.2
  done
}

# broken NAME SENTENCE: with what the program said last, which names the cause.
broken() {
  echo "demo: FAILED: $2. Its last words (all of them: ${data#"$root"/}/log/$1.log):" >&2
  tail -n 8 "$data/log/$1.log" | sed 's/^/  /' >&2
  exit 1
}

# In the direction of the data: an edge that is ended first has not lost its camera.
stop() {
  local name until
  for name in edge camera hub; do
    alive "$name" || continue
    kill -TERM "${pid[$name]}" 2>/dev/null || continue
    until=$((SECONDS + stop_within))
    while alive "$name" && [ $SECONDS -lt $until ]; do sleep 0.1; done
    if alive "$name"; then
      say "the $name did not end within $stop_within seconds and was killed" >&2
      kill -KILL "${pid[$name]}" 2>/dev/null || true
    fi
  done
}

ended=
on_signal() {
  # A second Ctrl-C would only cut short what ends in a moment.
  trap '' INT TERM HUP
  [ -z "$ended" ] || return
  ended=yes
  echo
  say "stopping / 正在停止"
  exit 0
}
on_exit() {
  local status=$?
  trap '' INT TERM HUP
  stop
  [ -z "$ended" ] || say "stopped: edge, camera, hub / 已停止"
  exit $status
}
trap on_signal INT TERM HUP
trap on_exit EXIT

# --- places

free_port() { # FIRST: the first port from there on that nobody listens on
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}
web_port=$(free_port 8080)
broker_port=$(free_port 1883)
boxes_port=$(free_port 8883)
enrolment_port=$(free_port 8443)
camera_port=$(free_port 8554)
page=http://127.0.0.1:$web_port

for file in hub.toml edge.toml; do
  # A path may hold any character, also one that means something to sed: bash puts it in literally.
  text=$(<"$root/demo/$file")
  text=${text//@ROOT@/"$root"}
  text=${text//@ARCH@/"$(uname -m)"}
  text=${text//@WEB_PORT@/$web_port}
  text=${text//@BROKER_PORT@/$broker_port}
  text=${text//@BOXES_PORT@/$boxes_port}
  text=${text//@ENROLMENT_PORT@/$enrolment_port}
  text=${text//@CAMERA_PORT@/$camera_port}
  printf '%s\n' "$text" >"$data/$file"
done

# --- start

say "starting the hub"
start hub "$bin_dir/gatepost-hub" run --config "$data/hub.toml"
wait_for hub "the hub was not ready" curl --fail --silent --noproxy '*' --max-time 2 "$page/health/ready"

# As a technician does it, but that the code goes from one program into the other and nobody types or sees it.
enrol() {
  local code
  code=$("$bin_dir/gatepost-hub" device enrol "$edge_name" --config "$data/hub.toml" 2>"$data/log/enrol.log") &&
    "$bin_dir/gatepost-edge" enrol --config "$data/edge.toml" <<<"$code" >>"$data/log/enrol.log" 2>&1
}
if [ ! -f "$data/edge/identity.json" ]; then
  say "enrolling the edge"
  enrol || { tail -n 3 "$data/log/enrol.log" >&2; fail "the edge could not enrol, the words above say why; 'make clean-demo' starts afresh"; }
fi

say "starting the camera: ${clip#"$root"/} over RTSP, again and again"
start camera "$bin_dir/gatepost-clip-camera" --clip "$clip" --listen "127.0.0.1:$camera_port"
wait_for camera "the camera did not serve the clip" grep -q '^serving ' "$data/log/camera.log"

say "starting the edge"
start edge "$bin_dir/gatepost-edge" run --config "$data/edge.toml"
edge_is_at_work() {
  "$bin_dir/gatepost-hub" device list --config "$data/hub.toml" | grep -qE "^$edge_name +online; 1 of 1 cameras"
}
wait_for edge "the edge did not report a picture to the hub" edge_is_at_work

# There is no password before somebody sets one, here as on a site. One account for all roles, so that all can be tried.
person() { "$bin_dir/gatepost-hub" person "$@" --config "$data/hub.toml" 2>"$data/log/person.log"; }
if person list | grep -q '^demo '; then
  link=$(person link demo)
else
  link=$(person add demo --display-name 演示 --role operator --role supervisor --role administrator --role auditor)
fi || { cat "$data/log/person.log" >&2; fail "no account could be made, the words above say why"; }

echo
echo "  Gatepost 门岗   $link"
echo
echo "  Open this link in a browser and set a password for the account 'demo'; the link works once. Later: $page"
echo "  请用浏览器打开此链接，为账号 demo 设置密码；链接仅可使用一次。以后请打开 $page"
echo "  The first alert comes within a minute. Ctrl-C ends everything. / 一分钟内出现第一条警报。按 Ctrl-C 全部停止。"
echo "  Logs / 日志: ${data#"$root"/}/log"
echo

# --- until Ctrl-C, or until one of them ends by itself

wait -n || true
check_all
