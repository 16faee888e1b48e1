#!/bin/bash
# Builds every image on a bare Debian root and tests them with real engines: Docker, Apptainer, Slurm.
set -euo pipefail
cd "$(dirname "$0")/.."
ci/install-engines.sh
trap "ci/slurm.sh down; ci/docker.sh down" EXIT
ci/docker.sh up
ci/base-image.sh
export MIMICMILL_BASE_IMAGE=mimicmill/debian:bookworm MIMICMILL_WHEELS_IMAGE=mimicmill/wheels:local
make images DEVICE=cpu
make sif DEVICE=cpu
eval "$(ci/slurm.sh up | tail -n 1)"
MIMICMILL_ENGINES=required make test ARGS="tests/containers tests/cluster tests/driver"
