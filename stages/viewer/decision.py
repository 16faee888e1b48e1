"""The controls of what is decided about a result; decisions go to the data folder at once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import viser

from stages.artifacts.curation import VERDICTS, Decision, decisions_of
from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import list_images
from stages.artifacts.layout import DataFolder
from stages.running.curation import save_decision
from stages.viewer.filling import Filling
from stages.viewer.results import Result

EVERYBODY = "everybody"
UNDECIDED = "Nothing decided yet"


class DecisionControls:
    """Verdict, trim, person, tags and note of the result that is open.

    switching: held while a result is being opened. frame: the one that is shown, counted from the
    result's first.
    """

    def __init__(
        self,
        server: viser.ViserServer,
        data: Path,
        result: Result,
        filling: Filling,
        switching: threading.RLock,
        frame: Callable[[], int],
    ) -> None:
        self.data, self.result, self.frame = data, result, frame
        self.filling, self.switching = filling, switching
        gui = server.gui
        with gui.add_folder("Decision"):
            self.verdict = gui.add_dropdown("Verdict", VERDICTS)
            self.first = gui.add_number("First frame", 0, min=0, step=1)
            self.last = gui.add_number("Last frame", 0, min=0, step=1)
            self.trim_to = gui.add_button_group("Trim to here", ["Start", "End", "Whole"])
            self.robot_of = gui.add_dropdown("Use person", [EVERYBODY])
            self.tags = gui.add_text("Tags", "", hint="Separated by commas")
            self.note = gui.add_text("Note", "")
            self.saved = gui.add_markdown("")
        for widget in (self.verdict, self.first, self.last, self.robot_of, self.tags, self.note):
            widget.on_update(lambda _: self._decide())
        self.trim_to.on_click(lambda event: self.trim(event.target.value))

    def fill(self, result: Result, people: list[str]) -> None:
        """Shows what was decided about a result.

        people: ids of those whom it has.
        """
        self.result = result
        decision = decisions_of(self.data).get(result.name.video, Decision())
        last = self._last_place()
        chosen = EVERYBODY if decision.person is None else str(decision.person)
        # Somebody whom this result has not followed stays chosen.
        self.robot_of.options = list(dict.fromkeys([EVERYBODY, *people, chosen]))
        self.verdict.value = decision.verdict
        self.first.value = decision.first_frame or 0
        self.last.value = last if decision.last_frame is None else decision.last_frame
        self.robot_of.value = chosen
        self.tags.value, self.note.value = ", ".join(decision.tags), decision.note
        changed = decision.has_changed(self.data, result.name.video)
        since = "; **the clip has changed since**" if changed else ""
        self.saved.content = f"Decided {decision.when}{since}" if decision.when else UNDECIDED

    def trim(self, which: str) -> None:
        """Trims to the frame that is shown, its "Start" or "End", or takes the "Whole" video."""
        if which == "Start":
            self.first.value = self._place()
        elif which == "End":
            self.last.value = self._place()
        else:
            self.first.value = 0
            self.last.value = self._last_place()

    def _place(self) -> int:
        """The frame shown, among all of the video, of which the clip may be trimmed already."""
        return self.result.name.start + self.frame() * self.result.name.stride

    def _last_place(self) -> int:
        """Of the video's frames; where they are not there any more, of the clip's."""
        try:
            images = list_images(DataFolder(self.data).images(self.result.name.video))
        except ArtifactError:
            return self.result.name.end - 1
        return len(images) - 1

    def _decide(self) -> None:
        if self.filling:
            return
        with self.switching:
            self._save()

    def _save(self) -> None:
        first, last = int(self.first.value), int(self.last.value)
        if first > last:
            self.saved.content = f"**Not saved**: first frame {first} is after last frame {last}"
            return
        person = self.robot_of.value
        decision = Decision(
            verdict=self.verdict.value,
            first_frame=first or None,
            last_frame=last if last < self._last_place() else None,
            person=None if person == EVERYBODY else int(person),
            tags=[tag.strip() for tag in self.tags.value.split(",") if tag.strip()],
            note=self.note.value,
        )
        known = decisions_of(self.data).get(self.result.name.video, Decision())
        # What was chosen while another result was being opened has been overwritten by that one's.
        if decision == replace(known, when="", result=""):
            return
        try:
            when = save_decision(self.data, self.result.name.video, decision)
        except OSError as error:
            self.saved.content = f"**Not saved**: {error}"
            return
        self.saved.content = f"Saved {when}"
