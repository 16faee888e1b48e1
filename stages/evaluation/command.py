"""`evaluation`: one table of a finished data folder beside its ground truth."""

from pathlib import Path

import click
from rich.console import Console

from stages.artifacts.comparison import write_comparison
from stages.artifacts.curation import FILE, decisions_of
from stages.artifacts.layout import TRUTH, DataFolder
from stages.evaluation.bars import compare, table
from stages.evaluation.clip import open_clip
from stages.evaluation.measure import measure
from stages.running.flags import data_folder


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="$MIMICMILL_DATA",
    help="The data folder, with ground truth below truth/.",
)
@click.option("--pattern", default="", help="Only videos whose name contains this.")
@click.option(
    "--world",
    default="",
    show_default="the preferred one that there is",
    help="The world method.",
)
@click.option("--curated", is_flag=True, help="Leave out what curation.jsonl rejects.")
def main(data_dir: Path, pattern: str, world: str, curated: bool) -> None:
    """Compare results with ground truth; print a table and write evaluation.json.

    Exit code 1 if a bar is missed.
    """
    data, truths = DataFolder(data_dir), data_dir / TRUTH
    videos = sorted(path.name for path in truths.glob("*") if pattern.lower() in path.name.lower())
    if curated:
        decisions = decisions_of(data_dir)
        rejected = [name for name in videos if name in decisions and decisions[name].is_rejected]
        videos = [name for name in videos if name not in rejected]
        if rejected:
            print(f"{FILE} rejects: {', '.join(rejected)}")
    if not videos:
        raise click.UsageError(f"{truths} has no ground truth matching '{pattern}'")
    clips = {video: open_clip(data, video) for video in videos}
    results = {video: measure(clip, world) for video, clip in clips.items()}
    people = {video: len(clip.truth.betas) for video, clip in clips.items()}
    methods = {video: clip.people_method for video, clip in clips.items()}
    console = Console(width=max(100, 60 + 24 * len(videos)), soft_wrap=True)
    console.print(table(results, people, methods))
    compared = {
        video: compare(values, people[video], methods[video]) for video, values in results.items()
    }
    write_comparison(data_dir, compared)
    missed = [
        f"{video}: {each.text}"
        for video, measures in compared.items()
        for each in measures.values()
        if not each.passes
    ]
    for line in missed:
        print(f"missed: {line}")
    raise SystemExit(1 if missed else 0)
