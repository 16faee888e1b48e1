"""The pictures of a clip's page, each declared once: what it shows, what to look for."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from stages.artifacts.errors import ArtifactError
from stages.artifacts.images import read_image
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.masks import read_mask
from stages.artifacts.robot_motion import RobotMotion
from stages.drawing import mesh_sides
from stages.drawing.camera import framing, from_side
from stages.drawing.colours import CAMERA, PLACE, ROBOT, darker, of_person
from stages.drawing.detections import keypoints_over, masks_over
from stages.drawing.overlays import bodies_over, camera_of, shapes_over
from stages.drawing.panels import evenly_spread, fitted, grid, titled
from stages.drawing.shading import Shape, shaded
from stages.drawing.shapes import Mesh, capsules, path, robot_capsules
from stages.geometry.rotations import matrix_from_wxyz
from stages.report import charts
from stages.report.clip import Clip
from stages.robot.model import Robot, load_g1
from stages.robot.rest import link_trajectories

MOMENTS, COLUMNS, STRIP_PX = 4, 2, 320
SIDE_PX = (270, 300)
LOOP_FRAMES, LOOP_PX, LOOP_FRAME_MS = 20, 320, 150
LEAST_AROUND_M, MOST_AROUND_M = 0.5, 2.0
"""How much of the place is shown around the paths."""
POLE_M, POLE_RADIUS_M = 1.0, 0.012


@dataclass(frozen=True)
class Picture:
    """name: of its file. look_for: the caption, which is its alternative text too."""

    name: str
    title: str
    look_for: str
    draw: Callable[[Clip], bytes]


def strip(clip: Clip) -> bytes:
    """Masks and keypoints over some frames of the video."""
    rows = evenly_spread(len(clip.images), MOMENTS)
    drawn = []
    for row in rows:
        image = clip.images[row]
        rgb = read_image(image.path)
        tinted = masks_over(rgb, read_mask(clip.data.masks(clip.video), image.name, rgb.shape[:2]))
        people = read_keypoints(clip.data.keypoints(clip.video), image.number)
        drawn.append(_narrowed(keypoints_over(tinted, people)))
    return _webp(grid(drawn, COLUMNS, [f"frame {clip.images[row].number}" for row in rows]))


def bodies(clip: Clip) -> bytes:
    """The solved bodies over some frames."""
    with clip.people_and_world() as file:
        names = sorted({name for motion in file.people.values() for name in motion.frames})
        if not names:
            raise ArtifactError(clip.folder, "nobody is in it")
        picked = [names[row] for row in evenly_spread(len(names), MOMENTS)]
        drawn = [
            _narrowed(bodies_over(file.world[name], file.people, clip.body)) for name in picked
        ]
    return _webp(grid(drawn, COLUMNS, [f"frame {name}" for name in picked]))


def plan(clip: Clip) -> bytes:
    """The mesh from above, with the paths of the camera and of the people."""
    with clip.people_and_world() as file:
        eyes = file.world.Ts_world_camera[:, :3, 3].astype(float)
        paths = {number: motion.root_transl for number, motion in file.people.items()}
    shapes = [Shape(*clip.mesh, PLACE), Shape(*path(eyes, 0.03), CAMERA)]
    shapes += [
        Shape(*path(places.astype(float), 0.03), darker(of_person(number)))
        for number, places in paths.items()
    ]
    walked = np.concatenate([eyes, *paths.values()])
    low, high = walked.min(axis=0), walked.max(axis=0)
    near = np.clip(clip.mesh[0], low - MOST_AROUND_M, high + MOST_AROUND_M)
    around = np.concatenate([near, [low - LEAST_AROUND_M, high + LEAST_AROUND_M]])
    return _webp(shaded(shapes, framing(around, from_side(-90, 89), (480, 640))))


def gravity(clip: Clip) -> bytes:
    """Upright poles, a metre tall, on the mesh in the first frame."""
    with clip.people_and_world() as file:
        frame = file.world[file.world.names[0]]
        camera = camera_of(frame)
        vertices, _ = clip.mesh
        pixels, depth = camera.project(vertices)
        height, width = camera.height, camera.width
        wanted = np.stack(
            np.meshgrid(np.linspace(0.1, 0.9, 6) * width, [height * 0.7, height * 0.9])
        )
        feet = []
        for target in wanted.reshape(2, -1).T:
            distance = np.where(depth > 0.3, np.linalg.norm(pixels - target, axis=1), np.inf)
            distance[~np.isfinite(distance)] = np.inf
            if len(distance) and distance.min() < 20:
                near = np.flatnonzero(distance < distance.min() + 3)
                feet.append(vertices[near[depth[near].argmin()]])
        if not feet:
            raise ArtifactError(clip.folder, "the first frame shows none of the mesh")
        start = np.array(feet)
        radius = np.full(len(start), POLE_RADIUS_M)
        poles = capsules(start, start + np.array([0, 0, POLE_M]), radius)
        return _webp(shapes_over(frame, [Shape(*poles, CAMERA)], 2 * STRIP_PX, 0.9))


def sides(clip: Clip) -> bytes:
    """The mesh from three sides."""
    with clip.people_and_world() as file:
        return _webp(mesh_sides.picture(*clip.mesh, file.people, clip.body, SIDE_PX))


def robot_and_person(clip: Clip) -> bytes:
    """A loop of the people's bodies and, beside them, the robots', over the frames of the video."""
    robot = load_g1()
    parts = [part for motions in clip.robots.values() for part in motions]
    rows = [dict(zip(p.frame_numbers.tolist(), range(len(p.times_s)), strict=True)) for p in parts]
    drawn = []
    with clip.people_and_world() as file:
        by_number = dict(zip(file.world.numbers, file.world.names, strict=True))
        numbers = sorted(set(by_number) & {number for each in rows for number in each})
        for number in (numbers[row] for row in evenly_spread(len(numbers), LOOP_FRAMES)):
            frame, time_s, machines = file.world[by_number[number]], 0.0, []
            for part, row_of in zip(parts, rows, strict=True):
                row = row_of.get(number)
                if row is None or not part.present[row]:
                    continue
                time_s = float(part.times_s[row])
                machines.append(Shape(*_posed(robot, part, row), ROBOT))
            pair = (
                bodies_over(frame, file.people, clip.body, LOOP_PX),
                shapes_over(frame, machines, LOOP_PX, 0.9),
            )
            drawn.append(titled(np.hstack(pair), f"{time_s:.2f} s"))
    if not drawn:
        raise ArtifactError(clip.folder, "the robot's frames are not the video's")
    return _looped(drawn)


def _posed(robot: Robot, motion: RobotMotion, row: int) -> Mesh:
    R, p = link_trajectories(
        robot,
        matrix_from_wxyz(motion.root_quat_xyzw[[row]][:, [3, 0, 1, 2]]),
        motion.root_pos[[row]],
        motion.joints[[row]],
    )
    return robot_capsules(robot, R[0], p[0])


def _looped(pictures: list[np.ndarray]) -> bytes:
    first, *rest = [Image.fromarray(one) for one in pictures]
    file = BytesIO()
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=LOOP_FRAME_MS,
        loop=0,
        quality=70,
        method=2,
    )
    return file.getvalue()


def thumbnail(clip: Clip) -> bytes:
    """The frame in the middle, small; with bodies where there are some."""
    try:
        with clip.people_and_world() as file:
            names = next(motion.frames for motion in file.people.values() if motion.frames)
            frame = file.world[names[len(names) // 2]]
            picture = bodies_over(frame, file.people, clip.body)
    except Exception:  # What is missing is said where it should be drawn.
        picture = read_image(clip.images[len(clip.images) // 2].path)
    return _webp(fitted(picture, 90, 160))


PICTURES = (
    Picture(
        "people.webp",
        "Masks and keypoints",
        "The tint should cover the whole person and nothing else, keep its colour from frame to "
        "frame, and the green dots should lie on the joints.",
        strip,
    ),
    Picture(
        "bodies.webp",
        "Bodies over the video",
        "The body should cover the person: same pose, same size, feet where the feet are.",
        bodies,
    ),
    Picture(
        "robot.webp",
        "Person and robot",
        "Left the person's body, right the robot, over the same frames. The robot should do what "
        "the person does, with feet on the ground, without jerks.",
        robot_and_person,
    ),
    Picture(
        "plan.webp",
        "Paths from above",
        "Blue is the camera, the others are the people in their colours. Paths should be smooth, "
        "stay clear of walls, and be as long as what you saw in the video.",
        plan,
    ),
    Picture(
        "gravity.webp",
        "Upright in the first frame",
        "Blue poles stand a metre tall on the mesh. They should be parallel to walls, door frames "
        "and standing people.",
        gravity,
    ),
    Picture(
        "mesh.webp",
        "The place from three sides",
        "Floors should be level and whole, steps sharp, and the person should stand on the "
        "surface, neither in it nor above it.",
        sides,
    ),
    Picture(
        "contacts.svg",
        "Foot contacts",
        "Bars say when a foot stands. Walking alternates between left and right; the robot's bars "
        "should be those of the person, without flicker.",
        charts.contacts,
    ),
    Picture(
        "joints.svg",
        "Joint angles against limits",
        "Dashed lines are the limits. Lines should move, touch limits briefly at most, and not "
        "jump. A flat line is a frozen joint.",
        charts.joints,
    ),
    Picture(
        "terms.svg",
        "Optimisation terms",
        "What is left of each term when the solvers stopped, as they noted it, on a logarithmic "
        "axis. Compare with other clips: one that is ten times larger names what is wrong.",
        charts.terms,
    ),
)


def _narrowed(rgb: np.ndarray, width: int = STRIP_PX) -> np.ndarray:
    return fitted(rgb, round(width * rgb.shape[0] / rgb.shape[1]), width)


def _webp(rgb: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "WEBP", quality=80)
    return file.getvalue()
