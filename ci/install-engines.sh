#!/bin/bash
# Installs what is missing of Docker (engine, client, compose, buildx), Apptainer, Slurm and mmdebstrap on Debian 12.
# Debian 12's own Docker is too old for named build contexts and it has no Apptainer: both come from
# newer suites, unpacked beside the system, whose libc and package database they leave alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=ci/common.sh
. "$here/common.sh"

work=/var/cache/mimicmill-engines
apptainer_libc=/opt/apptainer-libc
policy=/usr/sbin/policy-rc.d
# a machine whose clock is ahead of its mirror would refuse the mirror's lists as outdated
apt=(apt-get -qq -o Acquire::Check-Valid-Until=false)
export DEBIAN_FRONTEND=noninteractive

have() {
    command -v "$1" >/dev/null
}

refresh_lists() {
    "${apt[@]}" update || fail "apt-get update failed: check the network and the files under /etc/apt/sources.list.d"
}

add_packages() {
    local package missing=()
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    refresh_lists
    # daemons are started by the scripts that use them, never by their installation
    if [ ! -e $policy ]; then
        trap 'rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
    fi
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install: ${missing[*]}"
}

# unpack SUITE PACKAGE...: signed packages of another suite, unpacked into $work/SUITE/root
unpack() {
    local suite=$1 dir=$work/$1 uri deb options
    shift
    [ -n "$(debian_repositories)" ] || refresh_lists
    read -r _ uri _ < <(debian_repositories 'Label: Debian') || fail "apt knows no Debian mirror: add one to /etc/apt/sources.list"
    rm -rf "$dir/debs" "$dir/root"
    mkdir -p "$dir"/{lists/partial,cache/archives/partial,parts,debs,root}
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$dir/sources.list"
    # lists of its own: the system must not start to upgrade itself from this suite;
    # root fetches, for apt's own user may not write here
    options=(-o APT::Sandbox::User=root -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts="$dir/parts"
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache")
    { "${apt[@]}" "${options[@]}" update && (cd "$dir/debs" && "${apt[@]}" "${options[@]}" download "$@"); } ||
        fail "cannot fetch $* of Debian $suite: does the mirror of /etc/apt carry that suite?"
    for deb in "$dir"/debs/*.deb; do
        dpkg-deb -x "$deb" "$dir/root"
    done
    rm -rf "$dir/debs"
}

install_docker() {
    local wanted=() root=$work/trixie/root
    have docker || wanted+=(docker-cli)
    have dockerd || wanted+=(docker.io)
    { have docker && docker compose version && docker buildx version; } >/dev/null 2>&1 || wanted+=(docker-compose docker-buildx)
    [ ${#wanted[@]} -gt 0 ] || return 0
    have dockerd || add_packages containerd iptables libsystemd0 runc tini
    unpack trixie "${wanted[@]}"
    have docker || install -D -t /usr/local/bin "$root/usr/bin/docker"
    if ! have dockerd; then
        ln -sf /usr/bin/tini-static /usr/local/bin/docker-init
        install -D -t /usr/local/sbin "$root"/usr/sbin/{docker-proxy,dockerd}
    fi
    if [ -d "$root/usr/libexec/docker/cli-plugins" ]; then
        install -D -t /usr/local/lib/docker/cli-plugins "$root"/usr/libexec/docker/cli-plugins/*
    fi
    groupadd -f --system docker
    rm -rf "$root"
}

install_apptainer() {
    local root=$work/sid/root libs=$apptainer_libc/usr/lib/x86_64-linux-gnu
    have apptainer && return
    add_packages squashfs-tools squashfuse fuse3 fuse-overlayfs uidmap patchelf libseccomp2 libsqlite3-0 tzdata
    unpack sid libc6
    rm -rf $apptainer_libc
    mv "$root" $apptainer_libc
    unpack sid apptainer
    # its two programs want a newer libc than the system's: they get one of their own
    patchelf --set-interpreter $libs/ld-linux-x86-64.so.2 --force-rpath --set-rpath $libs \
        "$root/usr/bin/apptainer" "$root/usr/lib/x86_64-linux-gnu/apptainer/bin/starter"
    limit_capabilities "$root/etc/apptainer"
    cp -a "$root/." /
    rm -rf "$root"
}

# Apptainer gives root all capabilities there are and stops where one is not to be had, as in some virtual machines
limit_capabilities() {
    local sys_resource=24 set
    set=$(awk '/^CapBnd/ { print $2 }' /proc/self/status)
    if ((0x$set >> sys_resource & 1)); then return; fi
    sed -i 's/^root default capabilities = .*/root default capabilities = file/' "$1/apptainer.conf"
    cat >"$1/capability.json" <<'END'
{"users": {"root": [
  "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"]}}
END
}

need_root
grep -q '^VERSION_CODENAME=bookworm' /etc/os-release && [ "$(dpkg --print-architecture)" = amd64 ] ||
    fail "made for Debian 12 on amd64: elsewhere install Docker, Apptainer and Slurm by your system's own means"

add_packages ca-certificates mmdebstrap munge procps slurm-wlm
install_docker
install_apptainer
# udev's usual mode, where no udev set it: users cannot mount an image otherwise
if [ -e /dev/fuse ]; then chmod 666 /dev/fuse; fi

docker --version
dockerd --version
docker compose version
docker buildx version
apptainer --version
slurmctld -V
