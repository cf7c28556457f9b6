#!/usr/bin/env bash
# Installs the C libraries that the package links to, on Debian and Ubuntu, and other packages that are named:
# Scripts/setup.sh chromium
set -euo pipefail
packages="libopenblas-dev libpng-dev libjpeg-dev libtiff-dev zlib1g-dev pkg-config $*"
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
echo "installed: $packages"
