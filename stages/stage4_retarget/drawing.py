"""The picture of stage 4 for `--vis`: robot and person at some moments of the clip, on the mesh."""

import numpy as np
from jaxtyping import Float, Int, UInt8

from stages.body.joint_names import SMPL_PARENTS
from stages.drawing.camera import Camera, framing, from_side
from stages.drawing.colours import PEOPLE, PLACE, ROBOT
from stages.drawing.panels import evenly_spread, grid
from stages.drawing.shading import Shape, shaded
from stages.drawing.shapes import robot_capsules, skeleton
from stages.geometry.rays import RayCaster
from stages.robot.model import Robot

MOMENTS, COLUMNS = 6, 3
SIZE_PX = (480, 480)
ROOM = 1.25
"""For some of the place around robot and person."""
SIDES_DEG = (60, -60, 120, -120, 20, -20, 160, -160)
"""Where one may stand to watch, from the robot's heading leftwards, the best place first."""
ELEVATION_DEG = 15


def picture(
    robot: Robot,
    R_world_link: Float[np.ndarray, "T L 3 3"],
    p_world_link: Float[np.ndarray, "T L 3"],
    person_joints: Float[np.ndarray, "T 45 3"],
    times_s: Float[np.ndarray, " T"],
    vertices: Float[np.ndarray, "V 3"],
    faces: Int[np.ndarray, "F 3"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Draws the robot's capsules over the skeleton of the person that it follows.

    Args:
        R_world_link, p_world_link: poses of all links in URDF order, the root first, as
            `stages.robot.rest.link_trajectories` gives them.
        person_joints: SMPL-45 in the mesh's world, in the same rows.
        times_s: of the rows, for the titles.
        vertices: of the mesh; it may be empty.
    """
    rows = evenly_spread(len(times_s), MOMENTS)
    R, p = R_world_link[rows], p_world_link[rows]
    bones = person_joints[rows, : len(SMPL_PARENTS)].astype(np.float64)
    both = np.concatenate([p, bones], axis=1)
    azimuth_deg = _clearest_azimuth_deg(RayCaster(vertices, faces), both, R[:, 0, :, 0].mean(0))
    pictures = [
        shaded(
            [
                Shape(vertices, faces, PLACE),
                Shape(*robot_capsules(robot, R[moment], p[moment]), ROBOT),
                Shape(*skeleton(bones[moment], SMPL_PARENTS), PEOPLE[0]),
            ],
            _watching(both[moment], azimuth_deg),
        )
        for moment in range(len(rows))
    ]
    return grid(pictures, COLUMNS, [f"{times_s[row]:.2f} s" for row in rows])


def _watching(points: Float[np.ndarray, "N 3"], azimuth_deg: float) -> Camera:
    return framing(points, from_side(azimuth_deg, ELEVATION_DEG), SIZE_PX, ROOM)


def _clearest_azimuth_deg(
    place: RayCaster, points: Float[np.ndarray, "T N 3"], forward: Float[np.ndarray, "3"]
) -> float:
    """The side from which the place hides least of the points, moment by moment."""
    heading_deg = float(np.degrees(np.arctan2(forward[1], forward[0])))

    def hidden(azimuth_deg: float) -> float:
        sights = np.stack([moment - _watching(moment, azimuth_deg).eye for moment in points])
        eyes = (points - sights).reshape(-1, 3)
        distance = place.first_hits(eyes, sights.reshape(-1, 3)).distance
        return round(float((distance < 1).mean()), 1)  # small differences do not count

    return min((heading_deg + side_deg for side_deg in SIDES_DEG), key=hidden)
