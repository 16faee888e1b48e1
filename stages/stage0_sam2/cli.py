"""The command stage0-sam2."""

from pathlib import Path

import click

from stages.running import Selection, folder_option, run, shared_options, videos_in
from stages.stage0_sam2.stage import Sam2Stage
from stages.weights.demo import demo_folder


@click.command()
@folder_option("--video-base-dir", "input_images", "Folder of frames.")
@folder_option("--output-base-dir", "input_masks", "Folder for masks, boxes and ids.")
@click.option("--text", default="person.", show_default=True, help="What to look for.")
@click.option(
    "--dino-checkpoint",
    type=click.Path(path_type=Path),
    default=lambda: demo_folder("grounding_dino"),
    show_default="the demo's weights",
    help="A Grounding DINO folder in the transformers layout.",
)
@click.option(
    "--sam2-checkpoint",
    type=click.Path(path_type=Path),
    default=lambda: demo_folder("sam2"),
    show_default="the demo's weights",
    help="An official sam2.1_hiera_*.pt.",
)
@shared_options
def main(
    selection: Selection,
    video_base_dir: Path,
    output_base_dir: Path,
    text: str,
    dino_checkpoint: Path,
    sam2_checkpoint: Path,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Find people and follow them: a mask, a box and an id for everybody in every frame.

    Writes mask_data/, json_data/ and meta_data.json to <output-base-dir>/<video>/cam01. Memory does
    not grow with the length of the video.
    """
    stage = Sam2Stage(video_base_dir, output_base_dir, text, dino_checkpoint, sam2_checkpoint, vis)
    raise SystemExit(
        run(stage, videos_in(video_base_dir), selection, video_base_dir, skip_existing, workers)
    )
