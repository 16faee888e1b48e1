#!/bin/sh
# Makes a .sif file of an image that the Docker engine has. Usage: sif.sh APPTAINER IMAGE FILE
# Scratch space: APPTAINER_TMPDIR (default /tmp), 2.5 times the image's size.
set -eu
apptainer=$1 image=$2 file=$3
fail() {
    echo "$1" >&2
    exit 2
}
command -v "$apptainer" > /dev/null || fail "neither apptainer nor singularity is installed here"
folder=$(dirname "$file") scratch=${APPTAINER_TMPDIR:-/tmp}
mkdir -p "$folder" "$scratch"
size_mb=$(($(docker image inspect --format '{{.Size}}' "$image") / 1000000))
free_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }
[ "$(free_mb "$scratch")" -gt $((size_mb * 5 / 2)) ] ||
    fail "$scratch has $(free_mb "$scratch") MB free, $((size_mb * 5 / 2)) are needed: set APPTAINER_TMPDIR to a folder with more"
[ "$(free_mb "$folder")" -gt "$size_mb" ] ||
    fail "$folder has $(free_mb "$folder") MB free, $size_mb are needed: set SIF to a folder with more"
trap 'rm -f "$file.part"' EXIT
"$apptainer" --quiet build --force --disable-cache --mksquashfs-args "-comp zstd -Xcompression-level 3" \
    "$file.part" "docker-daemon:$image"
mv "$file.part" "$file"
echo "$file $(du -m "$file" | cut -f 1) MB"
