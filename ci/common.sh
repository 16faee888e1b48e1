# shellcheck shell=bash
# What the scripts beside this file share; they source it.

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || fail "needs root: run it with sudo"
}

# Where packages come from is the machine's own business (many sites mirror Debian), so ask apt.
# Third parties' repositories are left out by their origin.
debian_repositories() {
    # shellcheck disable=SC2016
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) main' \
        'Created-By: Packages' 'Component: main' 'Origin: Debian' "$@"
}

# runs PID_FILE NAME: the process of that pid file lives, and its number has not passed to another program
runs() {
    local pid program state
    pid=$(cat "$1" 2>/dev/null) && read -r _ program state _ 2>/dev/null <"/proc/$pid/stat" &&
        [ "$program" = "($2)" ] && [ "$state" != Z ]
}

# wait_for SECONDS COMMAND...: tries until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

gone() {
    ! runs "$@"
}

# stop PID_FILE NAME: ends that daemon and no other
stop() {
    if runs "$1" "$2"; then
        kill -TERM "$(cat "$1")"
        wait_for 30 gone "$1" "$2" || fail "$2 (process $(cat "$1")) does not stop: look at its log, then kill -9 it"
    fi
    rm -f "$1"
}
