# Debian packages: tools for this machine, and trees of packages beside the system. To be sourced
# after setup/progress.sh and setup/steps/debian.sh.
# shellcheck shell=bash

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# need_tools COMMAND=PACKAGE...: installs the packages whose command is not there.
need_tools() {
  local pair missing=()
  for pair; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  require_root
  say "installing from Debian: ${missing[*]}"
  run_fetch "Debian's package servers" "${missing[*]}" install_packages "${missing[@]}"
}

# debian_tree DIRECTORY WHAT ARCHITECTURES PACKAGE...: unpacks Debian 12 packages, and what they
# need, into DIRECTORY, without installing anything and without root.
debian_tree() {
  local directory=$1 what=$2 architectures=$3 sources line aptopts=()
  shift 3
  need_tools mmdebstrap=mmdebstrap
  # Without root it unpacks in a user namespace, which newuidmap sets up.
  [ "$(id -u)" = 0 ] || need_tools newuidmap=uidmap
  [ -f "$keyring" ] ||
    fail "$keyring is missing, so no package can be verified; run: sudo apt-get install debian-archive-keyring"

  # The mirrors are those this machine uses already, so a site with its own mirror keeps it. The
  # release is Debian 12's whatever the host is, because that is what the boxes carry.
  # shellcheck disable=SC2016
  sources=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    sed -nE "s|^([^ ]+) (bookworm[^ ]*) (main)$|deb [signed-by=$keyring] \1 \2 \3|p" | sort -u)
  [ -n "$sources" ] ||
    fail "apt knows no Debian 12 (bookworm) repository here; look into /etc/apt/sources.list.d and run: sudo apt-get update"

  # A proxy of the host's apt must hold inside mmdebstrap as well.
  while IFS= read -r line; do aptopts+=(--aptopt="$line"); done < <(
    apt-config dump | grep -iE '^Acquire::https?::Proxy' || true
  )

  rm -rf "$directory.part"
  mkdir -p "$directory.part"
  run_fetch Debian "$what" unpack "$directory.part" "$sources" "$architectures" "$*"
  rm -rf "$directory"
  mv "$directory.part" "$directory"
}

# A tar stream, because it works for root and for users alike and needs no device files. The hook
# gives the layout of an installed Debian 12 (/lib is usr/lib), so each library has one path.
unpack() {
  local directory=$1 sources=$2 architectures=$3 packages=$4
  printf '%s\n' "$sources" |
    mmdebstrap --variant=extract --architectures="$architectures" --format=tar \
      --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
      --aptopt='Acquire::Retries "3"' "${aptopts[@]}" \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --include="${packages// /,}" bookworm - - |
    tar -x -C "$directory" --no-same-owner --exclude='./dev/*'
}
