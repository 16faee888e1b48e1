"""The cost weights that users set, one a flag, with the original's defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CostWeights:
    """Multipliers of the residuals: a cost grows with the square of its weight."""

    local_pose: float = 8.0
    end_effector: float = 5.0
    global_pose: float = 2.0
    self_coll: float = 1.0
    world_coll: float = 0.1
    world_coll_margin: float = 0.01
    limit: float = 1000.0
    smoothness: float = 10.0
    foot_skating: float = 10.0
    ground_contact: float = 1.0
    hip_yaw: float = 5.0
    hip_pitch: float = 0.0
    hip_roll: float = 0.0
