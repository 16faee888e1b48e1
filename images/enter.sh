#!/bin/sh
# Runs the image's stage, after making sure that its caches have a place.
# Apptainer keeps the caller's home, whatever the image says.
export HOME=/cache/home
if ! mkdir -p "$HOME" "$TMPDIR" 2>/dev/null || ! [ -w "$TMPDIR" ]; then
    echo "$STAGE: user $(id -u) cannot write to /cache: mount a folder of theirs there, such as --volume \$HOME/.cache/mimicmill:/cache" >&2
    exit 2
fi
if ! [ -w "$MIMICMILL_DATA" ]; then
    echo "$STAGE: user $(id -u) cannot write to $MIMICMILL_DATA, which belongs to user $(stat -c %u "$MIMICMILL_DATA"): run as that user (--user) or change its owner" >&2
    exit 2
fi
exec "$STAGE" "$@"
