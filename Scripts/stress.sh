#!/usr/bin/env bash
# Whether results depend on what else runs: Scripts/stress.sh [rounds], 20 unless told otherwise, which takes minutes.
#
# Six callers in one process train, predict, sample and run experiments again and again while the number of threads
# changes under them and busy loops take the processors away; all results must have the bits of the first ones. Then the
# same, once, in a build whose buffers begin full of NaN (CHECKED_BUFFERS, see BufferPool.swift), which must give the
# bits of the usual build.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds="${1:-20}"
log="$(mktemp -d)"
loads=()
trap 'kill "${loads[@]}" 2>/dev/null || true; rm -rf "$log"' EXIT

run() { # name, rounds, arguments of swift test
  local name="$1" rounds="$2"
  shift 2
  DSEG_STRESS="$rounds" swift test -c release --disable-xctest --filter StressTests "$@" 2>&1 | tee "$log/$name" |
    grep --line-buffered -E "^bits of|results compared|✘|error:|passed after|failed after" || true
  grep -q "passed after" "$log/$name" || { echo "failed; all of it:" && cat "$log/$name" && exit 1; }
  grep "^bits of" "$log/$name" | sort >"$log/$name.bits"
}

swift build -c release >/dev/null
for _ in $(seq "$(getconf _NPROCESSORS_ONLN)"); do
  while :; do :; done &
  loads+=($!)
done
run usual "$rounds"
kill "${loads[@]}"
loads=()
run checked 1 -Xswiftc -DCHECKED_BUFFERS --scratch-path .build-checked
diff "$log/usual.bits" "$log/checked.bits" && echo "the same bits with buffers full of NaN"
