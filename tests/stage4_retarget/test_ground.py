"""What people walk on is ground; what they pass under, or what is missing, is not."""

import numpy as np
import pytest
import trimesh

from bench.robustness.clips import person, terrain
from stages.robot.model import load_g1
from stages.robot.terrain import Terrain, ground_at
from stages.stage4_retarget.foot_targets import TOES
from stages.stage4_retarget.ground import ground_under
from stages.stage4_retarget.retarget import retarget

ASIDE_M = 0.8


def with_block(ground: Terrain, low: list[float], high: list[float]) -> Terrain:
    block = trimesh.creation.box(bounds=[low, high])
    faces = np.concatenate([ground.faces, block.faces + len(ground.vertices)])
    return Terrain(np.concatenate([ground.vertices, block.vertices]), faces)


def over_the_start(kind: str) -> Terrain:
    """A lintel over the first steps, clear of the head there and lower than heads later."""
    someone = person(kind)
    x, y, _ = someone.joints[0, 0].astype(float)
    z = float(someone.joints[:15, :, 2].max()) + 0.1
    low, high = [x - 0.3, y - ASIDE_M, z], [x + 0.3, y + ASIDE_M, z + 0.1]
    return with_block(terrain(kind), low, high)


@pytest.mark.parametrize("kind", ["stairs", "jump_box"])
def test_a_lintel_over_the_path_changes_nothing(kind):
    robot, someone = load_g1(), person(kind)
    without = retarget(robot, someone, terrain(kind))
    below = retarget(robot, someone, over_the_start(kind))
    away = np.linalg.norm(below.p_world_root - without.p_world_root, axis=1)
    assert below.converged and away.max() < 0.02


def test_a_box_beside_the_path_that_is_higher_than_hips_is_in_the_way():
    someone = person("flat")
    x, y, _ = someone.joints[50, 0].astype(float)
    # On the floor, so that nothing of it is to be seen from below.
    ground = with_block(terrain("flat"), [x - 0.2, y + 0.4, -0.1], [x + 0.2, y + 0.8, 1.3])
    # Near enough to be over hips, and not over the trunk.
    height, known = ground_at(ground_under(someone.joints, ground), np.array([[x, y + 0.45]]))
    assert known[0] == 1 and height[0] == pytest.approx(1.3, abs=1e-3)


def test_feet_on_a_box_that_the_mesh_lacks_stay_at_their_height():
    robot, someone = load_g1(), person("jump_box")
    floor = terrain("flat")
    assert someone.joints[-1, TOES, 2].min() > 0.3  # On the box.
    found = retarget(robot, someone, floor)
    there = retarget(robot, someone, terrain("jump_box"))
    assert np.abs(found.p_world_root - there.p_world_root)[-15:, 2].max() < 0.03
    assert "no ground at the feet" in "; ".join(found.ignored)
