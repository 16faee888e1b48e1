"""`exporter`: finished motions in the files of a trainer."""

import json
from pathlib import Path
from typing import Any

import click

from stages.artifacts.atomic import write_text
from stages.artifacts.errors import ArtifactError
from stages.artifacts.verdicts import read_verdicts
from stages.body.model import DEMO_BODY
from stages.export.card import card, description
from stages.export.clips import Clip, clips_of, videos_of
from stages.export.formats import videomimic
from stages.export.motion import motion_of
from stages.export.origin import origin
from stages.export.registry import FORMATS, Format
from stages.export.robots import ROBOTS, g1
from stages.running import VideoError
from stages.running.flags import data_folder
from stages.running.model_flags import BODY_VARIABLE

EXPORT = "export"


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="$MIMICMILL_DATA",
    help="The data folder; files go into export/<format>/ of it.",
)
@click.option(
    "--format",
    "names",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    help="The trainer; several times for several. Default: all.",
)
@click.option("--pattern", default="", help="Only videos whose name contains this.")
@click.option(
    "--robot",
    type=click.Choice(list(ROBOTS)),
    default=None,
    show_default="29; of videomimic 23",
    help="Joints of the G1: 29, with wrists at zero; 23, without wrists; unitree23, Unitree's 23.",
)
@click.option(
    "--fps",
    type=click.FloatRange(1, 1000),
    default=None,
    show_default="what the trainer wants",
    help="Rows a second.",
)
@click.option(
    "--world", default="", show_default="the preferred one that there is", help="The world method."
)
@click.option(
    "--curated", is_flag=True, help="Do what curation.jsonl decides: reject, trim, person."
)
@click.option(
    "--body-model",
    type=click.Path(path_type=Path),
    default=DEMO_BODY,
    envvar=BODY_VARIABLE,
    show_default="the demo's CC0 body",
    help="The body in SMPL's layout that stages used; glb draws it.",
)
def main(
    data_dir: Path,
    names: tuple[str, ...],
    pattern: str,
    robot: str | None,
    fps: float | None,
    world: str,
    curated: bool,
    body_model: Path,
) -> None:
    """Write the robot's motions as trainers read them, with a card that lists clips and licences.

    Exit code 1 if a video fails; the others go on.
    """
    for name in names:
        _require(name, FORMATS[name], robot, fps)
    wanted = []
    for name in names or FORMATS:
        if refusal := _refusal(name, FORMATS[name], robot, fps):
            print(f"left out: {refusal}", flush=True)
        else:
            wanted.append(name)
    clips, failed = _clips(data_dir, pattern, world, curated)
    for name in wanted:
        form, folder = FORMATS[name], data_dir / EXPORT / name
        described = []
        for clip in clips:
            try:
                described.append(_write(data_dir, folder, form, clip, body_model, robot, fps))
            except (ArtifactError, OSError) as error:
                print(f"failed: {name}: {clip.name}: {error}", flush=True)
                failed = True
        written = [each["name"] for each in described]
        if written:
            write_text(folder / "README.md", card(name, form, described))
        if written and name == "videomimic":
            videomimic.write_list(written, folder)
            for clip_name in videomimic.confused(written):
                print(
                    f"{name}: {clip_name} is a part of another clip's name, which the simulator "
                    "may take for it: rename one of the videos",
                    flush=True,
                )
        older = sorted({path.stem for path in folder.glob("*.json")} - set(written))
        stale = f"; not of this export, but still there: {', '.join(older)}" * bool(older)
        print(f"{name}: {len(written)} motions in {folder}{stale}", flush=True)
    raise SystemExit(1 if failed else 0)


def _clips(data: Path, pattern: str, world: str, curated: bool) -> tuple[list[Clip], bool]:
    """All clips, and whether a video failed."""
    videos = videos_of(data, pattern)
    if not videos:
        said = f" of a video matching '{pattern}'" if pattern else ""
        raise click.UsageError(f"{data} has no robot's motion{said}; make dataset makes them")
    clips: list[Clip] = []
    failed = False
    for video in videos:
        try:
            found = list(clips_of(data, video, world, curated))
        except (ArtifactError, VideoError) as error:
            print(f"failed: {video}: {error}", flush=True)
            failed = True
            continue
        if not found:
            why = "left out by curation.jsonl, or too short" if curated else "no motion to export"
            print(f"{video}: {why}", flush=True)
        clips += found
    return clips, failed


def _write(
    data: Path,
    folder: Path,
    form: Format,
    clip: Clip,
    body_model: Path,
    robot: str | None,
    fps: float | None,
) -> dict[str, Any]:
    """Writes one motion and its description; gives the description."""
    chosen = robot or form.robots[0]
    judged = read_verdicts(data).clips.get(clip.world.video)
    about = {**origin(data, clip.world), "verdict": judged.verdict if judged else "not judged"}
    rate = form.fps if fps is None or form.only_fps else fps
    model = g1(chosen, form.revision_1_0)
    motion = motion_of(clip.motion, clip.place, body_model, model, rate, clip.name, about)
    found = form.write(motion, folder) or {}
    described = {**description(motion, form, chosen), **found}
    for doubt in found.get("physics", {}).get("doubts", []):
        print(f"{clip.name}: {doubt}", flush=True)
    write_text(folder / f"{clip.name}.json", json.dumps(described, indent=1))
    return described


def _refusal(name: str, form: Format, robot: str | None, fps: float | None) -> str:
    if robot is not None and robot not in form.robots:
        return f"{name} holds robots of {' or '.join(form.robots)} joints, not {robot}"
    if fps is not None and form.only_fps and fps != form.fps:
        rate = f"{form.fps:g} rows a second" if form.fps else "the motion's own rate"
        return f"{name} has {rate}: leave out --fps"
    return ""


def _require(name: str, form: Format, robot: str | None, fps: float | None) -> None:
    if refusal := _refusal(name, form, robot, fps):
        raise click.UsageError(refusal)


if __name__ == "__main__":
    main()
