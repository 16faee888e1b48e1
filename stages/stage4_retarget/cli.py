"""The command stage4-retarget."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from stages.artifacts import layout
from stages.running import Selection, folder_option, people_options, run, shared_options
from stages.stage4_retarget.stage import RetargetStage, calibrated_folders
from stages.stage4_retarget.weights import CostWeights


def _weight_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One flag for each cost weight."""
    for field in reversed(fields(CostWeights)):
        flag = "--" + field.name.replace("_", "-")
        command = click.option(flag, field.name, default=field.default, show_default=True)(command)
    return command


@click.command()
@folder_option("--postprocessed-base-dir", layout.CALIBRATED, "Folder of stage 3's results.")
@folder_option("--contact-base-dir", layout.CONTACTS, "Folder of people's contacts.")
@_weight_options
@people_options
@shared_options
def main(
    selection: Selection,
    postprocessed_base_dir: Path,
    contact_base_dir: Path,
    multihuman: bool,
    top_k: int,
    skip_existing: bool,
    workers: int,
    vis: bool,
    **weights: float,
) -> None:
    """Turn people's motion into the robot's, on the terrain that it happened on.

    Writes retarget_poses_g1.h5 (with --multihuman also retarget_poses_g1_multiperson.h5) into
    each folder <postprocessed-base-dir>/<name>.
    """
    stage = RetargetStage(
        postprocessed_base_dir, contact_base_dir, multihuman, top_k, CostWeights(**weights)
    )
    folders = calibrated_folders(postprocessed_base_dir)
    raise SystemExit(run(stage, folders, selection, postprocessed_base_dir, skip_existing, workers))


if __name__ == "__main__":
    main()
