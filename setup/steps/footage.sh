# The pedestrian clip that the demo, the tests and the benchmarks watch.

step_footage() {
  local clip=$fetched/footage/vtest.avi work package
  if has_sha256 "$clip" "$(locked_sha256 vtest.avi)"; then
    already_done "${clip#"$root"/}"
    return
  fi
  say "fetching Debian's opencv-doc, 96 MB, for the clip vtest.avi in it"
  work=$fetched/work/footage
  rm -rf "$work"
  mkdir -p "$work" "$(dirname "$clip")"
  # Unpacked, not installed: slim images of Debian leave /usr/share/doc out when installing.
  run_fetch "Debian's package servers" opencv-doc download_opencv_doc "$work"
  package=$(echo "$work"/opencv-doc_*.deb)
  [ -f "$package" ] || fail "apt-get download left no opencv-doc_*.deb in $work. Its words: $fetched/log/$step.log"
  dpkg-deb --fsys-tarfile "$package" |
    tar --extract --to-stdout ./usr/share/doc/opencv-doc/examples/data/vtest.avi >"$work/vtest.avi" 2>>"$fetched/log/$step.log" ||
    fail "$(basename "$package") does not hold usr/share/doc/opencv-doc/examples/data/vtest.avi: Gatepost expects Debian 12's opencv-doc 4.6"
  check_sha256 "$work/vtest.avi" vtest.avi "Debian's opencv-doc"
  mv "$work/vtest.avi" "$clip"
  rm -rf "$work"
  say "done (${clip#"$root"/})"
}

download_opencv_doc() {
  # A fresh machine may not have the package lists yet.
  if [ -z "$(apt-cache show opencv-doc 2>/dev/null || true)" ]; then as_root apt-get update || true; fi
  # In a shell of its own: the folder is removed afterwards, and later steps need one that exists.
  (cd "$1" && apt-get download opencv-doc)
}
