#!/usr/bin/env bash
# All tests, in release mode: the kernels are too slow in debug mode.
set -euo pipefail
cd "$(dirname "$0")/.."
swift test -c release "$@"
