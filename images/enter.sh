#!/bin/sh
# Runs the image's stage, after making sure that its caches have a place.
# Apptainer keeps the caller's home, whatever the image says.
export HOME=/cache/home
# A full disk lets empty files be made, so something is written.
try_to_write() {
    mkdir -p "$HOME" "$TMPDIR" && probe=$(mktemp) || return
    cp "$0" "$probe"
    written=$?
    rm "$probe"
    return $written
}
if ! said=$(try_to_write 2>&1); then
    case $said in
    *"No space"* | *quota*) echo "$STAGE: /cache is full: free space there, or mount another folder" ;;
    *) echo "$STAGE: user $(id -u) cannot write to /cache: mount a folder of theirs there, such as --volume \$HOME/.cache/mimicmill:/cache" ;;
    esac >&2
    exit 2
fi
if ! [ -w "$MIMICMILL_DATA" ]; then
    echo "$STAGE: user $(id -u) cannot write to $MIMICMILL_DATA, which belongs to user $(stat -c %u "$MIMICMILL_DATA"): run as that user (--user) or change its owner" >&2
    exit 2
fi
exec "$STAGE" "$@"
