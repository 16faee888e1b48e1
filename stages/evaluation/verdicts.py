"""`python -m stages.evaluation.verdicts`: judges the clips of a data folder; `verdicts.json`.

The file has an entry a video: its verdict, the reasons and the measures, and what they were made
of. Only clips whose result has changed are measured again.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from stages.artifacts.atomic import write_text
from stages.artifacts.curation import result_identity
from stages.artifacts.errors import ArtifactError
from stages.artifacts.json_files import read_json
from stages.artifacts.layout import CALIBRATED, DataFolder
from stages.evaluation import plausibility
from stages.evaluation.plausibility import measure
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.verdict import DOUBT, KEEP, REJECT, THRESHOLDS_FILE, judge
from stages.running.flags import data_folder
from stages.running.reconstructions import names_in
from stages.running.selection import read_names

FILE = "verdicts.json"
REPORT = Path("report", "index.html")


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
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
    chosen = present if names is None else present & set(read_names(names))
    entries = {video: e for video, e in read_verdicts(data_dir).items() if video in present}
    judges = _identity_of_judges()
    for video in sorted(chosen):
        result = result_identity(data_dir, video)
        made_of = f"{result} {judges}"
        if not result or entries.get(video, {}).get("made_of") != made_of:
            entries[video] = {"made_of": made_of, **_judged(data_dir, video)}
    write_text(data_dir / FILE, json.dumps(entries, indent=1))
    for line in summary(data_dir, {video: entries[video] for video in sorted(chosen)}):
        print(line)


def _judged(data_dir: Path, video: str) -> dict[str, Any]:
    measured = measure(Clip(DataFolder(data_dir), video))
    verdict = judge(measured)
    return {"verdict": verdict.kind, "reasons": verdict.reasons, "measures": measured.values}


def _identity_of_judges() -> str:
    """Of the measures and their thresholds: when they change, clips are judged again."""
    digest = hashlib.sha256(THRESHOLDS_FILE.read_bytes())
    for file in sorted(Path(plausibility.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def read_verdicts(data_dir: Path) -> dict[str, Any]:
    """The entries of the file by video; none where it is missing or damaged."""
    try:
        content = read_json(data_dir / FILE, "judge the clips again")
    except ArtifactError:
        return {}
    return content if isinstance(content, dict) else {}


def summary(data_dir: Path, found: dict[str, Any]) -> list[str]:
    """A line a clip that is not simply kept, the count, and where to look at them."""
    kinds = [entry["verdict"] for entry in found.values()]
    lines = [
        f"{entry['verdict']}: {video}: {'; '.join(entry['reasons'][:3])}"
        for video, entry in found.items()
        if entry["verdict"] != KEEP
    ]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in (KEEP, DOUBT, REJECT))
    page = data_dir / REPORT
    where = page if page.exists() else f"{page}, once made by make report DATA={data_dir}"
    return [*lines, f"verdicts: {counts}; report: {where}"]


if __name__ == "__main__":
    main()
