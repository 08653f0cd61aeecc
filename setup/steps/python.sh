# Python packages, in a virtual environment of their own.

venv=$fetched/python

step_python() {
  local group=$1 requirements=$setup_dir/requirements/$1.txt key
  ensure_venv
  key=$(cat "$requirements" "$fetched/stamp/python-venv" | sha256sum)
  if stamp_holds "python-$group" "$key"; then
    already_done "$(grep -c == "$requirements") packages of setup/requirements/$group.txt"
    return
  fi
  say "fetching $(grep -c == "$requirements") packages from PyPI"
  # --no-deps: the file names every package, with every hash.
  run_fetch PyPI "the packages of setup/requirements/$group.txt" \
    venv_pip install --no-deps --only-binary=:all: --require-hashes -r "$requirements"
  write_stamp "python-$group" "$key"
  say "done"
}

ensure_venv() {
  local want python key
  want=$(locked_version python)
  for python in "/usr/bin/python$want" "python$want" python3; do
    key=$("$python" -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null | tr '\n' ' ') || continue
    [[ $key == *" $want."* ]] && break
    key=
  done
  [ -n "$key" ] || fail "there is no Python $want here: run 'setup/install.sh debian' on Debian 12 first"
  if stamp_holds python-venv "$key" && [ -x "$venv/bin/pip" ]; then return; fi
  say "making a virtual environment with $python"
  rm -rf "$venv" "$fetched"/stamp/python-*
  "$python" -m venv "$venv" >"$fetched/log/$step.log" 2>&1 ||
    fail "'$python -m venv' failed: run 'setup/install.sh debian' first (python3-venv may be missing). Its words: $fetched/log/$step.log"
  write_stamp python-venv "$key"
}

# Not bin/pip: its first line names the folder it was made in, so in a copied working copy it would install there.
venv_pip() {
  PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 "$venv/bin/python" -m pip --retries 2 --timeout 20 "$@"
}
