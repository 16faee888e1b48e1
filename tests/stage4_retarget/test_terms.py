"""Each cost says what it claims, and its derivatives are right."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bench.robustness.clips import terrain
from stages.robot.correspondence import g1_correspondence
from stages.robot.model import load_g1
from stages.solving import View, rotation_exp
from stages.stage4_retarget import terms
from stages.stage4_retarget.features import RobotFeatures, centred
from stages.stage4_retarget.initial import resting_joints
from stages.stage4_retarget.problem import relaxed, retargeting_problem, with_hard_limits
from stages.stage4_retarget.terms import FrameView, term_weights
from stages.stage4_retarget.variables import Constants, Pose, Target
from stages.stage4_retarget.weights import CostWeights
from tests.solving.differences import assert_rows_change_as_differences_say

BODY = np.random.default_rng(1).normal(size=(15, 3))
"""The person's matched points."""


@pytest.fixture()
def double_precision():
    with jax.enable_x64(True):
        yield


def before(body: np.ndarray, ratio: float = 1.0) -> FrameView:
    """What a frame's terms see of a person with these points, `ratio` times the robot's size."""
    robot, _, (target, _), constants = frames()
    features = RobotFeatures(robot)
    ratios = jnp.full(len(features.table.limbs), ratio)
    seen = target._replace(points=jnp.asarray(body))
    return FrameView(features, seen, constants._replace(scale=1 / ratio), ratios)


def limbs_of(body: np.ndarray) -> jax.Array:
    return RobotFeatures(load_g1()).limbs_of(jnp.asarray(body))


def test_a_larger_body_of_the_same_shape_fits_exactly():
    at = before(1.4 * BODY + 1.0, ratio=1.4)
    np.testing.assert_allclose(terms.limb_vectors(limbs_of(BODY), at), 0, atol=1e-5)
    np.testing.assert_allclose(terms.body_layout(centred(jnp.asarray(BODY)), at), 0, atol=1e-5)


def test_directions_do_not_depend_on_lengths():
    longer = limbs_of(BODY) * np.linspace(0.2, 3.0, len(limbs_of(BODY)))[:, None]
    np.testing.assert_allclose(terms.limb_directions(longer, before(BODY)), 0, atol=1e-5)


def test_the_square_of_a_direction_difference_is_twice_one_minus_the_cosine():
    axis = np.cross(limbs_of(BODY), [1.0, 2.0, 3.0])
    turn = Rotation.from_rotvec(0.4 * axis / np.linalg.norm(axis, axis=1, keepdims=True))
    difference = terms.limb_directions(jnp.asarray(turn.apply(limbs_of(BODY))), before(BODY))
    np.testing.assert_allclose((difference**2).sum(axis=1), 2 * (1 - np.cos(0.4)), rtol=1e-3)


def test_limits_cost_only_outside():
    low, high = jnp.array([-1.0, -1, -1]), jnp.array([1.0, 1, 1])
    np.testing.assert_allclose(
        terms.outside(jnp.array([-1.5, 0.0, 1.2]), low, high), [0.5, 0, 0.2], atol=1e-6
    )


def test_a_sole_in_swing_or_on_unknown_ground_costs_nothing():
    soles = jnp.ones((8, 3))
    at = before(BODY)
    for contact, ground, cost in (
        ([1, 1], [[0.9, 0.8], [np.nan, np.nan]], [[0.2, 0.2, 0.1, 0.1], [0, 0, 0, 0]]),
        ([0, 1], [[0.9, 0.8], [0.7, 0.7]], [[0, 0, 0, 0], [0.3, 0.3, 0.3, 0.3]]),
    ):
        target = at.target._replace(contact=jnp.array(contact), ground_z=jnp.array(ground))
        height = terms.ground_contact(soles, at._replace(target=target))
        np.testing.assert_allclose(height, cost, atol=1e-6)


def test_turning_as_the_person_does_is_smooth():
    turn = rotation_exp(jnp.array([0.0, 0.0, 0.3]))
    R, H = jnp.eye(3), rotation_exp(jnp.array([0.5, 0.1, 0.0]))
    np.testing.assert_allclose(terms.relative_turn(R, turn @ R, H, turn @ H), 0, atol=1e-6)
    away = terms.relative_turn(R, R, H, turn @ H)
    np.testing.assert_allclose(jnp.linalg.norm(away), 0.3, atol=1e-5)


def frames(seed: int = 0):
    """Two neighbouring frames with every kind of cost at work, and what they share."""
    rng = np.random.default_rng(seed)
    robot = load_g1()
    table = g1_correspondence(robot)
    rest = resting_joints(robot)

    def pose(shift):
        joints = rest + rng.normal(scale=0.3, size=23)
        joints[robot.joint("left_knee_joint")] = -0.3  # outside its limits
        joints[robot.joint("left_shoulder_roll_joint")] = -0.7  # arm in the trunk
        R = Rotation.from_rotvec(rng.normal(scale=0.2, size=3)).as_matrix()
        return Pose(jnp.asarray(R), jnp.array([0.9 + shift, 0.02, 0.72]), jnp.asarray(joints))

    def target(time_s):
        return Target(
            points=jnp.asarray(rng.normal(scale=0.5, size=(len(table.smpl), 3))),
            R_root=jnp.asarray(Rotation.random(random_state=seed).as_matrix()),
            pelvis=jnp.array([0.8 + time_s, 0, 0.95]),
            feet=jnp.asarray(rng.normal(scale=0.2, size=(2, 3))),
            contact=jnp.array([1.0, 0.0]),
            ground_z=jnp.array([[0.02, 0.03], [jnp.nan, jnp.nan]]),
            time_s=jnp.asarray(time_s),
            follow=jnp.asarray(1.0 - 10 * time_s),
        )

    low, high = np.array([-1.0, -1.5]), np.array([2.5, 1.5])
    field = terrain("stairs").height_field(low, high, 2.5)
    weights = CostWeights(hip_pitch_cost_weight=1.0, hip_roll_cost_weight=1.0)
    constants = Constants(
        weights=term_weights(weights), collision_margin_m=jnp.asarray(0.01),
        ratios=jnp.full(7, 1.35), scale=jnp.asarray(0.74),
        rest=jnp.asarray(rest), ground=field, raised_ground=field,
    )  # fmt: skip
    return robot, (pose(0.0), pose(0.1)), (target(0.0), target(0.01)), constants


