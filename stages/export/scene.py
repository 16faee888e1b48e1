"""A MuJoCo scene of a place: its mesh to look at, and a height field to stand on."""

from pathlib import Path

import mujoco
import numpy as np

from stages.artifacts.meshes import read_mesh
from stages.robot.terrain import HeightField, Terrain

GROUND, MESH = "ground_heights", "place_mesh"
BASE_M = 0.5
"""Thickness of the height field below its lowest place."""


def heights_of(place: Path) -> HeightField:
    """The highest surface of a mesh over each cell of a square grid, continued where there is none.

    Raises:
        ArtifactError: the mesh cannot be read.
    """
    vertices, faces = read_mesh(place)
    if not len(faces):
        return Terrain(vertices, faces).height_field(-np.ones(2), np.ones(2), 1.0)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return Terrain(vertices, faces).height_field(low[:2], high[:2], float(high[2]) + 1.0)


def add_place(spec: mujoco.MjSpec, place: Path, mesh_file: str) -> None:
    """Puts a place into a scene.

    Args:
        place: the mesh.
        mesh_file: its name beside the scene's file.
    """
    field = heights_of(place)
    heights = np.asarray(field.heights, np.float64)
    low, extent = heights.min(), max(float(np.ptp(heights)), 1e-3)
    side = float(field.cell) * (len(heights) - 1)
    centre = np.asarray(field.origin, np.float64) + side / 2
    rows, columns = heights.T.shape
    spec.add_hfield(
        name=GROUND,
        size=[side / 2, side / 2, extent, BASE_M],
        nrow=rows,
        ncol=columns,
        userdata=((heights.T - low) / extent).ravel(),
    )
    spec.add_mesh(name=MESH, file=mesh_file, inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    world = spec.worldbody
    world.add_geom(
        name=GROUND,
        type=mujoco.mjtGeom.mjGEOM_HFIELD,
        hfieldname=GROUND,
        pos=[*centre, low],
        group=3,
    )
    world.add_geom(
        name=MESH,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=MESH,
        contype=0,
        conaffinity=0,
        group=2,
    )
    world.add_light(pos=[*centre, low + 5.0], dir=[0, 0, -1], type=1)
