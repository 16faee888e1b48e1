"""Two handles in the scene and the distance between them."""

import numpy as np
import viser


class DistanceTool:
    """Adds its widgets to the folder that is open, and its handles to the scene."""

    def __init__(self, server: viser.ViserServer) -> None:
        self.server = server
        self.shown = server.gui.add_checkbox("Show the distance tool", False)
        self.text = server.gui.add_text("Distance", "", disabled=True)
        self.handles = [
            server.scene.add_transform_controls(
                f"/distance/{i}", scale=0.25, disable_rotations=True, visible=False
            )
            for i in range(2)
        ]
        for handle in self.handles:
            handle.on_update(lambda _: self._measure())
        self.shown.on_update(lambda _: self._toggle())

    def _toggle(self) -> None:
        if self.shown.value:
            centre = np.asarray(self.server.initial_camera.look_at)
            for handle, x in zip(self.handles, (-0.5, 0.5), strict=True):
                handle.position = centre + np.array([x, 0, 0])
        for handle in self.handles:
            handle.visible = self.shown.value
        self._measure()

    def _measure(self) -> None:
        a, b = (np.asarray(handle.position) for handle in self.handles)
        self.text.value = f"{np.linalg.norm(a - b):.3f} m" if self.shown.value else ""
        self.server.scene.add_line_segments(
            "/distance/line",
            np.stack([a, b])[None],
            (230, 60, 60),
            thickness=0.01,
            visible=self.shown.value,
        )
