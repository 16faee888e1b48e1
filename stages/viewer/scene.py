"""What of a clip is in the 3-D scene, a frame at a time."""

from typing import Any

import numpy as np
import trimesh
import viser
from jaxtyping import Float, Int

from stages.body.model import BodyModel
from stages.drawing import colours, shapes
from stages.geometry.rotations import matrix_from_wxyz, wxyz_from_matrix
from stages.robot.model import Robot
from stages.robot.terrain import Terrain
from stages.viewer.clip import Clip
from stages.viewer.points import PixelPoints
from stages.viewer.settings import Settings

ROOT = "/clip"
CONTACT_COLOUR = (220, 30, 60)
HEIGHTS_COLOUR = (0.4, 0.65, 0.6)
JOINT_RADIUS_M = 0.025
IMAGE_STEP = 2
"""Pictures in camera frusta are shown at half their size."""


class Scene:
    """Nodes of one clip; what is shown follows `settings`."""

    def __init__(
        self, server: viser.ViserServer, clip: Clip, body: BodyModel, robot: Robot | None
    ) -> None:
        self.server, self.clip, self.body, self.robot = server, clip, body, robot
        self.root = server.scene.add_frame(ROOT, show_axes=False)
        self.nodes: dict[str, Any] = {}
        self.clouds: dict[str, PixelPoints] = {}
        self.human_frame = -1
        """The frame that the points of people are of."""
        self._drawn: dict[str, tuple[PixelPoints, float, float]] = {}
        """Points and thresholds of the clouds that are shown."""

    def remove(self) -> None:
        """Takes everything of this clip away."""
        self.root.remove()
        self.nodes.clear()

    def hide(self, prefix: str, keep: set[str] | None = None) -> None:
        """Hides what begins with `prefix` and is not to be kept."""
        for name, node in self.nodes.items():
            if name.startswith(prefix) and name not in (keep or set()):
                node.visible = False

    def mesh(self, name: str, mesh: shapes.Mesh, colour: colours.Colour, **more: Any) -> None:
        """Adds a mesh, or moves its vertices if it is there."""
        vertices = mesh[0].astype(np.float32)
        node = self.nodes.get(name)
        if node is not None and node.vertices.shape == vertices.shape:
            node.vertices, node.visible = vertices, True
            return
        self.nodes[name] = self.server.scene.add_mesh_simple(
            f"{ROOT}/{name}", vertices, mesh[1], color=colours.in_bytes(colour), **more
        )

    def cloud(self, name: str, points: np.ndarray, colour: Any, size_m: float) -> None:
        """Shows points, none where there are none."""
        if len(points) == 0:  # The browser takes no empty cloud.
            self.hide(name)
            return
        self.nodes[name] = self.server.scene.add_point_cloud(
            f"{ROOT}/{name}",
            points.astype(np.float32),
            colour,
            point_size=size_m,
            point_shape="circle",
            point_shading="flat",
            precision="float32",
        )

    def show_frame(self, index: int, settings: Settings) -> None:
        """Shows the people, the robots and the camera of a frame."""
        name, shown = self.clip.names[index], set()
        contacts = self.clip.contacts(index) if settings.contacts else {}
        for person, motion in self.clip.file.people.items():
            row = self.clip.row[person].get(name)
            if row is None or not settings.wants(person):
                continue
            colour = colours.of_person(person)
            if settings.people or settings.contacts:
                skin = shapes.person(self.body, motion, row)
                if settings.people:
                    self.mesh(f"people/{person}", skin, colour)
                    shown.add(f"people/{person}")
                if settings.contacts:
                    touching = skin[0][contacts.get(person, np.zeros(0, int))]
                    self.cloud(f"contacts/{person}", touching, CONTACT_COLOUR, 0.018)
                    shown.add(f"contacts/{person}")
            if settings.joints:
                self._joints(person, self.clip.joints[person][row], colours.darker(colour))
                shown.add(f"joints/{person}")
        if settings.robot and self.robot is not None:
            shown |= self._robots(index, self.robot, settings)
        for kind in ("people/", "contacts/", "joints/", "robot/"):
            self.hide(kind, shown)
        self._camera(index, settings)

    def _joints(self, person: int, joints: np.ndarray, colour: colours.Colour) -> None:
        name = f"joints/{person}"
        if name in self.nodes:
            self.nodes[name].batched_positions = joints.astype(np.float32)
            self.nodes[name].visible = True
            return
        ball = trimesh.creation.icosphere(1, JOINT_RADIUS_M)
        upright = np.tile([1.0, 0, 0, 0], (len(joints), 1))
        self.nodes[name] = self.server.scene.add_batched_meshes_simple(
            f"{ROOT}/{name}",
            ball.vertices,
            ball.faces,
            upright,
            joints.astype(np.float32),
            batched_colors=colours.in_bytes(colour),
        )

    def _robots(self, index: int, robot: Robot, settings: Settings) -> set[str]:
        shown = set()
        for person, (motion, row) in self.clip.robot_rows(index).items():
            if not settings.wants(person):
                continue
            place = {name: i for i, name in enumerate(motion.link_names)}
            known = [place.get(name, -1) for name in robot.link_names]
            quat = motion.link_quat_xyzw[row][known][:, [3, 0, 1, 2]]
            p = motion.link_pos[row][known]
            drawn = np.isin(robot.capsules.link, np.flatnonzero(np.array(known) >= 0))
            mesh = shapes.robot_capsules(robot, matrix_from_wxyz(quat), p)
            if not drawn.all():
                mesh = _without(mesh, drawn)
            self.mesh(f"robot/{person}", mesh, colours.ROBOT)
            shown.add(f"robot/{person}")
        return shown

    def _camera(self, index: int, settings: Settings) -> None:
        self.hide("camera/")
        if not settings.cameras:
            return
        frame = self.clip.frame(index)
        T, K, (height, width) = frame.T_world_camera, frame.intrinsic, frame.size
        self.nodes["camera/now"] = self.server.scene.add_camera_frustum(
            f"{ROOT}/camera/now",
            fov=float(2 * np.arctan(height / 2 / K[1, 1])),
            aspect=width / height,
            scale=settings.frustum_scale,
            color=colours.in_bytes(colours.CAMERA),
            image=frame.rgb[::IMAGE_STEP, ::IMAGE_STEP],
            format="jpeg",
            thickness=0.008,
            wxyz=wxyz_from_matrix(T[:3, :3]),
            position=T[:3, 3],
            cast_shadow=False,
        )
        if "camera/path" in self.nodes:
            self.nodes["camera/path"].visible = True

    def has(self, name: str) -> bool:
        """Whether something that is read in the background is there."""
        return name in self.nodes or name in self.clouds

    def add(self, name: str, found: Any) -> None:
        """Adds what was read in the background: points, the camera's path, a mesh."""
        if name == "background":
            self.clouds[name] = found
        elif name == "camera/path":
            self._camera_path(found)
        elif len(found[1]):
            colour = colours.PLACE if name == "place" else HEIGHTS_COLOUR
            self.mesh(name, found, colour, side="double", flat_shading=name == "heights")

    def show_place(self, settings: Settings) -> None:
        """Shows what is there of the place, as far as it is wanted."""
        self.show_points("background", settings.background, settings)
        for name, wanted in (("place", settings.mesh), ("heights", settings.heights)):
            if name in self.nodes:
                self.nodes[name].visible = wanted

    def show_points(self, name: str, wanted: bool, settings: Settings) -> None:
        """Shows those points of a cloud that pass the thresholds."""
        if not wanted or name not in self.clouds:
            self.hide(name)
            return
        points, node = self.clouds[name], self.nodes.get(name)
        drawn = points, settings.confidence, settings.gradient
        # Thousands of points are not sent again because something else has changed.
        if node is not None and self._is_drawn(name, drawn):
            node.visible, node.point_size = True, settings.point_size
            return
        keep = points.chosen(settings.confidence, settings.gradient)
        self.cloud(name, points.points[keep], points.colours[keep], settings.point_size)
        self._drawn[name] = drawn

    def _is_drawn(self, name: str, wanted: tuple[PixelPoints, float, float]) -> bool:
        last = self._drawn.get(name)
        return last is not None and last[0] is wanted[0] and last[1:] == wanted[1:]

    def _camera_path(self, Ts_world_camera: Float[np.ndarray, "T 4 4"]) -> None:
        places = Ts_world_camera[:, :3, 3]
        if len(places) > 1:
            self.nodes["camera/path"] = self.server.scene.add_line_segments(
                f"{ROOT}/camera/path",
                np.stack([places[:-1], places[1:]], axis=1),
                colours.in_bytes(colours.CAMERA),
                thickness=0.012,
            )


