#!/bin/sh
# Says in one line what is missing to run stages with Apptainer: itself, folders or .sif files.
# Usage: ready-sif.sh APPTAINER DATA CACHE FILE...
set -eu
fail() {
    echo "$1" >&2
    exit 2
}
command -v "$1" > /dev/null ||
    fail "neither apptainer nor singularity is installed here; RUNNER=local needs none"
[ -d "$2" ] || fail "the data folder $2 is not there: set DATA to the folder that holds videos/"
mkdir -p "$3" || fail "the cache folder $3 cannot be made: set CACHE to a folder that you can write to"
shift 3
for file in "$@"; do
    [ -f "$file" ] || fail "$file is missing: make sif, or set SIF to the folder of the .sif files"
done
