#!/bin/bash
# Makes, where they are missing or outdated, the images that builds start from without any registry:
#   mimicmill/debian:bookworm  Debian 12 with Python
#   mimicmill/wheels:local     the wheels of pip's find-links folder, to be mounted into builds; empty without such a folder
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=ci/common.sh
. "$here/common.sh"

cache=${CI_CACHE:-$HOME/.cache/mimicmill-ci}
suite=bookworm
packages=ca-certificates,python3,python3-pip,python3-venv
label=mimicmill.made-from

# is_made_from IMAGE KEY
is_made_from() {
    [ "$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null)" = "$2" ]
}

make_root() {
    local repositories
    command -v mmdebstrap >/dev/null || fail "no mmdebstrap: run ci/install-engines.sh first"
    # with the security updates, where this machine gets them itself
    repositories=$(debian_repositories "Architecture: $(dpkg --print-architecture)" | grep " $suite" | sort -u) ||
        fail "apt knows no mirror of Debian $suite: run apt-get update on a Debian 12"
    mkdir -p "$cache"
    mmdebstrap --quiet --format=tar --variant=apt --include=$packages --aptopt='Acquire::Check-Valid-Until "false"' \
        $suite "$1.part" - <<<"$repositories" || fail "mmdebstrap failed: run apt-get update and try again"
    mv "$1.part" "$1"
}

debian_image() {
    local key root
    key=$(printf '%s' $suite,$packages | cksum | cut -d ' ' -f 1)
    root=$cache/debian-$key.tar
    is_made_from mimicmill/debian:$suite "$key" && return
    [ -s "$root" ] || make_root "$root"
    # a bare import has no PATH
    docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'CMD ["bash"]' \
        --change "LABEL $label=$key" "$root" mimicmill/debian:$suite >/dev/null || fail "docker import of $root failed: delete it and try again"
}

wheels_image() {
    local folder key
    folder=${PIP_FIND_LINKS:-$(python3 -m pip config get global.find-links 2>/dev/null || true)}
    if [ ! -d "$folder" ]; then
        folder=$(mktemp -d)
        trap 'rmdir "$folder"' EXIT
    fi
    key=$(cd "$folder" && find . -type f -printf '%P %s %T@\n' | sort | cksum | cut -d ' ' -f 1)
    is_made_from mimicmill/wheels:local "$key" && return
    tar -C "$folder" -c . | docker import --change "LABEL $label=$key" - mimicmill/wheels:local >/dev/null ||
        fail "docker import of $folder failed: is there space left on the disk?"
}

docker version >/dev/null 2>&1 || fail "no Docker daemon answers: run ci/docker.sh up first, and be root or in the group docker"
debian_image
wheels_image
docker image ls --filter "label=$label" --format '{{.Repository}}:{{.Tag}} {{.Size}}'
