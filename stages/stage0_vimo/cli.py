"""The command stage0-vimo."""

from pathlib import Path

import click

from stages.running import (
    Selection,
    body_option,
    folder_option,
    people_options,
    run,
    shared_options,
    videos_in,
)
from stages.stage0_vimo.stage import VimoStage
from stages.weights.demo import demo_folder


@click.command()
@folder_option("--video-base-dir", "input_images", "Folder of frames.")
@folder_option("--output-base-dir", "input_3d_meshes", "Folder for the bodies.")
@folder_option("--bbox-base-dir", "input_masks", "Folder of stage0-sam2's masks and boxes.")
@click.option(
    "--model-checkpoint",
    type=click.Path(path_type=Path),
    default=lambda: demo_folder("vimo") / "vimo.safetensors",
    show_default="the demo's weights",
    help="A VIMO checkpoint: vimo_checkpoint.pth.tar, or one of this project's own.",
)
@click.option("--batch-size", default=32, show_default=True, help="Frames at once.")
@body_option
@people_options
@shared_options
def main(
    selection: Selection,
    video_base_dir: Path,
    output_base_dir: Path,
    bbox_base_dir: Path,
    model_checkpoint: Path,
    batch_size: int,
    body_model: Path,
    multihuman: bool,
    top_k: int,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Find SMPL rotations and shape of the people in every frame.

    Writes <output-base-dir>/<video>/cam01/smpl_params_00001.pkl ...; a frame without the person has
    no file. Without --multihuman, only the person with the largest total box area is followed. The
    body model is used for the pictures of --vis alone.
    """
    stage = VimoStage(
        video_base_dir=video_base_dir,
        result_base_dir=output_base_dir,
        bbox_base_dir=bbox_base_dir,
        checkpoint=model_checkpoint,
        multihuman=multihuman,
        top_k=top_k,
        batch_size=batch_size,
        vis=vis,
        body_model=body_model,
    )
    raise SystemExit(
        run(stage, videos_in(video_base_dir), selection, video_base_dir, skip_existing, workers)
    )
