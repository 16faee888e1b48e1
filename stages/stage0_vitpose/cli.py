"""The command stage0-vitpose."""

from pathlib import Path

import click

from stages.running import (
    Selection,
    folder_option,
    people_options,
    run,
    shared_options,
    videos_in,
)
from stages.stage0_vitpose.stage import VitposeStage
from stages.weights.demo import demo_folder


@click.command()
@folder_option("--video-base-dir", "input_images", "Folder of frames.")
@folder_option("--output-base-dir", "input_2d_poses", "Folder for the keypoints.")
@folder_option("--bbox-base-dir", "input_masks", "Folder of stage0-sam2's masks and boxes.")
@click.option(
    "--model-checkpoint",
    type=click.Path(path_type=Path),
    default=lambda: demo_folder("vitpose"),
    show_default="the demo's weights",
    help="A whole-body ViTPose checkpoint: vitpose_huge_wholebody.pth or a smaller one.",
)
@click.option("--batch-size", default=16, show_default=True, help="People at once.")
@people_options
@shared_options
def main(
    selection: Selection,
    video_base_dir: Path,
    output_base_dir: Path,
    bbox_base_dir: Path,
    model_checkpoint: Path,
    batch_size: int,
    multihuman: bool,
    top_k: int,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Find 133 keypoints (body, feet, face, hands) of the people in every frame.

    Writes <output-base-dir>/<video>/cam01/pose_00001.json ...; a frame without the person has no
    file. Without --multihuman, only the person with the largest total box area is followed.
    """
    stage = VitposeStage(
        video_base_dir=video_base_dir,
        result_base_dir=output_base_dir,
        bbox_base_dir=bbox_base_dir,
        checkpoint=model_checkpoint,
        multihuman=multihuman,
        top_k=top_k,
        batch_size=batch_size,
        vis=vis,
    )
    raise SystemExit(
        run(stage, videos_in(video_base_dir), selection, video_base_dir, skip_existing, workers)
    )
