"""The command stage1-sfm."""

from pathlib import Path

import click

from stages.running import Selection, folder_option, run, shared_options, videos_in
from stages.stage1_sfm.stage import SfmStage


@click.command()
@folder_option("--video-base-dir", "input_images", "Folder of extracted frames.")
@folder_option("--mask-base-dir", "input_masks", "Folder of people's masks.")
@folder_option("--outdir", "input_sfm", "Folder for the reconstructions.")
@click.option(
    "--gsam2/--no-gsam2",
    default=True,
    show_default=True,
    help="Leave people out by the masks of stage0-sam2.",
)
@click.option("--start-frame", default=0, show_default=True, help="First frame, by place from 0.")
@click.option(
    "--end-frame", default=-1, show_default=True, help="Stop before this place; -1 for all."
)
@click.option(
    "--stride", type=click.IntRange(1), default=1, show_default=True, help="Use every n-th frame."
)
@shared_options
def main(
    selection: Selection,
    video_base_dir: Path,
    mask_base_dir: Path,
    outdir: Path,
    gsam2: bool,
    start_frame: int,
    end_frame: int,
    stride: int,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Reconstruct cameras and the place, by structure from motion and multi-view stereo.

    Writes <outdir>/sfm_reconstruction_results_<video>_cam01_frame_<start>_<end>_subsample_<n>.h5,
    up to scale. Needs a camera that moves: a few steps around or along with the person.
    """
    stage = SfmStage(
        video_base_dir,
        mask_base_dir if gsam2 else None,
        outdir,
        start_frame,
        end_frame,
        stride,
        vis,
    )
    raise SystemExit(
        run(stage, videos_in(video_base_dir), selection, video_base_dir, skip_existing, workers)
    )
