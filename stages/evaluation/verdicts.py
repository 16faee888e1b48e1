"""`verdicts`: judges the clips of a data folder; `verdicts.json`.

Only clips whose result has changed are measured again, and those that BlazePose could not judge
where they were judged first and can here.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import click

from stages.artifacts.curation import result_identity
from stages.artifacts.layout import CALIBRATED, DataFolder
from stages.artifacts.verdicts import KEEP, KINDS, Judged, Verdicts, read_verdicts, write_verdicts
from stages.evaluation import plausibility
from stages.evaluation.plausibility import MEASURES, measure
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.second_look import is_possible
from stages.evaluation.verdict import THRESHOLDS_FILE, judge, thresholds
from stages.running.flags import data_folder
from stages.running.reconstructions import names_in
from stages.running.selection import read_names

REPORT = Path("report", "index.html")
ALONE = "-without-blazepose"
"""Of judges that had nobody to ask."""


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=data_folder,
    show_default="$MIMICMILL_DATA",
    help="The data folder.",
)
@click.option(
    "--names",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Only videos named in this file, one a line.",
)
def main(data_dir: Path, names: Path | None) -> None:
    """Say which results to keep, to doubt and to reject, and why; write verdicts.json."""
    present = {name.video for name in names_in(data_dir / CALIBRATED)}
    chosen = sorted(present if names is None else present & set(read_names(names)))
    clips = {video: e for video, e in read_verdicts(data_dir).clips.items() if video in present}
    judges = _identity_of_judges()
    for video in chosen:
        known = clips.get(video)
        result = result_identity(data_dir, video)
        by_equals = known is not None and known.judges in (judges, judges.removesuffix(ALONE))
        if not result or known is None or known.result != result or not by_equals:
            found = judge(measure(Clip(DataFolder(data_dir), video)))
            clips[video] = replace(found, result=result, judges=judges)
    write_verdicts(data_dir, Verdicts(list(MEASURES), thresholds(), clips))
    for line in summary(data_dir, {video: clips[video] for video in chosen}):
        print(line)


def _identity_of_judges() -> str:
    """Of the measures, their thresholds and whether BlazePose can be asked."""
    digest = hashlib.sha256(THRESHOLDS_FILE.read_bytes())
    for file in sorted(Path(plausibility.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16] + (ALONE if not is_possible() else "")


def summary(data_dir: Path, clips: dict[str, Judged]) -> list[str]:
    """A line a clip that is not simply kept, the count, and where to look at them."""
    kinds = [clip.verdict for clip in clips.values()]
    lines = [
        f"{clip.verdict}: {video}: {'; '.join(clip.reasons[:3])}"
        for video, clip in clips.items()
        if clip.verdict != KEEP
    ]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS)
    page = data_dir / REPORT
    where = page if page.exists() else f"{page}, once made by make report DATA={data_dir}"
    return [*lines, f"verdicts: {counts}; report: {where}"]
