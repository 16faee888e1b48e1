"""Decisions about videos while stages run: adding one, and the frames that one leaves."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from stages.artifacts.curation import FILE, Decision, decisions_of, result_identity
from stages.running import json_lines
from stages.running.flags import flag
from stages.running.ledger import now


def save_decision(data: Path, video: str, decision: Decision) -> str:
    """Adds a decision to the file; returns its time.

    Raises:
        OSError: the folder cannot be written.
    """
    made = replace(decision, when=now(), result=result_identity(data, video))
    json_lines.append(data / FILE, {"video": video, **asdict(made)})
    return made.when


def curated_flag() -> Any:
    """A field for whether decisions hold. A stamp notes what was decided of its video, or a result
    has it in its name; of the flag it says nothing.
    """
    return flag(
        False, "Take the frames and the person that curation.jsonl says.", changes_results=False
    )


def trimmed(data: Path, video: str, start: int, end: int) -> tuple[int, int]:
    """Places from `start` to before `end` that are also in the trim of the video."""
    decision = decisions_of(data).get(video, Decision())
    first = decision.first_frame or 0
    after_last = end if decision.last_frame is None else decision.last_frame + 1
    return max(start, first), min(end, after_last)
