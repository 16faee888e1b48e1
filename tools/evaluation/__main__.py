"""`make evaluate`: one table for a data folder, or for scenes rendered from seeds first."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.console import Console

from stages.artifacts.atomic import write_text
from stages.running.options import DEMO_BODY, data_folder
from tools.evaluation.bars import BARS, passes, table
from tools.evaluation.measure import measure
from tools.footage.truth import read_truth


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    help="The data folder, with ground truth below truth/.",
)
@click.option("--seeds", default="", help="Render and process scenes of these seeds: 1,2,3.")
@click.option("--pattern", default="", help="Only videos whose name contains this.")
@click.option("--world", default="sfm", show_default=True, help="The world method.")
def main(data_dir: Path, seeds: str, pattern: str, world: str) -> None:
    """Compare results with ground truth; print a table and write evaluation.json.

    With --seeds, every scene is rendered to <data-dir>/../evaluation/videos, `make dataset` runs
    there, and that folder is evaluated. Exit code 1 if a bar is missed.
    """
    if seeds:
        data_dir = data_dir.parent / "evaluation"
        _render_and_process(data_dir, [int(seed) for seed in seeds.split(",")])
    videos = sorted(
        path.name for path in (data_dir / "truth").glob("*") if pattern.lower() in path.name.lower()
    )
    if not videos:
        raise click.UsageError(f"{data_dir / 'truth'} has no ground truth matching '{pattern}'")
    results = {video: measure(data_dir, video, world, DEMO_BODY) for video in videos}
    people = {video: len(read_truth(data_dir / "truth" / video).betas) for video in videos}
    Console(width=max(100, 60 + 24 * len(videos)), soft_wrap=True).print(table(results, people))
    write_text(data_dir / "evaluation.json", json.dumps(results, indent=1))
    missed = [
        f"{video}: {bar.text}"
        for video, values in results.items()
        for bar in BARS
        if not passes(bar, values.get(bar.name, float("nan")), people[video])
    ]
    for line in missed:
        print(f"missed: {line}")
    raise SystemExit(1 if missed else 0)


def _render_and_process(data_dir: Path, seeds: list[int]) -> None:
    """Renders the scenes that are not there yet and runs the whole chain on them."""
    # A renderer a core: threads of several get in each other's way.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def rendered(seed: int) -> None:
        name = f"seed_{seed}"
        if not (data_dir / "truth" / name / "truth.npz").exists():
            command = [sys.executable, "-m", "tools.footage", "--seed", str(seed)]
            subprocess.run(
                [*command, "--name", name, "--out", str(data_dir)], env=environment, check=True
            )

    with ThreadPoolExecutor(os.cpu_count()) as renderers:
        list(renderers.map(rendered, seeds))
    subprocess.run(["make", "--no-print-directory", "dataset", f"DATA={data_dir}"], check=False)


if __name__ == "__main__":
    main()
