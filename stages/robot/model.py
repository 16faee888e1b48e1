"""A robot as arrays: the moving joints of a URDF, and every link as an offset from one of them.

Fixed joints are folded away: each link moves rigidly with one actuated joint, or with the root.
"Body 0" is the root link; body j+1 is what actuated joint j carries.
"""

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from stages.robot.urdf import RobotFileError, Urdf, UrdfJoint, read_urdf

ROBOT_DIR_VARIABLE = "MIMICMILL_ROBOTS"
G1_FILE = "g1/g1_29dof_anneal_23dof_foot.urdf"


@dataclass(frozen=True, eq=False)
class Capsules:
    """Collision capsules, in the frames of their links (metres)."""

    link: Int[np.ndarray, " C"]
    start: Float[np.ndarray, "C 3"]
    end: Float[np.ndarray, "C 3"]
    radius: Float[np.ndarray, " C"]


@dataclass(frozen=True, eq=False)
class Robot:
    """Kinematics of a floating-base robot; J actuated joints, L links, both in URDF order.

    `joint_parent[j]` is the body that carries joint j (0: the root link, j'+1: what joint j'
    carries), `joint_R`, `joint_p` its frame in that body at zero, `joint_axis` its unit axis in
    its own frame. `link_body`, `link_R`, `link_p` place every link in its body. Radians, metres,
    rad/s. `visual` says which links are drawn: these are the links that are written to files.
    """

    name: str
    link_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    visual: tuple[bool, ...]
    joint_parent: Int[np.ndarray, " J"]
    joint_R: Float[np.ndarray, "J 3 3"]  # noqa: N815 (a rotation)
    joint_p: Float[np.ndarray, "J 3"]
    joint_axis: Float[np.ndarray, "J 3"]
    lower: Float[np.ndarray, " J"]
    upper: Float[np.ndarray, " J"]
    velocity: Float[np.ndarray, " J"]
    link_body: Int[np.ndarray, " L"]
    link_R: Float[np.ndarray, "L 3 3"]  # noqa: N815 (a rotation)
    link_p: Float[np.ndarray, "L 3"]
    capsules: Capsules

    def link(self, name: str) -> int:
        """Index of a link. Raises KeyError that lists what there is."""
        if name not in self.link_names:
            raise KeyError(f"{self.name} has no link {name}; it has {', '.join(self.link_names)}")
        return self.link_names.index(name)

    def joint(self, name: str) -> int:
        """Index of an actuated joint. Raises KeyError that lists what there is."""
        if name not in self.joint_names:
            raise KeyError(f"{self.name} has no joint {name}; it has {', '.join(self.joint_names)}")
        return self.joint_names.index(name)


def g1_file() -> Path:
    """The G1's URDF: `$MIMICMILL_ROBOTS/g1/…`, else the project's in data/robots."""
    default = Path(__file__).resolve().parents[2] / "data" / "robots"
    return Path(os.environ.get(ROBOT_DIR_VARIABLE) or default) / G1_FILE


def load_g1(path: Path | None = None) -> Robot:
    """The Unitree G1 with 23 actuated joints and 41 links; default: `g1_file()`."""
    return load_robot(path or g1_file())


def load_robot(path: Path) -> Robot:
    """Read any URDF of turning joints.

    Raises:
        RobotFileError: unreadable, more than one root, or a joint whose parent comes after it.
    """
    if not path.is_file():
        raise RobotFileError(
            path, "no robot description", "data/robots of the project has the G1's"
        )
    return _loaded(path.resolve(), path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _loaded(path: Path, changed_ns: int) -> Robot:
    """The same object for an unchanged file: solvers compile once for each robot object."""
    return robot_from_urdf(read_urdf(path), str(path))


def robot_from_urdf(urdf: Urdf, source: str) -> Robot:
    """Fold the fixed joints away. `source` is named in errors."""
    names = tuple(link.name for link in urdf.links)
    carrier = {joint.child: joint for joint in urdf.joints}
    roots = [name for name in names if name not in carrier]
    if len(roots) != 1:
        raise RobotFileError(Path(source), f"a robot has one root link, this has {roots}")

    actuated: list[UrdfJoint] = []
    parents: list[int] = []
    frames: list[tuple[np.ndarray, np.ndarray]] = []
    placed: dict[str, tuple[int, np.ndarray, np.ndarray]] = {roots[0]: (0, np.eye(3), np.zeros(3))}
    for joint in urdf.joints:
        if joint.parent not in placed:
            raise RobotFileError(
                Path(source),
                f"joint {joint.name} comes before the joint of its parent {joint.parent}",
                "put joints in order from the root outwards",
            )
        body, R, p = placed[joint.parent]
        R, p = R @ joint.R, p + R @ joint.p
        if joint.moves:
            actuated.append(joint)
            parents.append(body)
            frames.append((R, p))
            body, R, p = len(actuated), np.eye(3), np.zeros(3)
        placed[joint.child] = (body, R, p)

    return Robot(
        name=urdf.name,
        link_names=names,
        joint_names=tuple(joint.name for joint in actuated),
        visual=tuple(link.has_visual for link in urdf.links),
        joint_parent=np.array(parents, dtype=np.int32),
        joint_R=np.array([R for R, _ in frames]).reshape(-1, 3, 3),
        joint_p=np.array([p for _, p in frames]).reshape(-1, 3),
        joint_axis=np.array([joint.axis for joint in actuated]).reshape(-1, 3),
        lower=np.array([joint.lower for joint in actuated]),
        upper=np.array([joint.upper for joint in actuated]),
        velocity=np.array([joint.velocity for joint in actuated]),
        link_body=np.array([placed[name][0] for name in names], dtype=np.int32),
        link_R=np.array([placed[name][1] for name in names]),
        link_p=np.array([placed[name][2] for name in names]),
        capsules=_capsules(urdf),
    )


def _capsules(urdf: Urdf) -> Capsules:
    found = [(i, c) for i, link in enumerate(urdf.links) for c in link.capsules]
    return Capsules(
        link=np.array([i for i, _ in found], dtype=np.int32),
        start=np.array([c.start for _, c in found]).reshape(-1, 3),
        end=np.array([c.end for _, c in found]).reshape(-1, 3),
        radius=np.array([c.radius for _, c in found]),
    )
