#!/bin/bash
# docker.sh up | down: a Docker daemon without systemd. One that is there already is used, and never stopped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=ci/common.sh
. "$here/common.sh"

pid_file=/run/mimicmill-dockerd.pid
log=/var/log/mimicmill-dockerd.log

answers() {
    docker version >/dev/null 2>&1
}

answers_or_died() {
    answers || ! kill -0 "$started" 2>/dev/null
}

up() {
    if answers; then
        echo "docker: a daemon is there already"
        return
    fi
    need_root
    command -v dockerd >/dev/null || fail "no dockerd: run ci/install-engines.sh first"
    setsid dockerd --pidfile $pid_file >$log 2>&1 </dev/null &
    started=$!
    wait_for 60 answers_or_died || true
    answers || {
        tail -n 3 $log >&2
        stop $pid_file dockerd
        fail "dockerd did not start: read $log"
    }
    echo "docker: started, process $started, log $log"
}

down() {
    if ! runs $pid_file dockerd; then
        echo "docker: no daemon of ours to stop"
        return
    fi
    need_root
    stop $pid_file dockerd
    echo "docker: stopped"
}

case ${1:-} in
up) up ;;
down) down ;;
*) fail "usage: docker.sh up|down" ;;
esac
