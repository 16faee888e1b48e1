"""What people decided about videos: `curation.jsonl` in the data folder, the last line counts."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from stages.running import json_lines
from stages.running.ledger import now

FILE = "curation.jsonl"
VERDICTS = ("undecided", "keep", "reject")


@dataclass(frozen=True)
class Decision:
    """About one video. Frames count from 0 in the clip; both ends of a trim are kept."""

    verdict: str = VERDICTS[0]
    first_frame: int | None = None
    """None: from the clip's first frame."""
    last_frame: int | None = None
    """None: to the clip's last frame."""
    person: int | None = None
    """The person to use; None: everybody."""
    tags: list[str] = field(default_factory=list)
    note: str = ""
    when: str = ""
    """UTC; empty where nothing was decided."""


def save_decision(data: Path, video: str, decision: Decision) -> str:
    """Adds a decision to the file; returns its time.

    Raises:
        OSError: the folder cannot be written.
    """
    when = now()
    json_lines.append(data / FILE, {"video": video, **asdict(decision), "when": when})
    return when


def decisions_of(data: Path) -> dict[str, Decision]:
    """The last decision about each video; lines of another shape are left out."""
    known = {each.name for each in fields(Decision)}
    found = {}
    for record in json_lines.read(data / FILE):
        if isinstance(record, dict) and isinstance(record.get("video"), str):
            found[record["video"]] = Decision(
                **{name: value for name, value in record.items() if name in known}
            )
    return found
