"""The flags of stages that follow one person or several."""

from dataclasses import dataclass

from stages.running.flags import flag
from stages.running.stage import Stage


@dataclass(kw_only=True)
class PeopleFlags(Stage):
    """`--multihuman` and `--top-k`."""

    multihuman: bool = flag(False, "Follow several people, not only the largest.")
    top_k: int = flag(0, "With --multihuman: only the k largest people by average area; 0 for all.")

    def __post_init__(self) -> None:
        if not self.multihuman:
            self.top_k = 0  # Means nothing then, so that no value of it makes results stale.
