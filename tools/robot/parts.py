"""What a robot description is made of: joints, links and simple shapes."""

from __future__ import annotations

from dataclasses import dataclass, field

Vector = tuple[float, float, float]
ZERO: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Joint:
    """One joint: metres, radians, N m, rad/s. `axis` is None for a joint that was always fixed."""

    name: str
    parent: str
    child: str
    xyz: Vector = ZERO
    rpy: Vector = ZERO
    axis: Vector | None = None
    limits: tuple[float, float] = (0.0, 0.0)
    effort: float = 0.0
    velocity: float = 0.0
    frozen: bool = False


@dataclass(frozen=True)
class Capsule:
    """Two end points (m, link frame) and a radius; written as a cylinder between the end points."""

    start: Vector
    end: Vector
    radius: float


@dataclass(frozen=True)
class Box:
    """Centre and full edge lengths (m, link frame); for display only."""

    centre: Vector
    size: Vector


@dataclass(frozen=True)
class Sphere:
    """Centre (m, link frame) and radius."""

    centre: Vector
    radius: float


Shape = Capsule | Box | Sphere


@dataclass(frozen=True)
class Link:
    """One link: mass (kg), centre of mass (m), diagonal of the inertia there (kg m^2), shapes."""

    name: str
    mass: float = 0.0
    centre_of_mass: Vector = ZERO
    inertia: Vector = (1e-7, 1e-7, 1e-7)
    visuals: tuple[Shape, ...] = ()
    collisions: tuple[Shape, ...] = ()
    dark: bool = False


@dataclass(frozen=True)
class Part:
    """Links in file order, each with the joint that carries it (None for the root)."""

    links: tuple[tuple[Joint | None, Link], ...] = field(default=())
