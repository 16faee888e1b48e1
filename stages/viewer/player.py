"""The clip that is open: switching, frames, and loading in the background."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import viser
from jaxtyping import Float

from stages.body.model import BodyModel
from stages.robot.model import Robot
from stages.viewer import ego_view, points
from stages.viewer.clip import UNREADABLE, Clip, open_clip
from stages.viewer.results import Result, Stamp
from stages.viewer.scene import Scene, height_field
from stages.viewer.settings import Settings

EGO_FOLDER = "ego_view"
LOOK_M = 3.0
"""How far ahead of the video's camera the point is round which one turns."""


class Player:
    """One clip at a time. Every method may be called from any thread.

    `tell` is called with what is being done or wrong, `on_loading` with what is being read in the
    background, `loaded` is set after everything wanted is there.
    """

    def __init__(
        self,
        server: viser.ViserServer,
        body: BodyModel,
        robot: Robot | None,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        self.server, self.body, self.robot, self.settings = server, body, robot, settings
        self.tell = tell
        self.lock = threading.RLock()
        self.clip: Clip | None = None
        self.scene: Scene | None = None
        self.index = 0
        self.result: Result | None = None
        self.stamp: Stamp = {}
        """Of the result, when it was opened."""
        self.loaded = threading.Event()
        self.on_ego: Callable[[ego_view.EgoView], None] = lambda view: None
        self.on_loading: Callable[[str], None] = lambda what: None
        self._worker = ThreadPoolExecutor(1)

    def open(self, result: Result) -> None:
        """Shows another result: its people and robots now, the rest as it is read."""
        with self.lock, self.server.atomic():
            self.close()
            self.result, self.stamp = result, result.stamp()
            half = result.half_made_by()
            note = f"{half} has begun on it and not finished" if half else ""
            try:
                self.clip = open_clip(result)
                self.scene = Scene(self.server, self.clip, self.body, self.robot)
                self.index = 0
                self.tell("; ".join(filter(None, (self.clip.problem, note))))
                self._look()
                self._guarded(self._frame)
            except UNREADABLE as error:
                self.close()
                text = f"{result.label} is broken or still being written: {error}"
                self.tell("; ".join(filter(None, (text, note))))
                return
        self.refresh()

    def has_changed(self) -> bool:
        """Whether files of the result were written anew since it was opened."""
        return self.result is not None and self.result.stamp() != self.stamp

    def close(self) -> None:
        """Takes the clip away."""
        with self.lock:
            if self.scene is not None:
                self.scene.remove()
            if self.clip is not None:
                self.clip.close()
            self.clip = self.scene = None

    def show(self, index: int) -> None:
        """Shows a frame."""
        with self.lock, self.server.atomic():
            if self.clip is not None:
                self.index = index % len(self.clip.names)
                self._guarded(self._frame)

    def refresh(self) -> None:
        """Shows what the settings say, and loads what is missing for that, in the background."""
        self.loaded.clear()
        with self.lock:
            scene = self.scene
            if scene is None:
                self.loaded.set()
                return
            with self.server.atomic():
                self._guarded(self._frame)
                scene.show_place(self.settings)
        self._worker.submit(self._load, scene)

    def _load(self, scene: Scene) -> None:
        """Reads what is wanted and missing, one thing at a time, until another clip is open.

        Frames can be shown meanwhile: the lock is held only to show what has been read.
        """
        clip, settings = scene.clip, self.settings
        steps: tuple[tuple[str, Callable[[], bool], Callable[[], Any]], ...] = (
            (
                "background",
                lambda: settings.background,
                lambda: points.background(clip, settings.step),
            ),
            ("camera/path", lambda: settings.cameras, lambda: clip.file.world.Ts_world_camera),
            ("place", lambda: settings.mesh, lambda: clip.mesh),
            ("heights", lambda: settings.heights, lambda: height_field(*clip.mesh)),
        )
        for name, wanted, read in steps:
            if scene is not self.scene:
                return
            if not wanted() or scene.has(name):
                continue
            self.on_loading(name)
            try:
                found = read()
            except UNREADABLE as error:
                if scene is self.scene:  # Else the file was closed meanwhile.
                    self.tell(f"cannot be shown: {error}")
                continue
            with self.lock, self.server.atomic():
                if scene is not self.scene:
                    return
                scene.add(name, found)
                scene.show_place(settings)
                if name == "background" and settings.ego:
                    self._ego()
        self.on_loading("")
        self.loaded.set()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except UNREADABLE as error:
            self.tell(f"cannot be shown: {error}")

    def _frame(self) -> None:
        clip, scene, settings = self.clip, self.scene, self.settings
        if clip is None or scene is None:
            return
        scene.show_frame(self.index, settings)
        if settings.human and scene.human_frame != self.index:
            step = max(1, settings.step // 2)
            scene.clouds["human"] = points.frame_points(clip.frame(self.index), True, step)
            scene.human_frame = self.index
        scene.show_points("human", settings.human, settings)
        if settings.follow:
            self._follow(clip)
        if settings.ego:
            self._ego()

    def _follow(self, clip: Clip) -> None:
        frame = clip.frame(self.index)
        T, height = frame.T_world_camera.astype(float), frame.size[0]
        right, down, ahead, place = T[:3].T
        up = np.array([0.0, 0.0, 1.0]) - right[2] * right  # Orbiting afterwards stays level.
        if up @ -down < 0.05:
            up = -down
        fov = float(2 * np.arctan(height / 2 / frame.intrinsic[1, 1]))
        self._put_cameras(place, place + LOOK_M * ahead, up, fov)

    def ego(self, index: int) -> ego_view.EgoView | None:
        """What the chosen person sees in a frame; None where they or the place are not known."""
        clip, scene = self.clip, self.scene
        if clip is None or scene is None or not clip.file.ranking:
            return None
        person = self.settings.person or clip.file.ranking[0]
        row = clip.row[person].get(clip.names[index])
        if row is None:
            return None
        if "background" not in scene.clouds:
            scene.clouds["background"] = points.background(clip, self.settings.step)
        cloud = scene.clouds["background"]
        keep = cloud.chosen(self.settings.confidence, self.settings.gradient)
        T = ego_view.T_world_head_camera(self.body, clip.file.people[person], row)
        return ego_view.ego_view(T, cloud.points[keep], cloud.colours[keep])

    def _ego(self) -> None:
        view = self.ego(self.index)
        if view is not None:
            self.on_ego(view)

    def save_ego(self) -> str:
        """Writes the ego view of every frame into the result's folder; returns what was done."""
        with self.lock:
            if self.clip is None:
                return "no clip is open"
            folder, count = self.clip.result.folder / EGO_FOLDER, 0
            for index in range(len(self.clip.names)):
                view = self.ego(index)
                if view is not None:
                    ego_view.save(folder, index, view)
                    count += 1
        return f"{count} frames in {folder}"

    def _look(self) -> None:
        """Puts everybody's camera where the people of the clip can be seen, from the video's side.

        Above it, as somebody who films from a step back would be.
        """
        clip = self.clip
        if clip is None:
            return
        roots = [motion.root_transl for motion in clip.file.people.values() if len(motion.frames)]
        eye = clip.frame(0).T_world_camera[:3, 3].astype(float)
        if roots:
            path = np.concatenate(roots)
            target = (path.min(axis=0) + path.max(axis=0)) / 2 - [0, 0, 0.3]
            reach = float(np.linalg.norm(np.ptp(path[:, :2], axis=0)))
        else:
            target, reach = eye + clip.frame(0).T_world_camera[:3, 2] * LOOK_M, 2.0
        away = (eye - target) * [1, 1, 0]
        away /= max(float(np.linalg.norm(away)), 1e-6)
        side = np.array([-away[1], away[0], 0.0])
        place = target + (away + 0.45 * side) * (2.2 + 0.7 * reach) + [0, 0, 1.3]
        # People who connect later start there too.
        self.server.initial_camera.position = place
        self.server.initial_camera.look_at = target
        self.server.initial_camera.up = (0.0, 0.0, 1.0)
        self._put_cameras(place, target, np.array([0.0, 0.0, 1.0]))

    def _put_cameras(
        self,
        place: Float[np.ndarray, "3"],
        target: Float[np.ndarray, "3"],
        up: Float[np.ndarray, "3"],
        fov: float | None = None,
    ) -> None:
        """Everybody's camera; each value by itself is where it has to be, in metres and radians.

        viser overwrites what it knows of a camera whenever a browser tells where it was, also
        between two of these lines, so none may build on what it knows.
        """
        for client in self.server.get_clients().values():
            with client.atomic():
                client.camera.position, client.camera.look_at = place, target
                client.camera.up_direction = up
                if fov is not None:
                    client.camera.fov = fov
