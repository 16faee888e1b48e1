"""The alignment's three hundred steps."""

from collections.abc import Callable

import torch

from stages.stage1_align3r.alignment.loss import loss_and_gradients
from stages.stage1_align3r.alignment.observations import Observations
from stages.stage1_align3r.alignment.unknowns import Unknowns

STEPS = 300
FLOW_FROM = 0.1
"""Of all steps: flow is believed when cameras are nearly there."""

MOTION_UNTIL = 0.5
"""Of all steps. Small motion is preferred while cameras come to their places. The original prefers
it to the end, which leaves a camera's turn too small by some hundredths, and its path bent."""

_RATE, _LAST_RATE = 0.01, 1e-3
_BETAS = (0.9, 0.9)


def optimise(
    start: Unknowns,
    observations: Observations,
    steps: int = STEPS,
    flow_from: float = FLOW_FROM,
    motion_until: float = MOTION_UNTIL,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Unknowns, list[float]]:
    """The unknowns after all steps of Adam, and the loss before every one."""
    unknowns = Unknowns(*(each.detach().clone().requires_grad_() for each in start.all()))
    adam = torch.optim.Adam(unknowns.all(), lr=_RATE, betas=_BETAS)
    losses = []
    for step in range(steps):
        share = step / steps
        adam.param_groups[0]["lr"] = _RATE + share * (_LAST_RATE - _RATE)
        adam.zero_grad()
        losses.append(
            loss_and_gradients(
                unknowns,
                observations,
                with_flow=step >= steps * flow_from,
                with_motion=step < steps * motion_until,
            )
        )
        adam.step()
        progress((step + 1) / steps)
    return Unknowns(*(each.detach() for each in unknowns.all())), losses
