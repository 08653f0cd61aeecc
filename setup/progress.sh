# What a person sees of a step, and how its failures become one sentence.
# Expects $step and $fetched.

say() { echo "setup: $step: $*"; }

already_done() { say "already done ($*)"; }

fail() {
  echo "setup: $step: FAILED: $*" >&2
  [ "$BASHPID" = $$ ] || kill -TERM $$
  exit 1
}

# run_fetch SOURCE WHAT COMMAND...: runs a client of a registry, its words kept in a log. If it
# fails, says whether the network, a hash or something else was the cause.
run_fetch() {
  local source=$1 what=$2 log=$fetched/log/$step.log
  shift 2
  if "$@" </dev/null >"$log" 2>&1 9>&-; then return; fi
  if grep -qiE 'do not match the hashes|EINTEGRITY|hash sum mismatch' "$log"; then
    fail "$source sent a file whose hash is not the pinned one, while fetching $what; nothing of it was used. If the change of version is meant, run setup/repin.sh and read the difference; if not, do not trust this network. The client's words: $log"
  fi
  if grep -qiE 'temporary failure|name resolution|could not resolve|network is unreachable|connection (refused|timed out|reset)|could not connect|cannot connect to proxy|failed to establish|read timed out|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH' "$log"; then
    fail "no network reached for $source, while fetching $what: connect this machine to the network (or set https_proxy) and run the same command again. The client's words: $log"
  fi
  local words
  words=$(grep -E '^(npm ERR!|npm error|ERROR:|E:|error:) ' "$log" | head -n 4 | paste -s -d '|' | cut -c 1-400) || true
  fail "$source did not give $what: ${words:-it failed without a word}. All of the client's words: $log"
}

# A stamp remembers what a step was done from; it differs as soon as a pin does.
stamp_holds() { [ "$(cat "$fetched/stamp/$1" 2>/dev/null)" = "$2" ]; }

write_stamp() {
  mkdir -p "$fetched/stamp"
  echo "$2" >"$fetched/stamp/$1"
}
