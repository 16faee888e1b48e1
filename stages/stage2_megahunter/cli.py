"""The command stage2-megahunter."""

from pathlib import Path

import click

from stages.artifacts import layout
from stages.running import (
    Selection,
    body_option,
    folder_option,
    people_options,
    run,
    shared_options,
)
from stages.stage2_megahunter.stage import MegahunterStage


@click.command()
@folder_option(
    "--world-reconstruction-base-dir",
    layout.world_folder("sfm"),
    "Folder of reconstructions (stage 1).",
)
@folder_option("--bbox-base-dir", layout.MASKS, "Folder of people's masks and boxes.")
@folder_option("--pose2d-base-dir", layout.KEYPOINTS, "Folder of people's keypoints.")
@folder_option("--smpl-base-dir", layout.BODIES, "Folder of people's bodies.")
@folder_option("--contact-base-dir", layout.CONTACTS, "Folder of people's contacts.")
@folder_option(
    "--videos-dir",
    "videos",
    'Folder of the videos. NAME.json beside NAME.mp4 may say who is how tall: {"height_m": 1.8}.',
)
@folder_option("--out-base-dir", layout.PEOPLE_AND_WORLD, "Folder for the results.")
@click.option(
    "--use-g1-shape/--no-use-g1-shape",
    default=False,
    show_default=True,
    help="Give everybody the limb lengths of the G1: the world shrinks to the robot's size.",
)
@click.option(
    "--height",
    type=click.FloatRange(1.0, 2.4),
    default=None,
    help="Height in metres of everybody. Default: what is known of the video, else the estimate.",
)
@body_option
@people_options
@shared_options
def main(
    selection: Selection,
    world_reconstruction_base_dir: Path,
    bbox_base_dir: Path,
    pose2d_base_dir: Path,
    smpl_base_dir: Path,
    contact_base_dir: Path,
    videos_dir: Path,
    out_base_dir: Path,
    use_g1_shape: bool,
    height: float | None,
    body_model: Path,
    multihuman: bool,
    top_k: int,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Place people and cameras in one world with metres.

    Writes <out-base-dir>/megahunter_<reconstruction>.h5.
    """
    if use_g1_shape and height is not None:
        raise click.UsageError("--use-g1-shape and --height exclude each other")
    stage = MegahunterStage(
        world_reconstruction_base_dir,
        bbox_base_dir,
        pose2d_base_dir,
        smpl_base_dir,
        contact_base_dir,
        videos_dir,
        out_base_dir,
        body_model,
        use_g1_shape,
        height,
        multihuman,
        top_k,
    )
    raise SystemExit(
        run(stage, stage.videos(), selection, world_reconstruction_base_dir, skip_existing, workers)
    )


if __name__ == "__main__":
    main()
