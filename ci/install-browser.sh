#!/bin/bash
# Installs Debian's Chromium, which tests/browser drive, where it is missing.
set -euo pipefail
command -v chromium >/dev/null && exit
as_root=$([ "$(id -u)" = 0 ] || echo sudo)
$as_root apt-get update -q
$as_root apt-get install -q -y --no-install-recommends chromium
