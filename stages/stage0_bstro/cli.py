"""The command stage0-bstro."""

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
from stages.stage0_bstro.stage import BstroStage
from stages.weights.demo import demo_folder


@click.command()
@folder_option("--video-base-dir", "input_images", "Folder of frames.")
@folder_option("--output-base-dir", "input_contacts", "Folder for the contacts.")
@folder_option("--bbox-base-dir", "input_masks", "Folder of stage0-sam2's masks and boxes.")
@click.option(
    "--model-checkpoint",
    type=click.Path(path_type=Path),
    default=lambda: demo_folder("bstro") / "bstro.safetensors",
    show_default="the demo's weights",
    help="A BSTRO checkpoint: hsi_hrnet_3dpw_b32_checkpoint_15.bin with mesh_downsampling.npz and "
    "J_regressor_h36m_correct.npy beside it, or one of this project's own.",
)
@click.option("--batch-size", default=16, show_default=True, help="People at once.")
@click.option(
    "--feet-contact-ratio-thr",
    default=0.2,
    show_default=True,
    help="A foot stands if more than this share of its vertices touch.",
)
@click.option(
    "--contact-thr",
    default=0.95,
    show_default=True,
    help="A vertex touches if its probability is above this.",
)
@click.option(
    "--foot-segmentation",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="SMPL's smpl_vert_segmentation.json. Default: the feet that the body model names.",
)
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
    feet_contact_ratio_thr: float,
    contact_thr: float,
    foot_segmentation: Path | None,
    body_model: Path,
    multihuman: bool,
    top_k: int,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Find which body vertices touch something and which feet stand, in every frame.

    Writes <output-base-dir>/<video>/cam01/00001.pkl ... for everybody in the frame, with or without
    --multihuman; --multihuman --top-k leaves out all but the k largest people.
    """
    stage = BstroStage(
        video_base_dir=video_base_dir,
        result_base_dir=output_base_dir,
        bbox_base_dir=bbox_base_dir,
        checkpoint=model_checkpoint,
        multihuman=multihuman,
        top_k=top_k,
        batch_size=batch_size,
        vis=vis,
        body_model=body_model,
        foot_segmentation=foot_segmentation,
        feet_contact_ratio_thr=feet_contact_ratio_thr,
        contact_thr=contact_thr,
    )
    raise SystemExit(
        run(stage, videos_in(video_base_dir), selection, video_base_dir, skip_existing, workers)
    )
