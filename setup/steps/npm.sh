# npm packages: the live page's, and those of a program the tests start.

step_page() {
  npm_packages page hub/ui
}

step_oidc_provider() {
  npm_packages oidc-provider testbed/peers/oidc
}

# npm_packages NAME FOLDER
npm_packages() {
  local name=$1 folder=$2 key
  if [ ! -f "$root/$folder/package-lock.json" ]; then
    say "nothing to do (there is no $folder/package-lock.json)"
    return
  fi
  command -v npm >/dev/null || fail "npm is missing: run 'setup/install.sh debian' first"
  key=$( (cat "$root/$folder/package-lock.json"; node --version) | sha256sum)
  if stamp_holds "$name" "$key" && [ -d "$root/$folder/node_modules" ]; then
    already_done "$folder/node_modules"
    return
  fi
  say "fetching the packages of $folder from npm"
  run_fetch npm "the packages of $folder/package-lock.json" \
    npm ci --prefix "$root/$folder" --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=2000
  write_stamp "$name" "$key"
  say "done"
}
