"""What `--list` prints: what a run would do, without doing it."""

from collections.abc import Iterable, Iterator

from stages.running.failures import one_line
from stages.running.resume import Resume
from stages.running.stage import Stage, VideoError


def listing(stage: Stage, videos: Iterable[str], skip_existing: bool) -> Iterator[str]:
    """For each video its name, bucket, `done` or `missing`, and why, with tabs between."""
    resume = Resume(stage)
    for video in videos:
        try:
            state = resume.state(video)
            done, reason = state.skip and skip_existing, state.refused or state.reason
        except (VideoError, OSError) as error:
            done, reason = False, one_line(error)
        yield "\t".join([video, str(stage.bucket(video)), "done" if done else "missing", reason])
