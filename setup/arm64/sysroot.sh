#!/usr/bin/env bash
# Makes .fetched/arm64-sysroot: Debian's arm64 headers, libraries and GStreamer plugins, to
# cross-build and to emulate against. The host itself stays amd64 only: with arm64 as a foreign
# architecture, some of the -dev packages for arm64 would remove those for amd64.
# Does nothing until packages.txt or the way it is made changes.
set -euo pipefail
trap 'exit 1' TERM

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
fetched=$root/.fetched
sysroot=$fetched/arm64-sysroot
step=arm64-sysroot
source "$root/setup/progress.sh"
source "$root/setup/steps/debian.sh"
source "$here/debian.sh"

mkdir -p "$fetched/log"
exec 9>"$fetched/$step.lock"
flock --nonblock 9 || { say "another run makes it; waiting"; flock 9; }

key=$(cat "$here/packages.txt" "$here/sysroot.sh" "$here/debian.sh" | sha256sum | cut -d' ' -f1)
if stamp_holds "$step" "$key" && [ -d "$sysroot" ]; then
  already_done "${sysroot#"$root"/}"
  exit 0
fi

mapfile -t packages < <(sed -E 's/#.*//; s/[[:space:]]+//g; /^$/d' "$here/packages.txt")
say "fetching ${#packages[@]} arm64 packages and what they need from Debian (2 minutes or more, 830 MB on disk)"
started=$SECONDS
debian_tree "$sysroot" "the arm64 packages of setup/arm64/packages.txt" arm64 "${packages[@]}"

# Outside a chroot an absolute link points at the host's own file.
fixed=0
while IFS= read -r -d '' link; do
  ln -sfnr "$sysroot$(readlink "$link")" "$link"
  fixed=$((fixed + 1))
done < <(find "$sysroot" -type l -lname '/*' -print0)

for file in include/aarch64-linux-gnu/bits/types.h lib/aarch64-linux-gnu/libc.so.6 \
  lib/aarch64-linux-gnu/libgstreamer-1.0.so lib/aarch64-linux-gnu/libgstapp-1.0.so \
  lib/aarch64-linux-gnu/libopencv_video.so lib/aarch64-linux-gnu/libtss2-esys.so; do
  [ -e "$sysroot/usr/$file" ] ||
    fail "the packages are unpacked, but usr/$file is not among them; what mmdebstrap said: $fetched/log/$step.log"
done

write_stamp "$step" "$key"
say "done in $((SECONDS - started)) s (${sysroot#"$root"/}, $(du -sh "$sysroot" | cut -f1), $fixed absolute links made relative)"
