"""Write data/robots/g1/g1_29dof_anneal_23dof_foot.urdf from the tables of `g1_tables`.

Run: `python -m tools.robot.write_g1 [path]`. The result is the same every time.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from tools.robot import g1_tables as tables
from tools.robot.parts import ZERO, Capsule, Joint, Link, Part, Shape, Sphere, Vector

DEFAULT_PATH = Path("data/robots/g1/g1_29dof_anneal_23dof_foot.urdf")
COLOURS = {"dark": "0.2 0.2 0.2 1", "white": "0.7 0.7 0.7 1"}


def g1() -> Part:
    """All 41 links with their joints, in file order."""
    return Part(
        (
            *tables.PELVIS.links,
            *tables.LEFT_LEG.links,
            *mirrored(tables.LEFT_LEG).links,
            *tables.TRUNK.links,
            *tables.LEFT_ARM.links,
            *_right_arm().links,
        )
    )


def mirrored(part: Part) -> Part:
    """The right-hand copy of a left-hand part: reflected in the x-z plane."""
    return Part(
        tuple(
            (None if joint is None else _mirror_joint(joint), _mirror_link(link))
            for joint, link in part.links
        )
    )


def _right_arm() -> Part:
    arm = mirrored(tables.LEFT_ARM)
    (joint, link), *others = arm.links
    assert joint is not None
    shoulder = replace(joint, xyz=(joint.xyz[0], tables.RIGHT_SHOULDER_Y_M, joint.xyz[2]))
    return Part(((shoulder, link), *others))


def _right(name: str) -> str:
    return name.replace("left_", "right_")


def _flip(point: Vector) -> Vector:
    return (point[0], -point[1], point[2])


def _mirror_joint(joint: Joint) -> Joint:
    roll, pitch, yaw = joint.rpy
    lower, upper = joint.limits
    turns_over = joint.axis is not None and joint.axis[1] == 0.0
    return replace(
        joint,
        name=_right(joint.name),
        parent=_right(joint.parent),
        child=_right(joint.child),
        xyz=_flip(joint.xyz),
        rpy=(-roll, pitch, -yaw),
        limits=(-upper, -lower) if turns_over else (lower, upper),
    )


def _mirror_link(link: Link) -> Link:
    return replace(
        link,
        name=_right(link.name),
        centre_of_mass=_flip(link.centre_of_mass),
        visuals=tuple(_mirror_shape(shape) for shape in link.visuals),
        collisions=tuple(_mirror_shape(shape) for shape in link.collisions),
    )


def _mirror_shape(shape: Shape) -> Shape:
    if isinstance(shape, Capsule):
        return replace(shape, start=_flip(shape.start), end=_flip(shape.end))
    return replace(shape, centre=_flip(shape.centre))


def urdf_text(part: Part) -> str:
    """The URDF document: each link follows the joint that carries it."""
    robot = ElementTree.Element("robot", name="g1_29dof_anneal_23dof_foot")
    robot.append(
        ElementTree.Comment(
            " Written by tools/robot/write_g1.py. Collision cylinders stand for capsules: their"
            " axis is the capsule's segment, to be capped with half spheres (Isaac Gym:"
            " replace_cylinder_with_capsule). "
        )
    )
    for name, rgba in COLOURS.items():
        material = ElementTree.SubElement(robot, "material", name=name)
        ElementTree.SubElement(material, "color", rgba=rgba)
    for joint, link in part.links:
        if joint is not None:
            robot.append(_joint_element(joint))
        robot.append(_link_element(link))
    ElementTree.indent(robot, "  ")
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding="unicode") + "\n"


def _numbers(values: Vector) -> str:
    return " ".join(f"{value + 0.0:.10g}" for value in values)


def _origin(parent: ElementTree.Element, xyz: Vector, rpy: Vector = ZERO) -> None:
    ElementTree.SubElement(parent, "origin", xyz=_numbers(xyz), rpy=_numbers(rpy))


def _joint_element(joint: Joint) -> ElementTree.Element:
    moves = joint.axis is not None and not joint.frozen
    element = ElementTree.Element("joint", name=joint.name, type="revolute" if moves else "fixed")
    _origin(element, joint.xyz, joint.rpy)
    ElementTree.SubElement(element, "parent", link=joint.parent)
    ElementTree.SubElement(element, "child", link=joint.child)
    if joint.axis is not None:
        ElementTree.SubElement(element, "axis", xyz=_numbers(joint.axis))
        ElementTree.SubElement(
            element,
            "limit",
            lower=f"{joint.limits[0]:.10g}",
            upper=f"{joint.limits[1]:.10g}",
            effort=f"{joint.effort:.10g}",
            velocity=f"{joint.velocity:.10g}",
        )
    return element


def _link_element(link: Link) -> ElementTree.Element:
    element = ElementTree.Element("link", name=link.name)
    if link.mass > 0.0:
        inertial = ElementTree.SubElement(element, "inertial")
        _origin(inertial, link.centre_of_mass)
        ElementTree.SubElement(inertial, "mass", value=f"{link.mass:.10g}")
        ixx, iyy, izz = (f"{value:.10g}" for value in link.inertia)
        ElementTree.SubElement(
            inertial, "inertia", ixx=ixx, ixy="0", ixz="0", iyy=iyy, iyz="0", izz=izz
        )
    for shape in link.visuals:
        visual = _shape_element("visual", shape)
        ElementTree.SubElement(visual, "material", name="dark" if link.dark else "white")
        element.append(visual)
    for shape in link.collisions:
        element.append(_shape_element("collision", shape))
    return element


def _shape_element(tag: str, shape: Shape) -> ElementTree.Element:
    element = ElementTree.Element(tag)
    geometry = ElementTree.Element("geometry")
    if isinstance(shape, Capsule):
        xyz, rpy, length = _cylinder_pose(shape)
        _origin(element, xyz, rpy)
        ElementTree.SubElement(
            geometry, "cylinder", radius=f"{shape.radius:.10g}", length=f"{length:.10g}"
        )
    elif isinstance(shape, Sphere):
        _origin(element, shape.centre)
        ElementTree.SubElement(geometry, "sphere", radius=f"{shape.radius:.10g}")
    else:
        _origin(element, shape.centre)
        ElementTree.SubElement(geometry, "box", size=_numbers(shape.size))
    element.append(geometry)
    return element


def _cylinder_pose(capsule: Capsule) -> tuple[Vector, Vector, float]:
    """Centre, roll-pitch-yaw that turns z onto the segment, and the segment's length."""
    x, y, z = (end - start for start, end in zip(capsule.start, capsule.end, strict=True))
    length = math.sqrt(x * x + y * y + z * z)
    start, end = capsule.start, capsule.end
    centre = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, (start[2] + end[2]) / 2)
    return centre, (0.0, math.acos(z / length), math.atan2(y, x)), length


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(urdf_text(g1()), encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
