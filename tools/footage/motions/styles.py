"""How people differ: their shape, their gait, and the gestures of their arms and trunk."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tools.footage.motions.plan import Style

LARGEST_BETA = 2.2

# Targets of arm channels in rad: (flex, abduct, turn, elbow) of one side. Flex is forward, turn
# rolls the upper arm about itself.
ARM_POSES: dict[str, tuple[float, float, float, float]] = {
    "down": (0.0, 0.2, 0.0, 0.2),
    "forward": (1.5, 0.2, 0.0, 0.15),
    "up": (2.7, 0.25, 0.0, 0.2),
    "sideways": (0.1, 1.5, 0.0, 0.15),
    "diagonal": (1.0, 1.0, 0.0, 0.3),
    "wave": (0.4, 1.3, -1.3, 1.5),
    "hip": (-0.35, 0.75, 0.6, 1.7),
    "chest": (0.7, 0.35, 0.5, 1.9),
    "face": (1.1, 0.3, 0.2, 2.2),
    "behind": (-0.7, 0.25, 0.2, 0.4),
    "carry": (0.35, 0.25, 0.1, 1.45),
}


def sample_betas(rng: np.random.Generator, spread: float = 1.0) -> Float[np.ndarray, " 10"]:
    """A body shape: normal, cut off before shapes become strange."""
    return np.clip(rng.normal(0.0, spread, 10), -LARGEST_BETA, LARGEST_BETA)


def sample_style(rng: np.random.Generator, variety: float = 1.0) -> Style:
    """A way to move; `variety` 0 is the plainest, 1 the whole range of everyday walking."""

    def around(middle: float, spread: float) -> float:
        return float(middle + variety * spread * rng.uniform(-1.0, 1.0))

    hurry = rng.uniform(-1.0, 1.0) * variety  # quick steps are long steps
    return Style(
        step_time_s=0.55 - 0.07 * hurry + around(0.0, 0.03),
        step_length=0.70 + 0.12 * hurry + around(0.0, 0.06),
        double_support=around(0.23, 0.04),
        stance_width=around(0.18, 0.04),
        toe_out_rad=around(0.10, 0.08),
        heel_strike_rad=around(0.25, 0.10),
        push_off_rad=around(0.68, 0.12),
        swing_clearance_m=around(0.022, 0.008),
        knee_bend_m=around(0.015, 0.015),
        lean_rad=around(0.05, 0.06),
        arm_swing=around(0.95, 0.45),
        arm_abduct_rad=around(0.22, 0.08),
        arm_turn_rad=around(0.0, 0.3),
        arm_flex_rad=around(0.03, 0.12),
        elbow_rad=around(0.4, 0.25),
        pelvis_yaw=around(0.25, 0.12),
        trunk_counter=around(0.25, 0.15),
        pelvis_list=around(0.05, 0.03),
        head_pitch_rad=around(0.08, 0.18),
        fidget_rad=around(0.02, 0.012),
        fidget_phase=float(rng.uniform(0.0, 6.28)),
    )
