"""The alignment's loss, gradients and steps are those of the original."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.stage1_align3r.alignment.loss import loss_and_gradients
from stages.stage1_align3r.alignment.observations import Flows, Observations
from stages.stage1_align3r.alignment.optimise import optimise
from stages.stage1_align3r.alignment.unknowns import Unknowns, placed
from stages.stage1_align3r.network import PairMaps

Golden = dict[str, np.ndarray]
pytestmark = pytest.mark.parity
BOUND = 1e-4
ORDER = [4, 5, 6, 3, 0, 1, 2]
"""Translation first and the quaternion's real part before its others: ours; theirs are xyzw, t."""


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    ours_ = ours.detach().numpy().reshape(golden.shape)
    spread = golden.std() if golden.size > 1 else abs(golden).max()
    return float(np.abs(ours_ - golden).max() / spread)


@pytest.fixture(scope="module")
def golden(goldens: Any) -> Golden:
    return goldens.load("align3r_ga")


def tensor(golden: Golden, name: str) -> torch.Tensor:
    return torch.from_numpy(golden[name])


@pytest.fixture
def start(golden: Golden) -> Unknowns:
    high, wide = golden["dynamic_masks"].shape[1:]
    return Unknowns(
        tensor(golden, "param_im_depthmaps").reshape(-1, high, wide),
        tensor(golden, "param_im_poses")[:, ORDER],
        tensor(golden, "param_im_focals")[0, 0],
        tensor(golden, "param_pw_poses")[:, [*ORDER, 7]],
    )


@pytest.fixture(scope="module")
def observations(golden: Golden) -> Observations:
    pairs = tensor(golden, "edges")
    names = ("pred_i", "conf_i", "pred_j", "conf_j")
    i, j = pairs.unbind(1)
    return Observations(
        pairs,
        PairMaps(*(tensor(golden, name) for name in names)),
        (Flows(i, j, tensor(golden, "flow_ij")), Flows(j, i, tensor(golden, "flow_ji"))),
        tensor(golden, "dynamic_masks").bool(),
    )


def test_what_follows_from_the_unknowns(start: Unknowns, golden: Golden) -> None:
    found = placed(start)
    assert relative_error(found.points, golden["points_world"]) < BOUND
    assert relative_error(found.T_world_camera, golden["cam2world"][:, :3]) < BOUND
    assert relative_error(found.S_world_pair, golden["pair_poses"][:, :3]) < BOUND
    assert float(found.focal_px) == pytest.approx(golden["focals"][0, 0], rel=BOUND)


@pytest.mark.parametrize(("name", "with_flow"), [("noflow", False), ("flow", True)])
@pytest.mark.parametrize("pairs_at_once", [2, 32])
def test_loss_and_gradients(
    start: Unknowns,
    observations: Observations,
    golden: Golden,
    name: str,
    with_flow: bool,
    pairs_at_once: int,
) -> None:
    unknowns = Unknowns(*(each.clone().requires_grad_() for each in start.all()))
    pixels = pairs_at_once * observations.moving[0].numel()
    loss = loss_and_gradients(unknowns, observations, with_flow, pixels)
    assert loss == pytest.approx(golden[f"{name}_loss"][0], rel=BOUND)
    depth, cameras, focal, pairs = (each.grad for each in unknowns.all())
    assert depth is not None and cameras is not None and focal is not None and pairs is not None
    grad = {part: golden[f"{name}_grad_{part}"] for part in ("im_depthmaps", "im_focals")}
    assert relative_error(depth, grad["im_depthmaps"]) < BOUND
    assert relative_error(focal, grad["im_focals"]) < BOUND
    assert relative_error(cameras, golden[f"{name}_grad_im_poses"][:, ORDER]) < BOUND
    assert relative_error(pairs, golden[f"{name}_grad_pw_poses"][:, [*ORDER, 7]]) < BOUND


@pytest.mark.parametrize(("name", "flow_from"), [("noflow", 2.0), ("flow", 0.15)])
def test_twenty_steps(
    start: Unknowns, observations: Observations, golden: Golden, name: str, flow_from: float
) -> None:
    end, losses = optimise(start, observations, 20, flow_from, motion_until=1)
    assert losses == pytest.approx(golden[f"opt20_{name}_losses"], rel=BOUND)
    found = placed(end)
    poses = golden[f"opt20_{name}_im_poses"][:, :3]
    assert relative_error(found.T_world_camera, poses) < BOUND
    assert float(found.focal_px) == pytest.approx(golden[f"opt20_{name}_focals"][0, 0], rel=BOUND)