def residuals(problem, x, y, log_ratio, a, b, constants):
    features = [
        problem.features(pose, log_ratio, goal, constants) for pose, goal in ((x, a), (y, b))
    ]
    own = problem.frame_residuals(View(x, features[0][0]), log_ratio, a, constants)
    both = problem.pair_residuals(
        View(x, features[0][1]), View(y, features[1][1]), log_ratio, a, b, constants
    )
    one = problem.blocks.frame_residuals(x, a, constants)
    two = problem.blocks.pair_residuals(x, y, a, b, constants)
    return {**own, **both, **one, **two}


def test_every_derivative_agrees_with_differences(double_precision):
    robot, poses, targets, constants = frames()
    problem = retargeting_problem(robot)
    x, data = (
        jax.tree.map(lambda *leaves: jnp.stack(leaves)[None], *each) for each in (poses, targets)
    )
    log_ratio = jnp.linspace(-0.1, 0.1, 7)
    busy = assert_rows_change_as_differences_say(problem, x, log_ratio, data, constants)
    every = residuals(problem, *poses, log_ratio, *targets, constants)
    assert busy >= set(every), "a term that is never at work is not tested"


def test_joint_speed_costs_only_beyond_the_limit():
    robot, (x, _), (a, b), constants = frames()
    problem = retargeting_problem(robot)
    knee = robot.joint("right_knee_joint")
    allowed = robot.velocity[knee] * 0.01

    def cost(turn):
        y = x._replace(joints=x.joints.at[knee].add(turn))
        return problem.blocks.pair_residuals(x, y, a, b, constants)["joint velocity"]

    assert np.abs(cost(0.8 * allowed)).max() == 0
    assert np.abs(cost(1.1 * allowed)).max() > 0


def test_smoothness_measures_speed_not_steps():
    robot, (x, _), (a, b), constants = frames()
    problem = retargeting_problem(robot)

    def cost(turn, time_s):
        y = x._replace(joints=x.joints + turn)
        later = b._replace(time_s=a.time_s + time_s)
        found = problem.blocks.pair_residuals(x, y, a, later, constants)
        return np.asarray(found["joint smoothness"])

    np.testing.assert_allclose(cost(0.1, 1 / 30), cost(0.05, 1 / 60), rtol=1e-4)


def test_a_foot_in_contact_is_held_against_sliding_and_turning_one_in_swing_is_not():
    robot, (x, _), (a, b), constants = frames()
    problem = retargeting_problem(robot)

    @jax.jit
    def slide(y):
        return jnp.abs(residuals(problem, x, y, jnp.zeros(7), a, b, constants)["foot skating"])

    moved = slide(x._replace(p=x.p + jnp.array([0.05, 0, 0])))
    assert (moved[0, :, 0] > 1).all() and moved[1].max() == 0
    turned = x._replace(joints=x.joints.at[robot.joint("left_hip_yaw_joint")].add(0.2))
    assert slide(turned)[0].max() > 1


def test_what_follows_the_person_counts_as_much_as_they_were_seen():
    robot, (x, y), (a, b), constants = frames()
    problem = retargeting_problem(robot)

    def costs(follow):
        seen = a._replace(follow=jnp.asarray(follow))
        found = residuals(problem, x, y, jnp.zeros(7), seen, b, constants)
        return {name: float(jnp.abs(rows).sum()) for name, rows in found.items()}

    whole, half = costs(1.0), costs(0.5)
    weaker = {name for name in whole if not np.isclose(whole[name], half[name])}
    assert weaker == {"limb vectors", "limb directions", "body layout", "end effector"}
    for name in weaker:
        np.testing.assert_allclose(half[name], 0.5 * whole[name], rtol=1e-5)


def test_a_first_solve_has_no_surfaces_and_a_last_one_harder_limits():
    constants = frames()[3]
    first, last = relaxed(constants, 0.3).weights, with_hard_limits(constants).weights
    assert first["sole collision"] == first["body collision"] == 0
    np.testing.assert_allclose(first["self collision"], 0.3 * constants.weights["self collision"])
    harder = {name for name, weight in last.items() if weight > constants.weights[name]}
    assert harder == {"joint limits", "self collision", "sole collision", "body collision"}
    assert first["limb vectors"] == last["limb vectors"] == constants.weights["limb vectors"]


def test_changing_weights_does_not_change_the_program():
    few, many = term_weights(CostWeights()), term_weights(CostWeights(1, 2, 3, 4))
    assert jax.tree.map(np.shape, few) == jax.tree.map(np.shape, many)
    assert retargeting_problem(load_g1()) is retargeting_problem(load_g1())
