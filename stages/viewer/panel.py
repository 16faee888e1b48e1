"""The controls beside the scene, in folders."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import viser

from stages.artifacts.curation import VERDICTS
from stages.artifacts.verdicts import read_verdicts
from stages.viewer import export
from stages.viewer.decision import DecisionControls
from stages.viewer.distance import DistanceTool
from stages.viewer.elements import ElementControls
from stages.viewer.filling import Filling
from stages.viewer.playback import RATE, PlaybackControls
from stages.viewer.player import Player
from stages.viewer.results import Result, Stamp, orders, verdict_on
from stages.viewer.settings import Settings

LOADING = {
    "background": "Loading points ...",
    "camera/path": "Loading cameras ...",
    "place": "Loading the mesh ...",
    "heights": "Loading heights ...",
}
WATCH_S = 1.0
"""How often the files of the open result are looked at."""


class Panel:
    """Widgets over a player and a list of results."""

    def __init__(self, server: viser.ViserServer, results: list[Result], data: Path) -> None:
        self.server, self.results, self.data = server, results, data
        self.player: Player | None = None
        self.current = results[0]
        self.filling = Filling()
        self.switching = threading.RLock()
        server.gui.configure_theme(
            control_layout="collapsible",  # Beside the scene, whose middle nothing then hides.
            control_width="medium",
            show_logo=False,
            show_share_button=False,
        )
        self.status = server.gui.add_markdown("")
        self._results()
        guards = (self.filling, self.switching)
        self.decision = DecisionControls(
            server, data, self.current, *guards, lambda: int(self.playback.frame.value)
        )
        self.playback = PlaybackControls(server, *guards, self._show)
        self.elements = ElementControls(server, self.filling, self._set)
        self.ego_images: list[Any] = []
        self._saving()
        with server.gui.add_folder("Distance", expand_by_default=False):
            DistanceTool(server)
        self._shortcuts()

    def tell(self, text: str) -> None:
        """Says what is wrong or done, above everything."""
        self.status.content = text

    def begin_with(self, settings: Settings) -> None:
        """Shows the settings in the widgets."""
        self.elements.begin_with(settings)

    def attach(self, player: Player) -> None:
        """Begins with the first result."""
        self.player = player
        player.on_ego = self._show_ego
        player.on_loading = lambda what: setattr(self.loading, "content", LOADING.get(what, ""))
        self.open(self.results[0])
        for work in (self.playback.play_for_ever, self._watch):
            threading.Thread(target=work, daemon=True).start()

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
        with self.filling:
            self.chosen.options = [result.label for result in self.results]
            self.chosen.value = self.current.label
        self._say_place()

    def _say_place(self) -> None:
        self.place.value = f"{self.results.index(self.current) + 1}/{len(self.results)}"

    def step(self, by: int) -> None:
        """Opens the next or a previous result."""
        with self.switching:
            index = (self.results.index(self.current) + by) % len(self.results)
            self.open(self.results[index])

    def open(self, result: Result) -> None:
        """Shows a result and what was decided about it."""
        if self.player is None:
            return
        with self.switching, self.filling:
            self.current = result
            self.tell("")
            self.player.settings.person = 0
            self.player.open(result)
            self.chosen.value = result.label
            self._say_place()
            self.judged.content = verdict_on(self.data, result)
            clip = self.player.clip
            people = [str(person) for person in clip.file.ranking] if clip else []
            self.playback.fill(len(clip.names) if clip else 1, clip.fps if clip else RATE)
            self.elements.fill(people)
            self.decision.fill(result, people)

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

    def _show(self, frame: int) -> None:
        if self.player is not None:
            self.player.show(frame)

    def _set(self, name: str, value: Any) -> None:
        if self.player is not None:
            setattr(self.player.settings, name, value)
            self.player.refresh()

    def _saving(self) -> None:
        gui = self.server.gui
        with self.elements.ego:
            save = gui.add_button("Save the ego view of all frames")
        with gui.add_folder("Export", expand_by_default=False):
            page = gui.add_button("Save as a page that plays by itself")
        save.on_click(lambda _: self._save(lambda player: player.save_ego()))
        page.on_click(lambda _: self._save(export.save_page))

    def _save(self, action: Callable[[Player], str]) -> None:
        if self.player is None:
            return
        self.tell("Working ...")
        try:
            self.tell(action(self.player))
        except OSError as error:
            self.tell(f"not saved: {error}")

    def _show_ego(self, view: Any) -> None:
        if not self.ego_images:
            with self.elements.ego:
                self.ego_images = [
                    self.server.gui.add_image(image, label=label, format="png")
                    for image, label in zip(view, ("Colour", "Depth 0.1 to 4 m"), strict=True)
                ]
            return
        for widget, image in zip(self.ego_images, view, strict=True):
            widget.image = image

    def _shortcuts(self) -> None:
        add = self.server.gui.add_command
        playing, verdict = self.playback.playing, self.decision.verdict
        for label, key, action in (
            ("Next result", "N", lambda: self.step(1)),
            ("Previous result", "P", lambda: self.step(-1)),
            ("Keep", "K", lambda: setattr(verdict, "value", "keep")),
            ("Reject", "R", lambda: setattr(verdict, "value", "reject")),
            ("Undecided", "U", lambda: setattr(verdict, "value", VERDICTS[0])),
            ("Trim start here", "B", lambda: self.decision.trim("Start")),
            ("Trim end here", "E", lambda: self.decision.trim("End")),
            ("Play or pause", "L", lambda: setattr(playing, "value", not playing.value)),
            ("Open again", "O", lambda: self.open(self.current)),
            ("Next frame", ".", lambda: self.playback.move(1)),
            ("Previous frame", ",", lambda: self.playback.move(-1)),
        ):
            # viser types a key as a literal, which a loop's variable is not.
            command = add(label, hotkey=key)  # type: ignore[arg-type]
            command.on_trigger(lambda _, action=action: self.by_key(action))

    def by_key(self, action: Callable[[], Any]) -> None:
        """Does what a key means, for the result that is shown once a switch has ended."""
        with self.switching:
            action()
