#!/usr/bin/env bash
# Reads changed files of every kind, each in a process of its own: Scripts/fuzz.sh [inputs a kind] [kind...], 10000 of
# every kind unless told otherwise (kinds: Tests/FuzzTests/FuzzTarget.swift). SEED chooses other ones.
#
# A crash, three seconds of processor time, a minute of waiting or more than 512 MB is a failure: the input is kept in
# .build/fuzz/failures/<kind>-<seed>-<number>, and the run goes on behind it. Ends with 1 after a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
count="${1:-10000}"
shift || true
kinds=("$@")
if [ ${#kinds[@]} -eq 0 ]; then
  mapfile -t kinds < <(grep -oE '\("[a-z-]+", ' Tests/FuzzTests/FuzzTarget.swift | tr -d '(", ')
fi
seed="${SEED:-0}"
folder="$PWD/.build/fuzz"
mkdir -p "$folder/failures"
test=(swift test -c release --disable-xctest ${FUZZ_ARGUMENTS:-})
"${test[@]}" --filter FuzzTests/seedsAreRead >"$folder/build.log" 2>&1 || { cat "$folder/build.log" && exit 1; }

failures=0
for kind in "${kinds[@]}"; do
  first=0
  found=0
  while [ "$first" -lt "$count" ]; do
    rm -f "$folder"/input.* "$folder/number"
    if DSEG_FUZZ_FORMAT="$kind" DSEG_FUZZ_FOLDER="$folder" DSEG_FUZZ_SEED="$seed" DSEG_FUZZ_FIRST="$first" \
      DSEG_FUZZ_COUNT="$count" SWIFT_BACKTRACE=enable=no \
      "${test[@]}" --skip-build --filter FuzzTests/changedFilesAreReadOrRefused >"$folder/run.log" 2>&1; then
      grep "^$kind: " "$folder/run.log" || true
      break
    fi
    # Nothing was read: the fault is not in an input.
    [ -e "$folder/number" ] || { cat "$folder/run.log" && exit 1; }
    number="$(cat "$folder/number")"
    for input in "$folder"/input.*; do cp "$input" "$folder/failures/$kind-$seed-$number.${input##*.}"; done
    echo "$kind: input $number of seed $seed: $(grep -m 1 -oE 'Fatal error.*|unexpected signal code [0-9]+.*|[0-9]+ MB|Issue recorded.*|ERROR: .*' "$folder/run.log" || tail -1 "$folder/run.log")"
    found=$((found + 1))
    first=$((number + 1))
    # The rest would be more of the same.
    [ "$found" -lt 20 ] || { echo "$kind: stopped after $found failures" && break; }
  done
  failures=$((failures + found))
done
echo "$failures failures"
[ "$failures" -eq 0 ] || { echo "their inputs are in $folder/failures" && exit 1; }
