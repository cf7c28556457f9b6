#!/usr/bin/env bash
# The whole test suite under a sanitizer, built in a folder of its own: Scripts/sanitize.sh address|thread [arguments of
# swift test, such as --filter]. Release mode: the kernels are too slow in debug mode, and nothing that the sanitizers
# look at is optimised away before they are added.
#
# CHECKED_BUFFERS gives every tensor memory of its own and of exactly its size, full of NaN, where the pool would hand
# out the memory of released ones (BufferPool.swift).
set -euo pipefail
cd "$(dirname "$0")/.."
kind="${1:-}"
shift || true
flags=(-Xswiftc -DCHECKED_BUFFERS)
case "$kind" in
  address)
    # Memory that is never given back, such as caches and the thread pool, is no error: it is there until the end.
    export ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=0:strict_string_checks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}" ;;
  thread)
    export TSAN_OPTIONS="halt_on_error=0:history_size=4:suppressions=$PWD/Scripts/thread-sanitizer/suppressions.txt${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
    mkdir -p .build-thread
    "$(dirname "$(readlink -f "$(command -v swift)")")/clang" -O1 -shared -fPIC Scripts/thread-sanitizer/mutex.c \
      -o .build-thread/mutex.so
    preload="$PWD/.build-thread/mutex.so" ;;
  *)
    echo "usage: Scripts/sanitize.sh address|thread [arguments of swift test]" >&2
    exit 64 ;;
esac
build=(-c release --sanitize="$kind" --scratch-path ".build-$kind" "${flags[@]}")
swift build "${build[@]}" --build-tests -Xswiftc -enable-testing
time LD_PRELOAD="${preload:-}" swift test --skip-build "${build[@]}" "$@"
