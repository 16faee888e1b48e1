"""The command stage0-frames."""

from pathlib import Path

import click

from stages.running import Selection, VideoError, folder_option, run, shared_options
from stages.stage0_frames.stage import FramesStage


@click.command()
@folder_option("--videos-dir", "videos", "Folder of video files.")
@folder_option("--output-base-dir", "input_images", "Folder for the frames.")
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Frames a second to extract, by time stamps. Default: the video's own rate.",
)
@shared_options
def main(
    selection: Selection,
    videos_dir: Path,
    output_base_dir: Path,
    fps: float | None,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Turn video files into numbered pictures.

    Writes <output-base-dir>/<video>/cam01/00001.jpg ... and frames.json with their true times.
    Upright, whatever the phone's orientation was; videos of variable rate keep true time.
    """
    try:
        stage = FramesStage(videos_dir, output_base_dir, fps)
    except VideoError as error:
        raise click.UsageError(str(error)) from None
    raise SystemExit(run(stage, list(stage.files), selection, videos_dir, skip_existing, workers))
