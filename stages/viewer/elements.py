"""The controls of what is shown, and how."""

from collections.abc import Callable
from typing import Any

import viser

from stages.viewer.decision import EVERYBODY
from stages.viewer.filling import Filling
from stages.viewer.settings import Settings

ELEMENTS = {
    "people": "People",
    "contacts": "Contacts",
    "joints": "Joints",
    "robot": "Robot",
    "cameras": "Cameras",
    "background": "Background points",
    "human": "Human points",
    "mesh": "Background mesh",
    "heights": "Height field",
}
"""By the settings' names."""


class ElementControls:
    """change: called with a setting's name and its new value."""

    def __init__(
        self, server: viser.ViserServer, filling: Filling, change: Callable[[str, Any], None]
    ) -> None:
        self.filling, self.change = filling, change
        gui = server.gui
        with gui.add_folder("Scene elements"):
            self.checks = {name: gui.add_checkbox(label, False) for name, label in ELEMENTS.items()}
            self.person = gui.add_dropdown("Person", [EVERYBODY])
        with gui.add_folder("Points"):
            self.sliders = {
                "confidence": gui.add_slider("Confidence threshold", 0.0, 1.0, 0.01, 0.0),
                "gradient": gui.add_slider("Gradient threshold", 0.001, 0.5, 0.001, 0.05),
                "point_size": gui.add_slider("Point size", 0.001, 0.02, 0.001, 0.01),
            }
        with gui.add_folder("Camera"):
            self.sliders["frustum_scale"] = gui.add_slider("Frustum scale", 0.05, 0.5, 0.05, 0.15)
            self.checks["follow"] = gui.add_checkbox("Follow the video's camera", False)
        with gui.add_folder("Ego view", expand_by_default=False):
            self.checks["ego"] = gui.add_checkbox("Show what the person sees", False)
            self.ego = gui.add_folder(None)
        for name, widget in {**self.checks, **self.sliders}.items():
            widget.on_update(lambda event, name=name: self._change(name, event.target.value))
        self.person.on_update(lambda _: self._change("person", self._person()))

    def begin_with(self, settings: Settings) -> None:
        """Shows the settings in the widgets."""
        with self.filling:
            for name, widget in {**self.checks, **self.sliders}.items():
                value = getattr(settings, name)
                if name in self.sliders:
                    widget.min, widget.max = min(widget.min, value), max(widget.max, value)
                widget.value = value

    def fill(self, people: list[str]) -> None:
        """Offers the people of a result, by their ids; everybody is shown."""
        self.person.options = [EVERYBODY, *people]
        self.person.value = EVERYBODY

    def _person(self) -> int:
        return 0 if self.person.value == EVERYBODY else int(self.person.value)

    def _change(self, name: str, value: Any) -> None:
        if not self.filling:
            self.change(name, value)
