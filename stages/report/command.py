"""`report`: pages to look at a data folder with, whatever stages have run on it."""

from pathlib import Path

import click

from stages.artifacts import layout
from stages.artifacts.atomic import write_text
from stages.artifacts.comparison import read_comparison
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import DataFolder
from stages.artifacts.verdicts import read_verdicts
from stages.artifacts.video_files import find_videos
from stages.body.model import DEMO_BODY
from stages.report import clip_page, index_page, judgement
from stages.report.clip import Clip, body_of
from stages.running import ledger
from stages.running.flags import data_folder
from stages.running.model_flags import BODY_VARIABLE

REPORT = "report"


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="$MIMICMILL_DATA",
    help="The data folder; the report goes into report/ of it.",
)
@click.option("--pattern", default="", help="Only make pages of videos whose name contains this.")
@click.option(
    "--body-model",
    type=click.Path(path_type=Path),
    default=DEMO_BODY,
    envvar=BODY_VARIABLE,
    show_default="the demo's CC0 body",
    help="The body in SMPL's layout that stages used.",
)
def main(data_dir: Path, pattern: str, body_model: Path) -> None:
    """Write report/index.html, a table of all clips, and a page of pictures for each.

    Pages whose sources have not changed stay as they are.
    """
    data, report = DataFolder(data_dir), data_dir / REPORT
    entries = ledger.read(data_dir)
    videos = all_videos(data, entries)
    if not videos:
        raise click.UsageError(f"{data_dir} has no videos, frames or runs; name another --data-dir")
    chosen = [video for video in videos if pattern.lower() in video.lower()]
    if not chosen:
        raise click.UsageError(f"{data_dir} has no video matching '{pattern}'")
    try:
        body_of(body_model)
    except ArtifactError as error:
        raise click.UsageError(str(error)) from None
    verdicts, comparison = read_verdicts(data_dir), read_comparison(data_dir)
    for video in chosen:
        latest = index_page.last_entries(entries, video)
        judged = judgement.current(data_dir, video, verdicts)
        clip = Clip(data, video, latest, judged, comparison.get(video, {}), body_model)
        made = clip_page.build(clip, verdicts, report / index_page.CLIPS / video)
        print(f"{video}: {'made' if made else 'as it was'}", flush=True)
    for folder in (report / index_page.CLIPS).iterdir():
        if folder.name not in videos:
            clip_page.remove(folder)
    page = report / index_page.INDEX
    write_text(page, index_page.index(data_dir, report, videos, entries, verdicts))
    print(page)


def all_videos(data: DataFolder, entries: index_page.Entries) -> list[str]:
    """Names of all videos that there are, were made frames of, or were tried."""
    found = set(find_videos(data.videos).files)
    images = data.root / layout.IMAGES
    found |= {path.name for path in images.glob("*") if path.is_dir()}
    found |= {str(entry["video"]) for entry in entries if entry.get("video")}
    return sorted(name for name in found if name and "/" not in name and not name.startswith("."))


if __name__ == "__main__":
    main()
