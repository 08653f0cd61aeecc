#!/usr/bin/env bash
# Holds every lock file's crates against deny.toml: licences, bans and origins always; known faults (RustSec) where their
# database can be fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.fetched/cargo/bin:$PATH
log=.fetched/log/advisories.log
checks=(licenses bans sources)

if timeout 120 cargo deny fetch db >"$log" 2>&1; then
  checks+=(advisories)
else
  echo "deny: NOT checked for known faults: the database of RustSec cannot be fetched here (github.com); why: $log"
fi
for manifest in Cargo.toml testbed/peers/onvif/Cargo.toml fuzz/Cargo.toml; do
  echo "deny: $manifest: ${checks[*]}"
  cargo deny --locked --manifest-path "$manifest" --config deny.toml check "${checks[@]}"
done
