"""The picture in the README: a frame, what stage 0 sees in it, person and robot in 3-D."""

from pathlib import Path

import click
import numpy as np
from PIL import Image

from stages.artifacts.images import list_images, read_image
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.layout import CALIBRATED, DataFolder, find_world_file
from stages.artifacts.masks import read_mask
from stages.artifacts.meshes import MESH_FILE, read_mesh
from stages.artifacts.people_and_world import opened_people_and_world
from stages.artifacts.robot_motion import SINGLE_FILE, read_robot_motion
from stages.body.model import load_body
from stages.body.skin import posed_vertices
from stages.geometry.open3d_library import o3d
from stages.geometry.rotations import matrix_from_wxyz
from stages.robot.model import load_g1
from stages.running.options import DEMO_BODY

SIZE = (360, 640)
LIGHT = np.array([0.3, -0.5, 0.8])
GREY, SKIN, ROBOT = (0.62, 0.64, 0.66), (0.95, 0.6, 0.35), (0.25, 0.45, 0.8)


def shaded(meshes: list, colours: list, eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A ray-cast picture of triangle meshes in one colour each."""
    scene = o3d.t.geometry.RaycastingScene()
    for vertices, faces in meshes:
        scene.add_triangles(vertices.astype(np.float32), faces.astype(np.uint32))
    up = np.array([0, 0, -1.0])  # Open3D turns the picture by half: its up is below
    rays = scene.create_rays_pinhole(50.0, target, eye, up, SIZE[1], SIZE[0])
    hit = scene.cast_rays(rays)
    normal = np.abs(hit["primitive_normals"].numpy() @ (LIGHT / np.linalg.norm(LIGHT)))
    which = hit["geometry_ids"].numpy()
    picture = np.ones((*SIZE, 3))
    for index, colour in enumerate(colours):
        here = which == index
        picture[here] = np.asarray(colour) * (0.35 + 0.65 * normal[here, None])
    return (picture * 255).astype(np.uint8)


def robot_mesh(motion, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """The robot's collision capsules in one frame."""
    capsules = load_g1().capsules
    names = load_g1().link_names
    rotations = matrix_from_wxyz(motion.link_quat_xyzw[frame][:, [3, 0, 1, 2]])
    parts = []
    for link, start, end, radius in zip(
        capsules.link, capsules.start, capsules.end, capsules.radius, strict=True
    ):
        if names[link] not in motion.link_names:
            continue
        row = motion.link_names.index(names[link])
        for t in np.linspace(0, 1, 8):
            ball = o3d.geometry.TriangleMesh.create_sphere(float(radius), 10)
            centre = rotations[row] @ (start + t * (end - start)) + motion.link_pos[frame, row]
            parts.append((np.asarray(ball.vertices) + centre, np.asarray(ball.triangles)))
    return joined(parts)


def joined(parts: list) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0] + [len(vertices) for vertices, _ in parts[:-1]])
    faces = [f + offset for (_, f), offset in zip(parts, offsets, strict=True)]
    return np.concatenate([vertices for vertices, _ in parts]), np.concatenate(faces)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default="data/demo")
@click.option("--video", default="walk_stairs_01")
@click.option("--frame", default=48)
@click.option("--out", type=click.Path(path_type=Path), default="docs/result.png")
def main(data_dir: Path, video: str, frame: int, out: Path) -> None:
    """Draw one frame of a finished video."""
    data = DataFolder(data_dir)
    image = list_images(data.images(video))[frame]
    rgb = read_image(image.path)
    seen = rgb.copy()
    mask = read_mask(data.masks(video), image.name) > 0
    seen[mask] = (0.5 * seen[mask] + 0.5 * np.array([255, 127, 14])).astype(np.uint8)
    for entry in read_keypoints(data.keypoints(video), image.number).values():
        for x, y, score in entry.keypoints:
            if score > 0.3:
                row, column = round(float(y)), round(float(x))
                seen[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = (0, 255, 120)
    world = find_world_file(data.root / "input_sfm", video)
    if world is None:
        raise click.UsageError(f"{data_dir} has no finished {video}; run make dataset")
    stem = f"megahunter_{world.stem}"
    folder = data.root / CALIBRATED / stem
    body = load_body(DEMO_BODY)
    with opened_people_and_world(folder / "gravity_calibrated_megahunter.h5") as file:
        motion = next(iter(file.people.values()))
    row = motion.frames.index(image.name)
    rotmats = np.concatenate([motion.R_world_root[row][None], motion.body_pose[row]])
    person = posed_vertices(body, motion.betas[row], rotmats, motion.root_transl[row])
    place = read_mesh(folder / MESH_FILE)
    robot = robot_mesh(read_robot_motion(folder / SINGLE_FILE), row)
    target = motion.root_transl[row] - [0, 0, 0.25]
    eye = target + np.array([1.5, -3.8, 1.4])
    panels = [
        rgb,
        seen,
        shaded([place, (person, body.faces)], [GREY, SKIN], eye, target),
        shaded([place, robot], [GREY, ROBOT], eye, target),
    ]
    rows = [np.hstack(panels[:2]), np.hstack(panels[2:])]
    Image.fromarray(np.vstack(rows)).resize((960, 540)).save(out)


if __name__ == "__main__":
    main()
