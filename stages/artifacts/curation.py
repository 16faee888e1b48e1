"""`curation.jsonl` in the data folder: what people decided about videos; the last line counts."""

# A login node's Python 3.9 reads this module.
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stages.artifacts import layout

FILE = "curation.jsonl"
VERDICTS = ("undecided", "keep", "reject")
_JUDGED_STAGES = ("stage2-megahunter", "stage3-postprocess", "stage4-retarget")
"""Their results are what people look at when they decide."""


@dataclass(frozen=True)
class Decision:
    """About one video. Frames count from 0 among all frames of the video; both ends of a trim are
    kept.
    """

    verdict: str = VERDICTS[0]
    first_frame: int | None = None
    """None: from the video's first frame."""
    last_frame: int | None = None
    """None: to the video's last frame."""
    person: int | None = None
    """The person to use; None: everybody."""
    tags: list[str] = field(default_factory=list)
    note: str = ""
    when: str = ""
    """UTC; empty where nothing was decided."""
    result: str = ""
    """Identity of the clip's result then, see `result_identity`; empty if not known."""

    @property
    def is_rejected(self) -> bool:
        return self.verdict == "reject"

    @property
    def is_trimmed(self) -> bool:
        return self.first_frame is not None or self.last_frame is not None

    def has_changed(self, data: Path, video: str) -> bool:
        """Whether the clip has another result now than when it was decided about."""
        return bool(self.result) and self.result != result_identity(data, video)


def decisions_of(data: Path) -> dict[str, Decision]:
    """The last decision about each video; lines that are torn or of another shape are left out."""
    if not (data / FILE).is_file():
        return {}
    try:
        text = (data / FILE).read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return {}
    found = {}
    for line in text.split("\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("video"), str):
            decision = _decision(record)
            if decision is not None:
                found[record["video"]] = decision
    return found


def result_identity(data: Path, video: str) -> str:
    """What stages 2 to 4 noted of the content of a video's results, in few letters; empty where
    there are none. No result is read.
    """
    contents = set()
    for stage in _JUDGED_STAGES:
        folder = data / layout.STAMPS / stage
        for path in sorted(folder.glob(f"**/{_literal(video)}.json")):
            try:
                outputs = json.loads(path.read_text(encoding="utf-8"))["outputs"]
                contents |= {entry["sha256"] for entry in outputs.values()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
    joined = "\n".join(sorted(contents))
    return hashlib.sha256(joined.encode()).hexdigest()[:16] if contents else ""


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _decision(record: dict[str, Any]) -> Decision | None:
    known = {each.name: record[each.name] for each in fields(Decision) if each.name in record}
    decision = Decision(**known)
    places = (decision.first_frame, decision.last_frame, decision.person)
    texts = (decision.note, decision.when, decision.result)
    is_well_formed = (
        decision.verdict in VERDICTS
        and all(place is None or (type(place) is int and place >= 0) for place in places)
        and all(isinstance(text, str) for text in texts)
        and isinstance(decision.tags, list)
        and all(isinstance(tag, str) for tag in decision.tags)
    )
    return decision if is_well_formed else None
