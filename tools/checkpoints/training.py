"""The training run that all checkpoints share: budget, schedule, resuming, evaluation, saving."""

import json
import math
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn


class Task(Protocol):
    """What one checkpoint's trainer brings to the run.

    `loss` draws its own batch; `progress` runs from 0 to 1 over the whole budget and is what
    curricula depend on. `loss` returns named scalars, of which "total" is minimised. `evaluate`
    measures on seeds that `loss` never draws. `save` writes the files that the stages load.
    """

    name: str
    model: nn.Module
    learning_rate: float
    weight_decay: float

    def loss(self, progress: float, step: int) -> dict[str, Tensor]: ...

    def evaluate(self, full: bool) -> dict[str, float]: ...

    def save(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class Run:
    """One training run: `minutes` of wall time in all, the earlier parts of a resumed run included.

    `steps` ends the run earlier (smoke tests). `out` receives `state.pt` (to resume), `log.jsonl`
    and the checkpoint folder.
    """

    out: Path
    minutes: float
    device: str = "cpu"
    seed: int = 0
    resume: bool = False
    steps: int = 10**9
    evaluations: int = 4
    save_every_s: float = 60.0


WARM_UP, WARM_UP_STEPS = 0.02, 100
FINAL_RATE = 0.01
GRADIENT_CLIP = 1.0


def rate_factor(progress: float, step: int) -> float:
    """Linear warm-up over the first 2 % of the budget, then a cosine down to 1 % of the peak.

    The warm-up takes 100 steps at least: the first step may last long, and Adam's first steps have
    the learning rate's full size in every weight, which wrecks a network that is trained already.
    """
    warm = min(progress / WARM_UP, (step + 1) / WARM_UP_STEPS)
    if warm < 1:
        return max(warm, 1e-3)
    along = min((progress - WARM_UP) / (1 - WARM_UP), 1.0)
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * along))


def start_from(model: nn.Module, folder: Path) -> int:
    """Loads a saved checkpoint's weights into a model about to be trained further.

    Parts that only training has (guides, probes) are not in the file and start anew. The network
    may sit inside the model under a name of its own.

    Returns:
        How many tensors were loaded.

    Raises:
        ValueError: no tensor of the file belongs to the model.
    """
    saved = load_file(next(folder.glob("*.safetensors")))
    own = model.state_dict()
    best: dict[str, Tensor] = {}
    for prefix in ("", *(f"{name}." for name, _ in model.named_children())):
        fitting = {
            prefix + key: value.to(own[prefix + key].dtype)
            for key, value in saved.items()
            if prefix + key in own and own[prefix + key].shape == value.shape
        }
        best = max(best, fitting, key=len)
    if not best:
        raise ValueError(f"{folder} holds no weights of this network")
    model.load_state_dict(best, strict=False)
    return len(best)


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """AdamW groups: vectors (biases, norms, scales) are not decayed."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]


def train(task: Task, run: Run) -> dict[str, float]:
    """Trains for the run's budget and returns the final evaluation.

    Wall time is counted over training alone: evaluations and saving do not shorten it, so that a
    checkpoint depends on the machine's speed only. Interrupted runs go on with `resume`.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(run.device)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    task.model.to(device).train()
    optimizer = torch.optim.AdamW(
        parameter_groups(task.model, task.weight_decay),
        lr=task.learning_rate,
        betas=(0.9, 0.98),
        fused=device.type == "cuda",
    )
    state_file = run.out / "state.pt"
    step, spent_s = 0, 0.0
    if run.resume and state_file.exists():
        step, spent_s = _load_state(state_file, task.model, optimizer, device)
        _log(run, task.name, {"resumed_at_step": step, "spent_s": spent_s})
    seed_everything(run.seed + 7919 * (step + 1))

    budget_s = run.minutes * 60
    evaluated = int(spent_s / budget_s * run.evaluations)
    last_print = last_save = time.monotonic()
    lost = 0
    while spent_s < budget_s and step < run.steps:
        started = time.monotonic()
        progress = spent_s / budget_s
        for group in optimizer.param_groups:
            group["lr"] = task.learning_rate * rate_factor(progress, step)
        losses = task.loss(progress, step)
        optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        norm = torch.nn.utils.clip_grad_norm_(task.model.parameters(), GRADIENT_CLIP)
        if device.type == "cuda":
            # A rare overflow must not poison the weights: the fused step leaves itself out,
            # without waiting for the GPU.
            optimizer.found_inf = (~torch.isfinite(norm)).float()  # type: ignore[attr-defined] # read by fused steps
        optimizer.step()
        step += 1
        now = time.monotonic()
        if now - last_print > 20 or step <= 3:
            last_print = now
            lost = 0 if torch.isfinite(norm) else lost + 1
            if lost >= 3:
                raise FloatingPointError(
                    f"{task.name}: gradients are not finite at step {step}; start again from an "
                    "earlier checkpoint with a lower learning rate"
                )
            values = {k: round(float(v.detach()), 4) for k, v in losses.items()}
            _log(run, task.name, {"step": step, "t": round(spent_s), "grad": float(norm), **values})
        spent_s += time.monotonic() - started

        due = int(spent_s / budget_s * run.evaluations)
        if due > evaluated and due < run.evaluations:
            evaluated = due
            _log(run, task.name, {"step": step, "t": round(spent_s), **_evaluate(task, run, False)})
            task.save(run.out / "checkpoint")
        if time.monotonic() - last_save > run.save_every_s:
            _save_state(state_file, task.model, optimizer, step, spent_s)
            last_save = time.monotonic()
    _save_state(state_file, task.model, optimizer, step, spent_s)
    task.model.eval()
    task.save(run.out / "checkpoint")
    result = _evaluate(task, run, True)
    _log(run, task.name, {"final": True, "steps": step, "train_s": round(spent_s), **result})
    (run.out / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def _evaluate(task: Task, run: Run, full: bool) -> dict[str, float]:
    """Evaluates with random numbers of its own, then lets training go on with its own again."""
    on_cuda = torch.device(run.device).type == "cuda"
    kept = torch.get_rng_state(), torch.cuda.get_rng_state() if on_cuda else None
    seed_everything(run.seed + 1)
    task.model.eval()
    with torch.no_grad():
        result = task.evaluate(full)
    task.model.train()
    torch.set_rng_state(kept[0])
    if kept[1] is not None:
        torch.cuda.set_rng_state(kept[1])
    return result


def _save_state(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, spent_s: float
) -> None:
    unfinished = path.with_suffix(".unfinished")
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
            "spent_s": spent_s,
        },
        unfinished,
    )
    os.replace(unfinished, path)


def _load_state(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
) -> tuple[int, float]:
    state = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["spent_s"])


def _log(run: Run, name: str, values: dict[str, object]) -> None:
    print(name, " ".join(f"{k}={_short(v)}" for k, v in values.items()), flush=True)
    with open(run.out / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
