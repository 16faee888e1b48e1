"""The controls beside the scene, in folders."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import viser

from stages.artifacts.curation import VERDICTS, Decision, decisions_of
from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import list_images
from stages.artifacts.layout import DataFolder
from stages.artifacts.verdicts import read_verdicts
from stages.running.curation import save_decision
from stages.viewer import export
from stages.viewer.player import Player
from stages.viewer.results import Result, Stamp, orders, verdict_on

EVERYBODY = "everybody"
RATES = ("10", "20", "30", "60")
LOADING = {
    "background": "Loading points ...",
    "camera/path": "Loading cameras ...",
    "place": "Loading the mesh ...",
    "heights": "Loading heights ...",
}
UNDECIDED = "Nothing decided yet"
WATCH_S = 1.0
"""How often the files of the open result are looked at."""


class Panel:
    """Widgets over a player and a list of results; decisions go to the data folder at once."""

    def __init__(self, server: viser.ViserServer, results: list[Result], data: Path) -> None:
        self.server, self.results, self.data = server, results, data
        self.player: Player | None = None
        self.current = results[0]
        self.filling = False
        self.rate = 30.0
        self.switching = threading.RLock()
        server.gui.configure_theme(
            control_layout="collapsible",  # Beside the scene, whose middle nothing then hides.
            control_width="medium",
            show_logo=False,
            show_share_button=False,
        )
        self.status = server.gui.add_markdown("")
        self._results()
        self._decision()
        self._playback()
        self._shown()
        self._ego_and_export()
        self._distance()
        self._shortcuts()

    def tell(self, text: str) -> None:
        """Says what is wrong or done, above everything."""
        self.status.content = text

    def attach(self, player: Player) -> None:
        """Begins with the first result."""
        self.player = player
        player.on_ego = self._show_ego
        player.on_loading = lambda what: setattr(self.loading, "content", LOADING.get(what, ""))
        self.open(self.results[0])
        for work in (self._play, self._watch):
            threading.Thread(target=work, daemon=True).start()

    # --- which result

    def _results(self) -> None:
        gui = self.server.gui
        with gui.add_folder("Results"):
            self.chosen = gui.add_dropdown("Result", [r.label for r in self.results])
            self.orders = orders(read_verdicts(self.data))
            self.order = gui.add_dropdown("Sorted by", list(self.orders))
            self.turn = gui.add_button_group("Go to", ["Previous", "Next"])
            self.place = gui.add_text("Index", "", disabled=True)
            self.judged = gui.add_markdown("")
            self.loading = gui.add_markdown("")
        self.chosen.on_update(lambda _: self._chosen())
        self.order.on_update(lambda _: self._sort())
        self.turn.on_click(lambda event: self.step(1 if event.target.value == "Next" else -1))

    def _chosen(self) -> None:
        if not self.filling:
            self.open(next(r for r in self.results if r.label == self.chosen.value))

    def _sort(self) -> None:
        self.results = sorted(self.results, key=self.orders[self.order.value])
        self.filling = True
        self.chosen.options = [result.label for result in self.results]
        self.chosen.value = self.current.label
        self.filling = False
        self._say_place()

    def _say_place(self) -> None:
        self.place.value = f"{self.results.index(self.current) + 1}/{len(self.results)}"

    def step(self, by: int) -> None:
        """Opens the next or a previous result."""
        index = (self.results.index(self.current) + by) % len(self.results)
        self.open(self.results[index])

    def open(self, result: Result) -> None:
        """Shows a result and what was decided about it."""
        if self.player is None:
            return
        with self.switching:
            self.current = result
            self.tell("")
            self.player.settings.person = 0
            self.player.open(result)
            self.filling = True
            self.chosen.value = result.label
            self._say_place()
            self.judged.content = verdict_on(self.data, result)
            clip = self.player.clip
            last = len(clip.names) - 1 if clip else 0
            self.frame.max = max(last, 1)
            self.frame.value = 0
            self.rate = clip.fps if clip else 30.0
            self.rate_slider.value = round(self.rate)
            people = [str(person) for person in clip.file.ranking] if clip else []
            self.person.options = [EVERYBODY, *people]
            self.person.value = EVERYBODY
            self._fill_decision()
            self.filling = False

    def _watch(self) -> None:
        told: Stamp = {}
        while self.player is not None:
            time.sleep(WATCH_S)
            with self.switching:
                if self.player.has_changed() and self.current.stamp() != told:
                    told = self.current.stamp()
                    self.tell(
                        f"**{self.current.label} has changed on disk** since it was opened:"
                        " press O to open it again"
                    )

    # --- what is decided

    def _decision(self) -> None:
        gui = self.server.gui
        with gui.add_folder("Decision"):
            self.verdict = gui.add_dropdown("Verdict", VERDICTS)
            self.first = gui.add_number("First frame", 0, min=0, step=1)
            self.last = gui.add_number("Last frame", 0, min=0, step=1)
            self.trim = gui.add_button_group("Trim to here", ["Start", "End", "Whole"])
            self.robot_of = gui.add_dropdown("Use person", [EVERYBODY])
            self.tags = gui.add_text("Tags", "", hint="Separated by commas")
            self.note = gui.add_text("Note", "")
            self.saved = gui.add_markdown("")
        for widget in (self.verdict, self.first, self.last, self.robot_of, self.tags, self.note):
            widget.on_update(lambda _: self._decide())
        self.trim.on_click(lambda event: self._trim(event.target.value))

    def _trim(self, which: str) -> None:
        if which == "Start":
            self.first.value = self._place(self.frame.value)
        elif which == "End":
            self.last.value = self._place(self.frame.value)
        else:
            self.first.value = 0
            self.last.value = self._last_place()

    def _place(self, frame: int) -> int:
        """Among all frames of the video, of one of the clip, which may be trimmed already."""
        return self.current.name.start + int(frame) * self.current.name.stride

    def _last_place(self) -> int:
        """Of the video's frames; where they are not there any more, of the clip's."""
        try:
            images = list_images(DataFolder(self.data).images(self.current.name.video))
        except ArtifactError:
            return self.current.name.end - 1
        return len(images) - 1

    def _fill_decision(self) -> None:
        decision = decisions_of(self.data).get(self.current.name.video, Decision())
        last = self._last_place()
        people = self.person.options[1:]
        chosen = EVERYBODY if decision.person is None else str(decision.person)
        # Somebody whom this result has not followed stays chosen.
        self.robot_of.options = list(dict.fromkeys([EVERYBODY, *people, chosen]))
        self.verdict.value = decision.verdict
        self.first.value = decision.first_frame or 0
        self.last.value = last if decision.last_frame is None else decision.last_frame
        self.robot_of.value = chosen
        self.tags.value, self.note.value = ", ".join(decision.tags), decision.note
        changed = decision.has_changed(self.data, self.current.name.video)
        since = "; **the clip has changed since**" if changed else ""
        self.saved.content = f"Decided {decision.when}{since}" if decision.when else UNDECIDED

    def _decide(self) -> None:
        if self.filling:
            return
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
        try:
            when = save_decision(self.data, self.current.name.video, decision)
        except OSError as error:
            self.saved.content = f"**Not saved**: {error}"
            return
        self.saved.content = f"Saved {when}"

    # --- time

    def _playback(self) -> None:
        gui = self.server.gui
        with gui.add_folder("Playback"):
            self.frame = gui.add_slider("Frame", 0, 1, 1, 0)
            self.frame_step = gui.add_button_group("Frame step", ["Back", "Forward"])
            self.playing = gui.add_checkbox("Playing", False)
            self.rate_slider = gui.add_slider("Frames a second", 1, 60, 1, 30)
            self.rates = gui.add_button_group("Rate", RATES)
        self.frame.on_update(lambda _: self._show())
        self.frame_step.on_click(lambda e: self.move(1 if e.target.value == "Forward" else -1))
        self.rate_slider.on_update(lambda _: setattr(self, "rate", float(self.rate_slider.value)))
        self.rates.on_click(lambda e: setattr(self.rate_slider, "value", int(e.target.value)))

    def _show(self) -> None:
        if not self.filling and self.player is not None:
            self.player.show(int(self.frame.value))

    def move(self, by: int) -> None:
        """Goes some frames on or back, round the ends."""
        self.frame.value = (int(self.frame.value) + by) % (int(self.frame.max) + 1)

    def _play(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + 1 / self.rate, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
            if self.playing.value:
                with self.switching:
                    self.move(1)

    # --- what is shown

    def _shown(self) -> None:
        gui = self.server.gui
        with gui.add_folder("Scene elements"):
            self.checks = {
                name: gui.add_checkbox(label, False)
                for name, label in (
                    ("people", "People"),
                    ("contacts", "Contacts"),
                    ("joints", "Joints"),
                    ("robot", "Robot"),
                    ("cameras", "Cameras"),
                    ("background", "Background points"),
                    ("human", "Human points"),
                    ("mesh", "Background mesh"),
                    ("heights", "Height field"),
                )
            }
            self.person = gui.add_dropdown("Person", [EVERYBODY])
        with gui.add_folder("Points"):
            sliders = {
                "confidence": gui.add_slider("Confidence threshold", 0.0, 1.0, 0.01, 0.0),
                "gradient": gui.add_slider("Gradient threshold", 0.001, 0.5, 0.001, 0.05),
                "point_size": gui.add_slider("Point size", 0.001, 0.02, 0.001, 0.01),
            }
        with gui.add_folder("Camera"):
            sliders["frustum_scale"] = gui.add_slider("Frustum scale", 0.05, 0.5, 0.05, 0.15)
            self.checks["follow"] = gui.add_checkbox("Follow the video's camera", False)
        self.sliders = sliders
        for name, widget in {**self.checks, **sliders}.items():
            widget.on_update(lambda event, name=name: self._set(name, event.target.value))
        self.person.on_update(lambda _: self._set_person())

    def begin_with(self, settings: Any) -> None:
        """Shows the settings in the widgets."""
        self.filling = True
        for name, widget in {**self.checks, **self.sliders}.items():
            value = getattr(settings, name)
            if name in self.sliders:
                widget.min, widget.max = min(widget.min, value), max(widget.max, value)
            widget.value = value
        self.filling = False

    def _set(self, name: str, value: Any) -> None:
        if self.player is not None and not self.filling:
            setattr(self.player.settings, name, value)
            self.player.refresh()

    def _set_person(self) -> None:
        value = self.person.value
        self._set("person", 0 if value == EVERYBODY else int(value))

    # --- ego view, export, distance

    def _ego_and_export(self) -> None:
        gui = self.server.gui
        with gui.add_folder("Ego view", expand_by_default=False):
            self.checks["ego"] = gui.add_checkbox("Show what the person sees", False)
            self.ego_folder = gui.add_folder(None)
            save = gui.add_button("Save the ego view of all frames")
        self.checks["ego"].on_update(lambda event: self._set("ego", event.target.value))
        self.ego_images: list[Any] = []
        with gui.add_folder("Export", expand_by_default=False):
            page = gui.add_button("Save as a page that plays by itself")
        save.on_click(lambda _: self._save(lambda p: p.save_ego()))
        page.on_click(lambda _: self._save(export.save_page))

    def _save(self, action: Any) -> None:
        if self.player is None:
            return
        self.tell("Working ...")
        try:
            self.tell(action(self.player))
        except OSError as error:
            self.tell(f"not saved: {error}")

    def _show_ego(self, view: Any) -> None:
        if not self.ego_images:
            with self.ego_folder:
                self.ego_images = [
                    self.server.gui.add_image(image, label=label, format="png")
                    for image, label in zip(view, ("Colour", "Depth 0.1 to 4 m"), strict=True)
                ]
            return
        for widget, image in zip(self.ego_images, view, strict=True):
            widget.image = image

    def _distance(self) -> None:
        from stages.viewer.distance import DistanceTool

        with self.server.gui.add_folder("Distance", expand_by_default=False):
            DistanceTool(self.server)

    # --- keys

    def _shortcuts(self) -> None:
        add = self.server.gui.add_command
        for label, key, action in (
            ("Next result", "N", lambda: self.step(1)),
            ("Previous result", "P", lambda: self.step(-1)),
            ("Keep", "K", lambda: setattr(self.verdict, "value", "keep")),
            ("Reject", "R", lambda: setattr(self.verdict, "value", "reject")),
            ("Undecided", "U", lambda: setattr(self.verdict, "value", VERDICTS[0])),
            ("Trim start here", "B", lambda: self._trim("Start")),
            ("Trim end here", "E", lambda: self._trim("End")),
            ("Play or pause", "L", lambda: setattr(self.playing, "value", not self.playing.value)),
            ("Open again", "O", lambda: self.open(self.current)),
            ("Next frame", ".", lambda: self.move(1)),
            ("Previous frame", ",", lambda: self.move(-1)),
        ):
            # viser types a key as a literal, which a loop's variable is not.
            command = add(label, hotkey=key)  # type: ignore[arg-type]
            command.on_trigger(lambda _, action=action: self.by_key(action))

    def by_key(self, action: Callable[[], Any]) -> None:
        """Does what a key means, for the result that is shown once a switch has ended."""
        with self.switching:
            action()
