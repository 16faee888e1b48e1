"""What physics says of a motion on its place: does the robot stand as the file says, is it free?

Only contacts of the robot with the place count: limbs pass through each other here.
"""

from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float

from stages.export.motion import Motion
from stages.export.scene import GROUND

STEP_S = 0.002
DROP_S = 0.1
TRACKED_S = 2.0
MOST_DROP_M = 0.02
"""Nothing that stands falls farther in DROP_S; in the air it is 5 cm."""
MOST_FORCE = 10.0
"""Of one contact, in body weights: more is a limb inside of something."""
ARMATURE = 0.02
"""Of every joint in kg m2: what makes the gains below stable."""
KP, KD, KP_WRIST, KD_WRIST = 200.0, 5.0, 20.0, 1.0
"""Gains of the joints in N m / rad and N m s / rad."""
FEET = {"left_ankle_roll_link": "left_foot", "right_ankle_roll_link": "right_foot"}


def tried(motion: Motion, spec: mujoco.MjSpec) -> dict[str, Any]:
    """Lets go of the robot in its first row, then moves its root along and its joints by a PD
    controller.

    Args:
        spec: the motion's scene.

    Returns:
        dropped_m: by how much the root is lower after DROP_S in which the joints hold.
        planted, touched: feet that the file has on the ground in its first row, and those that
            touch it by then.
        worst_force: largest force of a contact within TRACKED_S, in body weights.
        doubts: what of these is not as it should be, in words.
    """
    model = _controlled(spec)
    data = mujoco.MjData(model)
    pose = _pose(motion, 0)
    data.qpos[:], data.ctrl[:] = pose, pose[7:]
    mujoco.mj_step(model, data, nstep=round(DROP_S / STEP_S))
    dropped_m = float(pose[2] - data.qpos[2])
    touched = {FEET.get(name, name) for name in _touching(model, data)}
    planted = {name for name in FEET.values() if getattr(motion, name)[0]}
    force = _worst_force(motion, model)
    doubts = []
    if planted and dropped_m > MOST_DROP_M:
        doubts.append(f"drops {100 * dropped_m:.1f} cm in {DROP_S} s from its first row")
    if planted - touched:
        doubts.append(
            f"{', '.join(sorted(planted - touched))} should touch the ground, and does not"
        )
    if force > MOST_FORCE:
        doubts.append(f"a contact of {force:.0f} body weights: it is inside of the place")
    return {
        "dropped_m": round(dropped_m, 4),
        "planted": sorted(planted),
        "touched": sorted(touched),
        "worst_force_body_weights": round(force, 2),
        "doubts": doubts,
    }


def _controlled(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """A copy of the scene with a motor in every joint, whose robot touches the place alone."""
    spec = spec.copy()
    while spec.keys:
        spec.delete(spec.keys[0])
    for geom in spec.geoms:
        if geom.name != GROUND and geom.contype:
            geom.contype, geom.conaffinity = 0, 1
    for joint in spec.joints:
        if joint.type != mujoco.mjtJoint.mjJNT_HINGE:
            continue
        joint.armature = ARMATURE
        is_wrist = "wrist" in joint.name
        motor = spec.add_actuator(
            name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT
        )
        motor.set_to_position(kp=KP_WRIST if is_wrist else KP, kv=KD_WRIST if is_wrist else KD)
    spec.option.timestep = STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    return spec.compile()


def _worst_force(motion: Motion, model: mujoco.MjModel) -> float:
    data = mujoco.MjData(model)
    weight = model.body_mass.sum() * np.linalg.norm(model.opt.gravity)
    data.qpos[:] = _pose(motion, 0)
    worst, force = 0.0, np.zeros(6)
    last = len(motion.joint_pos) - 1
    for step in range(int(min(TRACKED_S, last / motion.fps) / STEP_S)):
        pose = _pose(motion, step * STEP_S * motion.fps)
        row = min(round(step * STEP_S * motion.fps), last)
        data.qpos[:7], data.ctrl[:] = pose[:7], pose[7:]
        data.qvel[:3] = motion.body_lin_vel[row, 0]
        data.qvel[3:6] = motion.root_spin[row]
        mujoco.mj_step(model, data)
        for contact in range(data.ncon):
            mujoco.mj_contactForce(model, data, contact, force)
            worst = max(worst, float(np.linalg.norm(force[:3])) / weight)
    return worst


def _pose(motion: Motion, row: float) -> Float[np.ndarray, " 7+J"]:
    """Between two rows in a straight line."""
    before = min(int(row), len(motion.qpos) - 1)
    after = min(before + 1, len(motion.qpos) - 1)
    return motion.qpos[before] + (row - before) * (motion.qpos[after] - motion.qpos[before])


def _touching(model: mujoco.MjModel, data: mujoco.MjData) -> set[str]:
    """Names of the robot's bodies that touch the place."""
    pairs = [data.contact[i] for i in range(data.ncon)]
    geoms = [geom for pair in pairs for geom in (pair.geom1, pair.geom2)]
    return {model.body(model.geom_bodyid[geom]).name for geom in geoms} - {"world"}
