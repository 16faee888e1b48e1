"""`make bench-verdicts`: how many of the errors put into good clips the verdicts find.

Prints the table of docs/verdicts.md, in markdown, for the clips of a data folder.
"""

import json
from collections import defaultdict
from pathlib import Path

import click

from bench.verdicts.errors import ERRORS
from stages.artifacts.layout import CALIBRATED, DataFolder
from stages.artifacts.truth import TRUTH_FILE
from stages.artifacts.verdicts import KEEP, KINDS
from stages.evaluation.bars import compare
from stages.evaluation.clip import open_clip
from stages.evaluation.measure import measure as compared_with_truth
from stages.evaluation.plausibility import Measured, measure
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.verdict import judge
from stages.running.flags import data_folder
from stages.running.reconstructions import names_in

GOOD, MISSING = "good", "missing a bar"
"""Clips as they are: those that meet all bars of ground truth, or have none, and the others."""


def missed_bars(root: Path, video: str) -> list[str]:
    """What of a clip is bad by ground truth; empty where there is none."""
    data = DataFolder(root)
    if not (data.truth(video) / TRUTH_FILE).exists():
        return []
    clip = open_clip(data, video)
    found = compare(compared_with_truth(clip), len(clip.truth.betas), clip.people_method)
    return [each.text for each in found.values() if not each.passes]


def measured(root: Path, video: str) -> dict[tuple[str, str], Measured]:
    """The measures of a clip as it is, and with each error if it is good.

    Raises:
        ValueError: an error broke a measure, which would be no merit of the verdict.
    """
    clip = Clip(DataFolder(root), video)
    good = measure(clip)
    if missed := missed_bars(root, video):
        return {(MISSING, ", ".join(missed)): good}
    found = {(GOOD, ""): good}
    for kind, cases in ERRORS.items():
        for name, change in cases.items():
            if (other := change(clip)) is not None:
                found[kind, name] = bad = measure(other)
                if bad.problems != good.problems:
                    raise ValueError(f"{video}: {kind}, {name}: {bad.problems}")
    return found


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="$MIMICMILL_DATA",
    help="The data folder.",
)
@click.option("--pattern", default="", help="Only videos whose name contains this.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write all measures as JSON.")
def main(data_dir: Path, pattern: str, out: Path | None) -> None:
    """Judge the good clips of a folder, as they are and with every error."""
    videos = sorted({name.video for name in names_in(data_dir / CALIBRATED)})
    judged: dict[str, list[str]] = defaultdict(list)
    dump = []
    for video in (video for video in videos if pattern in video):
        for (kind, name), found in measured(data_dir, video).items():
            verdict = judge(found)
            judged[kind].append(verdict.verdict)
            dump.append({"video": video, "kind": kind, "case": name, "values": found.values})
            if (verdict.verdict == KEEP) != (kind == GOOD):
                print(f"wrong: {video}: {kind}, {name}: {'; '.join(verdict.reasons)}", flush=True)
            if kind == MISSING:
                print(f"{video} misses {name}; {verdict.verdict}: {'; '.join(verdict.reasons)}")
    print(*_rows(judged), sep="\n")
    if out:
        out.write_text(json.dumps(dump))


def _rows(judged: dict[str, list[str]]) -> list[str]:
    rows = ["| clips | number | keep | doubt | reject |", "| --- | --- | --- | --- | --- |"]
    bad = [verdict for kind, verdicts in judged.items() if kind != GOOD for verdict in verdicts]
    for kind, verdicts in {**judged, "all that are bad": bad}.items():
        counts = " | ".join(str(verdicts.count(one)) for one in KINDS)
        rows.append(f"| {kind} | {len(verdicts)} | {counts} |")
    share = sum(verdict != KEEP for verdict in bad) / max(len(bad), 1)
    doubted = sum(verdict != KEEP for verdict in judged[GOOD]) / max(len(judged[GOOD]), 1)
    return [*rows, f"{share:.1%} of the bad clips found, {doubted:.1%} of the good clips doubted"]


if __name__ == "__main__":
    main()
