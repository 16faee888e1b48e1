#!/bin/bash
# Builds every image on a bare Debian root and tests them with a real engine.
set -euo pipefail
cd "$(dirname "$0")/.."
ci/install-engines.sh
trap "ci/docker.sh down" EXIT
ci/docker.sh up
ci/base-image.sh
export MIMICMILL_BASE_IMAGE=mimicmill/debian:bookworm MIMICMILL_WHEELS_IMAGE=mimicmill/wheels:local
make images DEVICE=cpu
make test ARGS=tests/containers
