#!/usr/bin/env bash
# Builds the examples and runs them on a tiny checkpoint and the package's own test pictures.
set -euo pipefail
cd "$(dirname "$0")"
swift build -c release
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.build/release/random-checkpoint tiny "$folder/tiny.safetensors"
cp -r pictures "$folder/pictures"
.build/release/segment "$folder/tiny.safetensors" "$folder/pictures" pictures/c.png
status=0
.build/release/segment "$folder/tiny.safetensors" "$folder/pictures" pictures/c.png 0 || status=$?
[ "$status" = 2 ] || { echo "a cancelled training ended with $status" >&2; exit 1; }
