#!/bin/bash
# One task of a stage's job array: the stage on one shard of videos.
# Usage: sbatch --array=... task.sh STAGE FOLDER COMMAND..., where FOLDER is in slurm/ of the data folder
stage=$1 folder=$2
shift 2
code_file=$folder/$stage-$SLURM_ARRAY_TASK_ID.code
rm -f "$code_file"
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || echo "requeued: finished videos are skipped"
# Containers get nothing of the caller's environment but this: the GPU that Slurm chose.
if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then
    export APPTAINERENV_CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES
    export SINGULARITYENV_CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES
fi
set -- "$@" --names "/data/slurm/${folder##*/}/shard-$SLURM_ARRAY_TASK_ID.txt"
echo "$(hostname): $(printf '%q ' "$@")"
"$@"
code=$?
echo $code > "$code_file"
# Videos that failed (1) do not stop the others: the next stage of this shard waits for a 0.
[ $code -gt 1 ] && exit $code
exit 0
