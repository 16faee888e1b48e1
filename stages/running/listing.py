"""What `--list` prints: what a run would do, without doing it."""

from collections.abc import Iterator
from pathlib import Path

from stages.artifacts.layout import video_of
from stages.running.resume import Resume
from stages.running.selection import Selection, SelectionError, choose
from stages.running.stage import Stage


def listing(
    stage: Stage, names: list[str], selection: Selection, where: Path, skip_existing: bool
) -> Iterator[str]:
    """For each chosen video its name, bucket, `done` or `missing`, and why, with tabs between.

    Nothing where no video matches.
    """
    resume = Resume(stage)
    try:
        chosen = choose(names, selection, where)
    except SelectionError:
        return
    for name in chosen:
        state = resume.state(name)
        done = "done" if state.skip and skip_existing else "missing"
        yield "\t".join([video_of(name), str(stage.bucket(name)), done, state.reason])