def height_field(vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]) -> shapes.Mesh:
    """The heights that the robot's feet were solved on: the mesh as seen from above, as a grid."""
    terrain = Terrain(vertices, faces)
    if terrain.empty:
        return np.zeros((0, 3)), np.zeros((0, 3), int)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return _grid(terrain.height_field(low[:2], high[:2], high[2] + 1))


def _grid(field: Any, step: int = 4) -> shapes.Mesh:
    heights, known = field.heights[::step, ::step], field.known[::step, ::step] > 0
    count = len(heights)
    steps = np.arange(count) * step * float(field.cell)
    x, y = np.meshgrid(field.origin[0] + steps, field.origin[1] + steps, indexing="ij")
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    whole = known[:-1, :-1] & known[1:, :-1] & known[1:, 1:] & known[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1)[whole], np.stack([a, c, d], -1)[whole]])
    return np.stack([x, y, heights], -1).reshape(-1, 3), faces


def _without(mesh: shapes.Mesh, drawn: np.ndarray) -> shapes.Mesh:
    """The mesh of capsules without those whose links the file does not place."""
    vertices, faces = mesh
    each_v, each_f = len(vertices) // len(drawn), len(faces) // len(drawn)
    count = int(drawn.sum())
    first = faces.reshape(len(drawn), each_f, 3)[0]
    kept = (first[None] + each_v * np.arange(count)[:, None, None]).reshape(-1, 3)
    return vertices.reshape(len(drawn), each_v, 3)[drawn].reshape(-1, 3), kept
