"""The page of one clip: pictures and a summary for the table; only what changed is made again."""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts.atomic import replacing, write_text
from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import list_images, read_times
from stages.artifacts.json_files import read_json
from stages.artifacts.verdicts import Verdicts
from stages.report import figures, judgement
from stages.report.clip import Clip
from stages.report.pages import rendered
from stages.report.pictures import PICTURES, thumbnail
from stages.running import fingerprints
from stages.running.machine import cores

SUMMARY, STAMP, PAGE, THUMBNAIL = "clip.json", "stamp.json", "index.html", "thumbnail.webp"
LONGEST_REASON = 300
MOST_PROCESSES = 8
WORKERS_VARIABLE = "MIMICMILL_WORKERS"

Draw = Callable[[Clip], bytes]


def build(clip: Clip, verdicts: Verdicts, folder: Path) -> bool:
    """Makes the page, unless it is there and its sources are as they were.

    Returns:
        Whether anything was made.
    """
    stamp = _read(folder / STAMP)
    judged = {"judged": clip.judged, "compared": clip.compared}
    now = {"code": _code(), "entries": clip.entries, **_plain(judged)}
    known = fingerprints.from_json(stamp.get("files", {}))
    root = clip.data.root.absolute()
    files = {fingerprints.place(file, root): file for file in clip.files()}
    taken = fingerprints.take(files, known.values())
    same = all(stamp.get(name) == _plain(now[name]) for name in now)
    if same and (folder / PAGE).exists() and not fingerprints.difference(known, taken):
        return False
    _make(clip, verdicts, folder)
    write_text(folder / STAMP, json.dumps({**now, "files": fingerprints.to_json(taken)}))
    return True


def read_summary(folder: Path) -> dict[str, Any]:
    """What the table needs of a clip; empty if its page was never made."""
    return _read(folder / SUMMARY)


def _make(clip: Clip, verdicts: Verdicts, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)
    draws = {**{picture.name: picture.draw for picture in PICTURES}, THUMBNAIL: thumbnail}
    problems = _draw_all(draws, clip, folder)
    shown = [
        {
            "name": picture.name,
            "title": picture.title,
            "look_for": picture.look_for,
            "problem": problems[picture.name],
        }
        for picture in PICTURES
    ]
    noted = figures.noted(clip.entries)
    noted_figures = [
        {"title": f.title, "unit": f.unit, "meaning": f.meaning, "value": noted[f.name]}
        for f in figures.FIGURES
        if f.name in noted
    ]
    page = rendered(
        "clip.html",
        video=clip.video,
        failures=failures(clip.entries),
        figures=noted_figures,
        judged=clip.judged,
        mark=judgement.MARKS[clip.judged.verdict] if clip.judged else "",
        measures=judgement.measured(verdicts, clip.judged),
        compared=judgement.compared(clip.compared),
        pictures=shown,
    )
    write_text(folder / PAGE, page)
    frames, seconds = _length(clip)
    summary = {
        "frames": frames,
        "seconds": seconds,
        "measures": noted,
        "thumbnail": "" if problems[THUMBNAIL] else THUMBNAIL,
        "undrawn": sum(map(bool, problems.values())),
    }
    write_text(folder / SUMMARY, json.dumps(summary))


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return json.loads(json.dumps(value, default=asdict))


def _draw_all(draws: dict[str, Draw], clip: Clip, folder: Path) -> dict[str, str]:
    """Draws side by side; what kept each picture from being drawn, by its name."""
    wanted = os.environ.get(WORKERS_VARIABLE, "")
    most = int(wanted) if wanted.isdecimal() and int(wanted) else MOST_PROCESSES
    processes = min(cores(), most)
    if processes == 1:
        return {name: _drawn(folder / name, draw, clip) for name, draw in draws.items()}
    forks = multiprocessing.get_context("fork")  # Nothing that the report imports has threads.
    with ProcessPoolExecutor(processes, mp_context=forks) as pool:
        waiting = {
            name: pool.submit(_drawn, folder / name, draw, clip) for name, draw in draws.items()
        }
    return {name: _problem(future) for name, future in waiting.items()}


def failures(entries: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Stages whose last word on a clip is that they did not finish it."""
    return [
        {**entry, "stage": stage}
        for stage, entry in entries.items()
        if entry.get("outcome") in ("failed", "interrupted")
    ]


def remove(folder: Path) -> None:
    """Removes the page of a clip that is gone."""
    shutil.rmtree(folder, ignore_errors=True)


def _drawn(path: Path, draw: Draw, clip: Clip) -> str:
    """Writes a picture; says why if it cannot be drawn."""
    try:
        content = draw(clip)
    except Exception as error:  # One broken file must not take the rest of the page with it.
        path.unlink(missing_ok=True)
        return (str(error) or type(error).__name__)[:LONGEST_REASON]
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return ""


def _problem(future: Future[str]) -> str:
    try:
        return future.result()
    except BrokenProcessPool:
        return "the process that drew it was killed, perhaps for want of memory"


def _length(clip: Clip) -> tuple[int, float]:
    """Frames and seconds, as far as files say."""
    try:
        count = len(list_images(clip.data.images(clip.video)))
        times = read_times(clip.data.images(clip.video))
    except ValueError:
        return 0, 0.0
    return count, float(np.ptp(times.times_s) + 1 / times.fps) if times and count else 0.0


@cache
def _code() -> str:
    """A checksum of the code that draws: pages are made again when it changes."""
    here = Path(__file__).parent
    files = [*here.rglob("*"), *(here.parent / "drawing").glob("*.py")]
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.suffix in (".py", ".html", ".css", ".js")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path, "")
    except ArtifactError:
        return {}
    return found if isinstance(found, dict) else {}
