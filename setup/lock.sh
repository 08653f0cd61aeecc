# Reads setup/fetched.lock and holds files against it. Expects $setup_dir, $root and fail().

lock_file=$setup_dir/fetched.lock

locked() {
  local kind=$1 name=$2 value
  value=$(awk -v kind="$kind" -v name="$name" '$1 == kind && $2 == name { print $3 }' "$lock_file")
  [ -n "$value" ] || fail "setup/fetched.lock has no line '$kind $name': take the file from git again"
  echo "$value"
}

locked_version() { locked version "$1"; }
locked_sha256() { locked sha256 "$1"; }

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

has_sha256() { [ -f "$1" ] && [ "$(sha256_of "$1")" = "$2" ]; }

# check_sha256 FILE NAME ORIGIN: FILE must be what the lock says NAME is. A wrong file is removed,
# so that nothing can use it later.
check_sha256() {
  local file=$1 name=$2 origin=$3 want have
  want=$(locked_sha256 "$name")
  have=$(sha256_of "$file")
  [ "$have" = "$want" ] && return
  rm -f "$file"
  fail "wrong hash: $name from $origin has sha256 $have, setup/fetched.lock wants $want; the file was removed. Run the same command again; if it stays so, the registry's file changed: do not use it before someone has looked why"
}
