# The live page's npm packages.

step_page() {
  local page=$root/hub/ui key
  if [ ! -f "$page/package-lock.json" ]; then
    say "nothing to do (there is no hub/ui/package-lock.json)"
    return
  fi
  command -v npm >/dev/null || fail "npm is missing: run 'setup/install.sh debian' first"
  key=$( (cat "$page/package-lock.json"; node --version) | sha256sum)
  if stamp_holds page "$key" && [ -d "$page/node_modules" ]; then
    already_done hub/ui/node_modules
    return
  fi
  say "fetching the page's packages from npm"
  run_fetch npm "the packages of hub/ui/package-lock.json" \
    npm ci --prefix "$page" --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=2000
  write_stamp page "$key"
  say "done"
}
