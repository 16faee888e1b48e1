#!/bin/sh
# Says in one line what is missing to run stages in containers: engine, compose or images.
# Usage: ready.sh [DEVICE STAGE...]
set -eu
fail() {
    echo "$1" >&2
    exit 2
}
command -v docker > /dev/null || fail "docker is not installed here; RUNNER=local needs none"
docker info > /dev/null 2>&1 ||
    fail "no Docker engine answers: start it, or join its group; RUNNER=local needs none"
docker compose version > /dev/null 2>&1 ||
    fail "docker has no compose v2: install its plugin (docker-compose-plugin); RUNNER=local needs none"
[ $# -gt 0 ] || exit 0
device=$1
shift
for stage in "$@"; do
    docker image inspect "mimicmill/$stage:$device" > /dev/null 2>&1 ||
        fail "the image mimicmill/$stage:$device is missing: make images DEVICE=$device"
done
