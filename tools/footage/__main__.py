"""`python -m tools.footage`: render one clip of the demo's family with its ground truth."""

from __future__ import annotations

import json
from pathlib import Path

import click

from stages.artifacts.atomic import write_text
from stages.artifacts.layout import DataFolder
from stages.artifacts.truth import TERRAIN_FILE, write_truth
from stages.artifacts.video_notes import notes_path
from stages.body.model import DEMO_BODY, load_body
from stages.body.shape_fitting import stature_m
from tools.footage.camera_paths import CAMERAS
from tools.footage.clips import ClipOptions, film, plan_clip
from tools.footage.scenes import KINDS, scene_for_seed
from tools.footage.skinning import BodyTensors
from tools.footage.terrain_mesh import exposed_surface, write_obj
from tools.footage.video import write_video


@click.command()
@click.option("--scene", "kind", type=click.Choice(KINDS), help="Default: by seed.")
@click.option("--seed", type=int, required=True)
@click.option("--name", help="Video name. Default: <scene>_<seed>.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/demo"))
@click.option("--frames", type=click.IntRange(2), default=100, show_default=True)
@click.option("--fps", type=click.FloatRange(1, 240), default=30.0, show_default=True)
@click.option("--uneven-times", is_flag=True, help="Jittered frame times, as phones record.")
@click.option("--camera", type=click.Choice(CAMERAS), default="walks", show_default=True)
@click.option("--size", default="640x360", show_default=True, help="WIDTHxHEIGHT in pixels.")
@click.option("--body", type=click.Path(exists=True, path_type=Path), default=DEMO_BODY)
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--max-bytes", default=1_900_000, show_default=True, help="Bound on the video file.")
def main(kind, seed, name, out, frames, fps, uneven_times, camera, size, body, device,
         max_bytes) -> None:  # fmt: skip
    """Render OUT/videos/NAME.mp4 and OUT/truth/NAME/{truth.npz,terrain.obj}.

    One person's height goes beside the video, as someone who films would note it.
    """
    kind = kind or scene_for_seed(seed)
    name = name or f"{kind}_{seed}"
    try:
        width, height = (int(part) for part in size.split("x"))
    except ValueError:
        raise click.BadParameter(f"{size!r} is not WIDTHxHEIGHT.", param_hint="--size") from None
    options = ClipOptions(frames, fps, width, height, camera, uneven_times)
    model = load_body(body)
    tensors = BodyTensors.from_model(model)
    clip = plan_clip(kind, seed, model, tensors, options)
    images, truth = film(clip, tensors, name, options, device)
    data = DataFolder(out)
    video = data.videos / f"{name}.mp4"
    write_video(video, images, clip.times_s, max_bytes)
    if len(truth.betas) == 1:
        # Rounded as a tape measure is read.
        notes = {"height_m": round(stature_m(model, truth.betas[0]), 2)}
        write_text(notes_path(data.videos, name), json.dumps(notes) + "\n")
    write_obj(data.truth(name) / TERRAIN_FILE, *exposed_surface(truth.terrain))
    write_truth(data.truth(name), truth)  # last: where it is, all is
    click.echo(f"{video}: {frames} frames, {video.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
