"""The flags of stages that follow one person or several."""

from dataclasses import dataclass
from typing import Any

from stages.artifacts.curation import FILE, Decision, decisions_of
from stages.artifacts.masks import TrackSummary, choose_people
from stages.running.curation import curated_flag
from stages.running.flags import flag
from stages.running.stage import Stage, VideoError


@dataclass(kw_only=True)
class PeopleFlags(Stage):
    """`--multihuman` and `--top-k`."""

    multihuman: bool = flag(False, "Follow several people, not only the largest.")
    top_k: int = flag(0, "With --multihuman: only the k largest people by average area; 0 for all.")

    def __post_init__(self) -> None:
        if not self.multihuman:
            self.top_k = 0  # Means nothing then, so that no value of it makes results stale.


@dataclass(kw_only=True)
class ChosenPeople(PeopleFlags):
    """Also `--curated`: the person whom somebody chose comes first, or alone."""

    curated: bool = curated_flag()

    def decided(self, video: str) -> dict[str, Any]:
        person = self.chosen_person(video)
        return {} if person is None else {"person": person}

    def chosen_person(self, video: str) -> int | None:
        if not self.curated:
            return None
        return decisions_of(self.data_folder).get(video, Decision()).person

    def followed(self, video: str, summary: TrackSummary, everybody: bool = False) -> list[int]:
        """Ids of the people to follow, the most important first.

        Args:
            everybody: as with `--multihuman`.

        Raises:
            VideoError: the chosen person is not there.
        """
        person = self.chosen_person(video)
        if person is not None and person not in summary.all_instance_ids:
            there = ", ".join(map(str, summary.all_instance_ids)) or "nobody"
            raise VideoError(
                f"{FILE} chooses person {person} of {video}, which has {there}; choose again"
            )
        return choose_people(summary, self.multihuman or everybody, self.most_people, person)

    @property
    def most_people(self) -> int:
        """How many people are followed at most; 0 for all."""
        return self.top_k
