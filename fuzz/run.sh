#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS. See fuzz/README.md.
#
#   fuzz/run.sh [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.fetched/cargo/bin:$PATH
# What instruments a program is unstable in the compiler; this lets the stable one do it.
export RUSTC_BOOTSTRAP=1
export LSAN_OPTIONS=suppressions=$PWD/fuzz/leaks.supp

seconds=${FUZZ_SECONDS:-600}
targets=("$@")
if [ $# = 0 ]; then
  for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

say() { echo "fuzz: $*"; }

# figure FILE NAME: what libFuzzer counted.
figure() { sed -n "s/^stat::$2: *//p" "$1" | tail -n 1; }

mkdir -p var/fuzz
say "building (about 15 minutes on two cores the first time)"
cargo fuzz build >var/fuzz/build.log 2>&1 || { tail -n 30 var/fuzz/build.log >&2; say "the targets cannot be built: all of it is in var/fuzz/build.log" >&2; exit 1; }

found=() executions=0
for target in "${targets[@]}"; do
  log=var/fuzz/$target.log seeds=("fuzz/corpus/$target")
  [ ! -d "fuzz/regressions/$target" ] || seeds+=("fuzz/regressions/$target")
  # What the fuzzer finds worth keeping goes to the first folder, the others are only read.
  mkdir -p "var/fuzz/$target"
  # Only from all frames can it be seen whose memory was lost: libraries have no frame pointers. That is slow, and needed where GStreamer runs.
  unwinding=fast_unwind_on_malloc=1
  [ "$target" != camera_message ] || unwinding=fast_unwind_on_malloc=0
  verdict="no finding"
  if ! ASAN_OPTIONS=$unwinding cargo fuzz run "$target" "var/fuzz/$target" "${seeds[@]}" -- -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1; then
    verdict="FOUND something: $log" found+=("$target")
  fi
  executed=$(figure "$log" number_of_executed_units)
  executions=$((executions + ${executed:-0}))
  say "$target: ${executed:-0} executions, $verdict"
done

if [ ${#found[@]} -gt 0 ]; then
  say "FAILED: findings in ${found[*]}; what was found is in fuzz/artifacts, fuzz/README.md says what to do with it" >&2
  exit 1
fi
say "${#targets[@]} targets, $seconds s each, $executions executions, no finding"
