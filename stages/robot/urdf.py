"""Read a URDF into plain elements: links with shapes, joints with origins, axes and limits.

Only what retargeting needs is kept. Collision cylinders are read as capsules whose segment is the
cylinder's axis (Isaac Gym's `replace_cylinder_with_capsule`), spheres as capsules of no length;
boxes and meshes are ignored.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

from stages.artifacts import checks
from stages.artifacts.errors import ArtifactError
from stages.artifacts.opening import read_bytes, reason_of

_LARGEST_BYTES = 16 * 1024**2
_LARGEST = 1e3
"""Metres or radians; no robot is as large."""
Matrix3 = Float[np.ndarray, "3 3"]
Vector3 = Float[np.ndarray, "3"]


class RobotFileError(ArtifactError):
    """The robot description cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True)
class UrdfCapsule:
    """A capsule in its link's frame, metres."""

    start: Vector3
    end: Vector3
    radius: float


@dataclass(frozen=True)
class UrdfLink:
    """A link: whether it is drawn, and its collision capsules."""

    name: str
    has_visual: bool
    capsules: tuple[UrdfCapsule, ...]


@dataclass(frozen=True)
class UrdfJoint:
    """A joint; `R`, `p` place the child's frame in the parent's at zero. Radians, rad/s."""

    name: str
    parent: str
    child: str
    R: Matrix3
    p: Vector3
    moves: bool
    axis: Vector3
    lower: float
    upper: float
    velocity: float
    effort: float


@dataclass(frozen=True)
class Urdf:
    """Links and joints in file order."""

    name: str
    links: tuple[UrdfLink, ...]
    joints: tuple[UrdfJoint, ...]


def read_urdf(path: Path) -> Urdf:
    """Parse `path`.

    Raises:
        RobotFileError: not XML, not a URDF, or with moving joints that do not turn (prismatic).
    """
    try:
        content = read_bytes(path, "", _LARGEST_BYTES)
        if b"<!DOCTYPE" in content:  # Its entities may swell, and may stand for other files.
            raise ValueError("it declares a document type, which no robot needs")
        root = ElementTree.fromstring(content)
    except Exception as error:  # The parser has several, over encodings for one.
        raise RobotFileError(path, f"not a readable URDF ({reason_of(error)})") from None
    if root.tag != "robot":
        raise RobotFileError(path, f"the document is <{root.tag}>, a URDF begins with <robot>")
    try:
        links = tuple(_link(element) for element in root.findall("link"))
        joints = tuple(_joint(element) for element in root.findall("joint"))
    except (AttributeError, KeyError, ValueError) as error:
        raise RobotFileError(path, f"a link or joint is incomplete ({reason_of(error)})") from None
    return Urdf(root.get("name", path.stem), links, joints)


def rotation_from_rpy(rpy: Vector3) -> Matrix3:
    """URDF's fixed-axis roll, pitch, yaw (radians) as a matrix: Rz(yaw) Ry(pitch) Rx(roll)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _vector(text: str) -> Vector3:
    vector = np.array([float(word) for word in text.split()])
    if vector.shape != (3,):
        raise ValueError(f"'{text}' is not three numbers")
    return checks.within(f"'{text}'", vector, -_LARGEST, _LARGEST)


def _origin(element: ElementTree.Element) -> tuple[Matrix3, Vector3]:
    origin = element.find("origin")
    if origin is None:
        return np.eye(3), np.zeros(3)
    rpy = _vector(origin.get("rpy", "0 0 0"))
    return rotation_from_rpy(rpy), _vector(origin.get("xyz", "0 0 0"))


def _link(element: ElementTree.Element) -> UrdfLink:
    capsules = (_capsule(collision) for collision in element.findall("collision"))
    return UrdfLink(
        name=element.attrib["name"],
        has_visual=element.find("visual") is not None,
        capsules=tuple(capsule for capsule in capsules if capsule is not None),
    )


def _capsule(collision: ElementTree.Element) -> UrdfCapsule | None:
    R, p = _origin(collision)
    cylinder = collision.find("geometry/cylinder")
    if cylinder is not None:
        half = R[:, 2] * _size(cylinder, "length") / 2
        return UrdfCapsule(p - half, p + half, _size(cylinder, "radius"))
    sphere = collision.find("geometry/sphere")
    if sphere is not None:
        return UrdfCapsule(p, p, _size(sphere, "radius"))
    return None


def _size(element: ElementTree.Element, name: str) -> float:
    return checks.finite(f"a {name}", element.attrib[name], 0, _LARGEST)


def _joint(element: ElementTree.Element) -> UrdfJoint:
    name, kind = element.attrib["name"], element.attrib["type"]
    if kind not in ("revolute", "continuous", "fixed"):
        raise ValueError(f"joint {name} is {kind}; only revolute, continuous and fixed are known")
    R, p = _origin(element)
    axis_element, limit = element.find("axis"), element.find("limit")
    axis = _vector(axis_element.attrib["xyz"]) if axis_element is not None else np.eye(3)[0]
    bounded = kind == "revolute"
    if bounded and limit is None:
        raise ValueError(f"joint {name} has no <limit>")
    read = limit.attrib if limit is not None else {}
    if not np.linalg.norm(axis) > 0:
        raise ValueError(f"joint {name} turns about no axis")
    joint = UrdfJoint(
        name=name,
        parent=element.find("parent").attrib["link"],  # type: ignore[union-attr]  # AttributeError is reported
        child=element.find("child").attrib["link"],  # type: ignore[union-attr]  # as above
        R=R,
        p=p,
        moves=kind != "fixed",
        axis=axis / np.linalg.norm(axis),
        lower=float(read.get("lower", 0)) if bounded else -np.inf,
        upper=float(read.get("upper", 0)) if bounded else np.inf,
        velocity=float(read.get("velocity", np.inf)),
        effort=float(read.get("effort", np.inf)),
    )
    if not (joint.lower <= joint.upper and joint.velocity >= 0 and joint.effort >= 0):
        raise ValueError(f"joint {name} has limits that exclude each other")
    return joint
