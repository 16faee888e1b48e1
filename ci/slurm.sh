#!/bin/bash
# slurm.sh up | down [DIR]: Slurm on this one machine, without systemd, cgroups or a database; all its files are in DIR.
# It pretends eight processors and four GPUs, so that arrays of GPU jobs can be tried anywhere.
# up prints one line for the shell: eval "$(ci/slurm.sh up | tail -n 1)"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=ci/common.sh
. "$here/common.sh"

action=${1:-}
dir=$(realpath -m "${2:-/tmp/mimicmill-slurm}")
host=$(hostname -s)
gpus=4
export SLURM_CONF=$dir/slurm.conf

write_configuration() {
    local gpu memory
    memory=$(awk '/^MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
    # users of the machine may submit: they read the configuration and run their scripts from spool
    install -d -m 755 "$dir" "$dir/spool" "$dir/munge"
    install -d -m 700 "$dir/state"
    # Slurm numbers GPUs by their device nodes and takes no plain files; these are copies of /dev/null
    for ((gpu = 0; gpu < gpus; gpu++)); do
        rm -f "$dir/gpu$gpu"
        mknod -m 666 "$dir/gpu$gpu" c 1 3
    done
    echo "AutoDetect=off
Name=gpu Type=pretended File=$dir/gpu[0-$((gpus - 1))]" >"$dir/gres.conf"
    write_epilog
    # not used; but looking for the machine's kind of cgroups by itself, slurmd stops where it finds none or no systemd
    echo CgroupPlugin=cgroup/v1 >"$dir/cgroup.conf"
    : >"$dir/plugstack.conf"
    : >"$dir/jobs.txt"
    cat >"$SLURM_CONF" <<END
ClusterName=mimicmill
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
# not Slurm's usual ports: a cluster that this machine belongs to goes on undisturbed
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
CredType=cred/munge
# credentials that live for two minutes hold back a requeued job for as long
AuthInfo=socket=$dir/munge/socket,cred_expire=5

StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
PlugStackConfig=$dir/plugstack.conf
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobs.txt
MinJobAge=3600
MailProg=/bin/true

ProctrackType=proctrack/linuxproc
Epilog=$dir/epilog
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
# root that may not raise limits cannot give jobs the caller's
PropagateResourceLimits=NONE
KillWait=5

SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
GresTypes=gpu
# more processors than there are: believe this file
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=$memory Gres=gpu:pretended:$gpus
PartitionName=main Nodes=$host Default=YES MaxTime=01:00:00
END
}

# Without cgroups, Slurm loses sight of a job's process whose parent has ended, such as one that a script
# left in the background: it would outlive the job, and hold what the job's next run needs
write_epilog() {
    cat >"$dir/epilog" <<'END'
#!/bin/bash
mine() {
    grep -lz "^SLURM_JOB_ID=$SLURM_JOB_ID$" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}
orphans() {
    for pid in $(mine); do
        read -r _ _ state parent _ 2>/dev/null <"/proc/$pid/stat" && [ "$state" != Z ] && [ "$parent" = 1 ] && echo "$pid"
    done
}
for _ in 1 2 3 4 5; do
    found=$(orphans)
    [ -n "$found" ] || break
    xargs kill -9 <<<"$found"
done
exit 0
END
    chmod 755 "$dir/epilog"
}

# a munged of its own key and socket: the machine's, if any, stays as it is
start_munge() {
    [ -s "$dir/munge/key" ] || (umask 077 && head -c 1024 /dev/urandom >"$dir/munge/key")
    munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/munged.pid" \
        --log-file="$dir/munge/munged.log" --seed-file="$dir/munge/seed"
}

idle() {
    [ "$(sinfo --noheader --format %T 2>/dev/null)" = idle ]
}

up() {
    local program
    for program in munged slurmctld slurmd; do
        command -v $program >/dev/null || fail "no $program: run ci/install-engines.sh first"
    done
    [ ! -e "$dir" ] || [ -O "$dir" ] || fail "$dir belongs to somebody else: name another folder"
    if ! { runs "$dir/slurmctld.pid" slurmctld && runs "$dir/slurmd.pid" slurmd; }; then
        stop_daemons
        write_configuration
        # -c: jobs of an earlier time are forgotten
        { start_munge && slurmctld -c && slurmd -c && wait_for 20 idle; } >/dev/null || {
            stop_daemons
            fail "Slurm did not start: read slurmctld.log, slurmd.log and munge/munged.log in $dir"
        }
    fi
    sinfo --Node --format '%N %T, %c processors, %m MB, %G' --noheader >&2
    echo "export SLURM_CONF=$SLURM_CONF"
}

no_jobs() {
    [ -z "$(squeue --noheader --states RUNNING,COMPLETING 2>/dev/null)" ]
}

stop_daemons() {
    stop "$dir/slurmd.pid" slurmd
    stop "$dir/slurmctld.pid" slurmctld
    stop "$dir/munge/munged.pid" munged
}

down() {
    if runs "$dir/slurmctld.pid" slurmctld; then
        # slurmd leaves jobs alive when it ends, so they go first
        scancel --quiet --partition=main || true
        wait_for 30 no_jobs || fail "jobs do not end: look at them with SLURM_CONF=$SLURM_CONF squeue"
    fi
    stop_daemons
    echo "slurm: stopped, logs and jobs.txt are in $dir"
}

need_root
case $action in
up) up ;;
down) down ;;
*) fail "usage: slurm.sh up|down [DIR]" ;;
esac
