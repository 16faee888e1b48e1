"""The command stage3-postprocess."""

from pathlib import Path

import click

from stages.running import Selection, body_option, folder_option, run, shared_options
from stages.stage3_postprocess.place import Settings
from stages.stage3_postprocess.stage import PostprocessStage, megahunter_stems, nksr_is_installed


@click.command()
@folder_option("--megahunter-base-dir", "output_smpl_and_points", "Folder of stage 2's files.")
@folder_option("--output-base-dir", "output_calib_mesh", "Folder for the levelled results.")
@click.option(
    "--is-megasam/--no-is-megasam",
    default=True,
    show_default=True,
    help="The world's confidence says only where depth is: any above 0 counts.",
)
@click.option(
    "--conf-thr", default=0.0, show_default=True, help="Lowest confidence, without --is-megasam."
)
@click.option(
    "--gradient-thr",
    default=0.15,
    show_default=True,
    help="Largest step of the depth between neighbouring pixels, in metres.",
)
@click.option(
    "--scale-bbox3d",
    default=1.2,
    show_default=True,
    help="Size of the meshed box around the people, in their own size; 4 to 8 m at least and most.",
)
@click.option(
    "--meshification-method",
    type=click.Choice(["auto", "nksr", "poisson"]),
    default="auto",
    show_default="nksr where it is installed, else poisson",
    help="How the surface is made.",
)
@click.option("--voxel", default=0.025, show_default=True, help="Spacing of the mesh's points, m.")
@click.option("--no-spf", is_flag=True, help="Mesh the whole place, not only the people's box.")
@click.option(
    "--multihuman/--no-multihuman", default=False, help="Level everybody, not only the largest."
)
@body_option
@shared_options
def main(
    selection: Selection,
    megahunter_base_dir: Path,
    output_base_dir: Path,
    is_megasam: bool,
    conf_thr: float,
    gradient_thr: float,
    scale_bbox3d: float,
    meshification_method: str,
    voxel: float,
    no_spf: bool,
    multihuman: bool,
    body_model: Path,
    skip_existing: bool,
    workers: int,
    vis: bool,
) -> None:
    """Turn the world so that gravity points down, and mesh the place around the people.

    Writes one folder a reconstruction: people, cameras and points with z up, two point clouds and
    background_mesh.obj.
    """
    if meshification_method == "auto":
        meshification_method = "nksr" if nksr_is_installed() else "poisson"
    elif meshification_method == "nksr" and not nksr_is_installed():
        raise click.UsageError(
            "the package nksr is not installed; use --meshification-method poisson"
        )
    settings = Settings(gradient_thr, 0.0 if is_megasam else conf_thr, scale_bbox3d, voxel)
    stage = PostprocessStage(
        megahunter_base_dir,
        output_base_dir,
        body_model,
        settings,
        meshification_method,
        no_spf,
        multihuman,
    )
    names = megahunter_stems(megahunter_base_dir)
    raise SystemExit(run(stage, names, selection, megahunter_base_dir, skip_existing, workers))
