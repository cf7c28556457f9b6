#!/usr/bin/env bash
# Builds the documentation of all libraries as one web site: Scripts/documentation.sh [OUTPUT_FOLDER]
# It takes any warning for an error. To read it: python3 -m http.server --directory OUTPUT_FOLDER, then
# http://localhost:8000/documentation/.
set -euo pipefail
output=$(realpath -m "${1:-$(dirname "$0")/../.build/documentation}")
cd "$(dirname "$0")/.."
targets=()
for library in $(sed -n 's/.*\.library(name: "\([A-Za-z]*\)".*/\1/p' Package.swift); do
  targets+=(--target "$library")
done
mkdir -p "$output"
# The tool comes from a package that nothing else needs; see Package.swift.
export DSEG_DOCUMENTATION=1
swift package --scratch-path .build/documentation-build --allow-writing-to-directory "$output" \
  generate-documentation "${targets[@]}" --enable-experimental-combined-documentation \
  --output-path "$output" --transform-for-static-hosting --warnings-as-errors
