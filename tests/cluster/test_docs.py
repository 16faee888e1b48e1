"""The job script of docs/clusters.md runs as it stands there, but for its folders and its GPU."""

import re
import shutil
import subprocess

import pytest

from tests.pipeline.commands import CHAIN, REPOSITORY


@pytest.mark.timeout(900)
def test_the_job_script_runs_every_stage_on_every_video(sifs, slurm, local, tmp_path):
    text = (REPOSITORY / "docs" / "clusters.md").read_text()
    (script,) = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    data = tmp_path / "data"
    shutil.copytree(local.data, data)
    # Made elsewhere, for all that the stages know: nothing is done again.
    shutil.rmtree(data / ".done")
    places = f"data={data} cache={tmp_path}/cache sif={REPOSITORY}/sif device=cpu"
    script, replaced = re.subn(r"^data=.*device=gpu$", places, script, flags=re.MULTILINE)
    assert replaced == 1
    (tmp_path / "job.sh").write_text(script)
    subprocess.run(
        ["sbatch", "--wait", "--array=0-1", f"--output={tmp_path}/%a.log", "--time=20",
         "--cpus-per-task=1", tmp_path / "job.sh"],
        check=True,
    )  # fmt: skip
    for task, video in enumerate(("first", "second")):
        log = (tmp_path / f"{task}.log").read_text()
        took = re.findall(r"(stage\S+) \[1/1\] (\S+): skipped in", log)
        assert [stage for stage, _ in took] == CHAIN
        assert all(re.search(rf"\b{video}\b|_{video}_cam01", name) for _, name in took)
