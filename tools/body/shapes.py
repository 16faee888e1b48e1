"""Ten shape directions out of sampled adults: principal components with unit variance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

MIRROR_X = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class ShapeSpace:
    """Mean body and its directions, vertices and joint centres alike; metres per unit beta."""

    v_template: Float[np.ndarray, "V 3"]
    shapedirs: Float[np.ndarray, "V 3 K"]
    joints: Float[np.ndarray, "J 3"]
    joint_directions: Float[np.ndarray, "J 3 K"]
    left_out_m: float  # root mean square distance of the samples' vertices to the space


def vertex_areas(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]
) -> Float[np.ndarray, " V"]:
    """A third of the area of the triangles around every vertex, m^2."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    total = np.zeros(len(vertices))
    for k in range(3):
        np.add.at(total, faces[:, k], area / 3)
    return total


def shape_space(
    vertices: Float[np.ndarray, "N V 3"],
    joints: Float[np.ndarray, "N J 3"],
    faces: Int[np.ndarray, "F 3"],
    count: int = 10,
) -> ShapeSpace:
    """Principal components of the samples, weighted by skin area.

    Without the weights the dense face and hands would decide. The first direction grows with
    stature, every other one with volume.
    """
    mean = vertices.mean(0)
    weight = np.sqrt(vertex_areas(mean, faces))[:, None]
    centred = (vertices - mean).reshape(len(vertices), -1)
    scaled = (centred.reshape(vertices.shape) * weight).reshape(len(vertices), -1)
    _, vectors = np.linalg.eigh(scaled @ scaled.T)
    scores = vectors[:, ::-1][:, :count] * np.sqrt(len(vertices))
    directions = (centred.T @ scores / len(vertices)).reshape(*mean.shape, count)
    stature = np.ptp(vertices[:, :, 1], axis=1)
    volume = _volumes(vertices, faces)
    for k in range(count):
        measure = stature if k == 0 else volume
        if (measure - measure.mean()) @ scores[:, k] < 0:
            scores[:, k] *= -1
            directions[..., k] *= -1
    joint_mean = joints.mean(0)
    joint_directions = np.einsum("njc,nk->jck", joints - joint_mean, scores) / len(joints)
    left = centred - scores @ directions.reshape(-1, count).T
    return ShapeSpace(
        v_template=mean,
        shapedirs=directions,
        joints=joint_mean,
        joint_directions=joint_directions,
        left_out_m=float(np.sqrt((left**2).sum() / (len(vertices) * mean.shape[0]))),
    )


def _volumes(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[:, faces[:, k]] for k in range(3))
    return np.einsum("nfi,nfi->n", a, np.cross(b, c)) / 6


def symmetric(space: ShapeSpace, mirror: Int[np.ndarray, " V"]) -> ShapeSpace:
    """The same space with rounding noise between left and right removed."""
    flip = MIRROR_X[None, :]
    return ShapeSpace(
        v_template=0.5 * (space.v_template + space.v_template[mirror] * flip),
        shapedirs=0.5 * (space.shapedirs + space.shapedirs[mirror] * flip[..., None]),
        joints=space.joints,
        joint_directions=space.joint_directions,
        left_out_m=space.left_out_m,
    )
