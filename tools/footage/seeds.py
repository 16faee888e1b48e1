"""`python -m tools.footage.seeds 1,2,3`: renders scenes of these seeds, a renderer a core."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from stages.artifacts.layout import DataFolder
from stages.artifacts.truth import TRUTH_FILE
from tools.footage.camera_paths import CAMERAS
from tools.footage.scenes import KINDS


@click.command()
@click.argument("seeds")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("data/evaluation"), show_default=True
)
@click.option("--scene", type=click.Choice(KINDS), help="Default: by seed.")
@click.option("--camera", type=click.Choice(CAMERAS), default="walks", show_default=True)
def main(seeds: str, out: Path, scene: str | None, camera: str) -> None:
    """Render scenes of SEEDS (1,2,3) into OUT as seed_1, ..., those that are not there yet.

    Another scene than a seed's own, or a camera that does not walk, is in the name too:
    seed_1_flat_stands.
    """
    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise click.BadParameter(f"{seeds!r} is not a list like 1,2,3") from None
    with ThreadPoolExecutor(os.cpu_count()) as renderers:
        list(renderers.map(lambda seed: _render(seed, out, scene, camera), numbers))


def _render(seed: int, out: Path, scene: str | None, camera: str) -> None:
    name = "_".join([f"seed_{seed}", *filter(None, [scene]), *[camera] * (camera != "walks")])
    if (DataFolder(out).truth(name) / TRUTH_FILE).exists():
        return
    command = [sys.executable, "-m", "tools.footage", f"--seed={seed}", f"--name={name}"]
    command += [f"--camera={camera}", *([f"--scene={scene}"] if scene else [])]
    # A renderer a core: threads of several get in each other's way.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, f"--out={out}"], env=environment, check=True)


if __name__ == "__main__":
    main()
