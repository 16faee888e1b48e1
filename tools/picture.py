"""The picture in the README: a frame, what stage 0 sees in it, person and robot in 3-D."""

from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from stages.artifacts.images import list_images, read_image
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.layout import CALIBRATED, DataFolder
from stages.artifacts.masks import read_mask
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.people_and_world import opened_people_and_world
from stages.artifacts.robot_motion import SINGLE_FILE, read_robot_motion
from stages.body.model import DEMO_BODY, load_body
from stages.drawing.camera import looking_at
from stages.drawing.colours import PEOPLE, PLACE, ROBOT
from stages.drawing.detections import masks_over
from stages.drawing.panels import grid
from stages.drawing.shading import Shape, shaded
from stages.drawing.shapes import person, robot_capsules
from stages.geometry.rotations import matrix_from_wxyz
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.running.reconstructions import current

LONG_SIDE_PX = 960
AWAY_M, ABOVE_M, ASIDE_DEG = 3.2, 1.0, 25.0
"""Where the place is seen from: from the side of the video's camera, seen from the pelvis."""
MIN_SCORE = 0.3


def drawn(data: DataFolder, video: str, number: int) -> np.ndarray:
    """Four panels of the frame's size: image, masks and keypoints, person, robot. Those of an
    upright video stand side by side, others in two rows.
    """
    image = list_images(data.images(video))[number]
    rgb = read_image(image.path)
    seen = masks_over(rgb, read_mask(data.masks(video), image.name))
    for entry in read_keypoints(data.keypoints(video), image.number).values():
        for x, y, score in entry.keypoints:
            if score > MIN_SCORE:
                cv2.circle(seen, (round(float(x)), round(float(y))), 2, (0, 255, 120), -1)
    reconstruction = current(data.root, [data.root / CALIBRATED], video)
    if reconstruction is None:
        raise click.UsageError(f"{data.root} has no finished {video}; run make dataset")
    folder = data.root / CALIBRATED / reconstruction.megahunter_stem
    with opened_people_and_world(folder / "gravity_calibrated_megahunter.h5") as file:
        people = next(iter(file.people.values()))
        eye = file.world[image.name].T_world_camera[:3, 3]
    row = people.frames.index(image.name)
    robot, motion = load_g1(), read_robot_motion(folder / SINGLE_FILE)
    R, p = link_trajectories(
        robot,
        matrix_from_wxyz(motion.root_quat_xyzw[row : row + 1, [3, 0, 1, 2]]),
        motion.root_pos[row : row + 1],
        motion.joints[row : row + 1],
    )
    pelvis = people.root_transl[row]
    camera = looking_at(
        pelvis + _from_aside(eye - pelvis), pelvis - [0, 0, 0.2], rgb.shape[:2], 40.0
    )
    place = Shape(*read_mesh(folder / MESH_FILE), PLACE)
    body = Shape(*person(load_body(DEMO_BODY), people, row), PEOPLE[0])
    machine = Shape(*robot_capsules(robot, R[0], p[0]), ROBOT)
    panels = [rgb, seen, shaded([place, body], camera), shaded([place, machine], camera)]
    return grid(panels, 4 if rgb.shape[0] > rgb.shape[1] else 2)


def _from_aside(to_camera: np.ndarray) -> np.ndarray:
    """From the pelvis to where the place is seen from, in the z-up world."""
    angle = np.arctan2(to_camera[1], to_camera[0]) + np.radians(ASIDE_DEG)
    return np.array([AWAY_M * np.cos(angle), AWAY_M * np.sin(angle), ABOVE_M])


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default="data/demo_real")
@click.option("--video", default="sitting_standing")
@click.option("--frame", default=100)
@click.option("--out", type=click.Path(path_type=Path), default="docs/result.png")
def main(data_dir: Path, video: str, frame: int, out: Path) -> None:
    """Draw one frame of a finished video."""
    picture = Image.fromarray(drawn(DataFolder(data_dir), video, frame))
    picture.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX))
    picture.save(out)


if __name__ == "__main__":
    main()
