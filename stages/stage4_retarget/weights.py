"""The cost weights that users set, with the original's names and defaults."""

from dataclasses import dataclass

from stages.running import flag


@dataclass
class CostWeights:
    """Multipliers of the residuals: a cost grows with the square of its weight."""

    local_pose_cost_weight: float = flag(8.0, "Limbs like the person's, in length and direction.")
    end_effector_cost_weight: float = flag(5.0, "Feet where the person's are.")
    global_pose_cost_weight: float = flag(2.0, "The whole body laid out like the person's.")
    self_coll_factor_weight: float = flag(1.0, "Limbs out of each other.")
    world_coll_factor_weight: float = flag(0.1, "Body and soles out of the ground.")
    world_coll_margin: float = flag(0.01, "Distance that the body keeps from the ground, m.")
    limit_cost_factor_weight: float = flag(1000.0, "Joints within their limits and top speeds.")
    smoothness_cost_factor_weight: float = flag(10.0, "Joints and root without jerks.")
    foot_skating_cost_weight: float = flag(10.0, "Feet in contact that stay where they are.")
    ground_contact_cost_weight: float = flag(1.0, "Feet in contact at the height of the ground.")
    hip_yaw_cost_weight: float = flag(5.0, "Hip yaw near zero.")
    hip_pitch_cost_weight: float = flag(0.0, "Hip pitch near zero.")
    hip_roll_cost_weight: float = flag(0.0, "Hip roll near zero.")
