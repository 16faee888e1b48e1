"""The cost weights that users set, with the original's names and defaults."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CostWeights:
    """Multipliers of the residuals: a cost grows with the square of its weight.

    Each is a flag of the command: `local_pose_cost_weight` is `--local-pose-cost-weight`.
    `world_coll_margin` is a length in metres.
    """

    local_pose_cost_weight: float = 8.0
    end_effector_cost_weight: float = 5.0
    global_pose_cost_weight: float = 2.0
    self_coll_factor_weight: float = 1.0
    world_coll_factor_weight: float = 0.1
    world_coll_margin: float = 0.01
    limit_cost_factor_weight: float = 1000.0
    smoothness_cost_factor_weight: float = 10.0
    foot_skating_cost_weight: float = 10.0
    ground_contact_cost_weight: float = 1.0
    hip_yaw_cost_weight: float = 5.0
    hip_pitch_cost_weight: float = 0.0
    hip_roll_cost_weight: float = 0.0
