"""The training run: budget, resuming, saving."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tools.checkpoints.training import Run, rate_factor, start_from, train


class Line:
    """Fits y = 3 x."""

    name = "line"
    learning_rate = 0.05
    weight_decay = 0.0

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = nn.Linear(1, 1)
        self.steps: list[int] = []

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        self.steps.append(step)
        x = torch.randn(16, 1)
        return {"total": ((self.model(x) - 3 * x) ** 2).mean()}

    def evaluate(self, full: bool) -> dict[str, float]:
        torch.rand(5)
        return {"slope": self.model.weight.item()}

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "slope.json").write_text(json.dumps(self.model.weight.item()))


def test_a_run_learns_and_leaves_checkpoint_evaluation_and_log(tmp_path: Path) -> None:
    result = train(Line(), Run(tmp_path, minutes=2 / 60))
    assert abs(result["slope"] - 3) < 0.1
    assert json.loads((tmp_path / "evaluation.json").read_text()) == result
    assert (tmp_path / "checkpoint" / "slope.json").exists()
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])["final"]


def test_a_resumed_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    first = Line()
    train(first, Run(tmp_path, minutes=1, steps=20))
    second = Line()
    train(second, Run(tmp_path, minutes=1, steps=30, resume=True))
    assert second.steps == list(range(20, 30))
    assert json.loads((tmp_path / "evaluation.json").read_text())["slope"] != 0


def test_training_can_start_from_a_checkpoint_inside_a_larger_model(tmp_path: Path) -> None:
    save_file(nn.Linear(1, 1).half().state_dict(), tmp_path / "line.safetensors")
    saved = load_file(tmp_path / "line.safetensors")
    outer = nn.ModuleDict({"line": nn.Linear(1, 1), "guide": nn.Linear(2, 2)})
    guide = outer["guide"].weight.clone()
    assert start_from(outer, tmp_path) == 2
    assert torch.equal(outer["line"].weight.half(), saved["weight"])
    assert torch.equal(outer["guide"].weight, guide)
    with pytest.raises(ValueError, match="no weights of this network"):
        start_from(nn.Linear(7, 7), tmp_path)


def test_the_rate_rises_then_falls_to_a_hundredth() -> None:
    assert rate_factor(0.0, 1000) < 0.01
    assert rate_factor(0.02, 1000) == 1
    assert rate_factor(0.5, 1000) < rate_factor(0.3, 1000)
    assert abs(rate_factor(1.0, 1000) - 0.01) < 1e-9


def test_a_slow_first_step_does_not_end_the_warm_up() -> None:
    assert rate_factor(0.1, 1) == 0.02


def test_a_run_whose_gradients_are_lost_stops(tmp_path: Path) -> None:
    class Lost(Line):
        def loss(self, progress: float, step: int) -> dict[str, Tensor]:
            return {"total": self.model.weight.sum() * float("nan")}

    with pytest.raises(FloatingPointError, match="line: gradients are not finite at step 3"):
        train(Lost(), Run(tmp_path, minutes=1, steps=10))
