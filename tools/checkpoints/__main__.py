"""Trains the demo's checkpoints.

First the motions that all trainers draw from, once for training and once for evaluation:

    python -m tools.checkpoints motions --first-seed 1000000 --count 3000 --out work/train.pt
    python -m tools.checkpoints motions --first-seed 5000000 --count 300 --out work/held_out.pt

then each network (a GPU, some 20 minutes each; `--resume` goes on with an interrupted run):

    python -m tools.checkpoints grounding-dino --minutes 20 --device cuda \
        --motions work/train.pt --held-out work/held_out.pt --out work/grounding_dino
"""

import argparse
import importlib
import os
import time
from pathlib import Path

from stages.body.model import DEMO_BODY, load_body
from tools.checkpoints.training import Run, seed_everything, start_from, train

# Network: module, class, how often a clip shows 0, 1, 2, ... people.
TASKS = {
    "grounding-dino": ("grounding_dino", "GroundingDinoTask", (0.12, 0.5, 0.26, 0.12)),
    "sam2": ("sam2", "Sam2Task", (0.0, 0.5, 0.35, 0.15)),
    "vitpose": ("vitpose", "VitPoseTask", (0.0, 0.72, 0.28)),
    "vimo": ("vimo", "VimoTask", (0.0, 0.85, 0.15)),
    "bstro": ("bstro", "BstroTask", (0.0, 0.85, 0.15)),
    "megasam-tracker": ("megasam_tracker", "TrackerTask", (0.08, 0.72, 0.2)),
    "raft": ("megasam_flow", "FlowTask", (0.08, 0.72, 0.2)),
    "depth-anything": ("megasam_depth", "DepthTask", (0.08, 0.72, 0.2)),
    "align3r": ("align3r", "Align3rTask", (0.08, 0.72, 0.2)),
}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m tools.checkpoints",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    motions = commands.add_parser("motions", help="compute places and motions on the CPU")
    motions.add_argument("--first-seed", type=int, default=1_000_000)
    motions.add_argument("--count", type=int, default=3000)
    motions.add_argument("--processes", type=int, default=os.cpu_count())
    motions.add_argument("--out", type=Path, required=True)
    for name in TASKS:
        one = commands.add_parser(name, help=f"train {name}")
        one.add_argument("--motions", type=Path, required=True)
        one.add_argument("--held-out", type=Path, required=True)
        one.add_argument("--out", type=Path, required=True)
        one.add_argument("--minutes", type=float, default=20.0)
        one.add_argument("--device", default="cuda")
        one.add_argument("--seed", type=int, default=0)
        one.add_argument("--resume", action="store_true", help="go on with the run in --out")
        one.add_argument("--start-from", type=Path, help="weights of an earlier checkpoint folder")
        one.add_argument("--steps", type=int, default=10**9, help="stop after so many steps")
        one.add_argument("--eager", action="store_true", help="no compilation")
        one.add_argument("--smoke", action="store_true", help="tiny batches, for tests")
    for command in commands.choices.values():
        command.add_argument("--body", type=Path, default=DEMO_BODY)
    return top


def main() -> None:
    arguments = parser().parse_args()
    if arguments.command == "motions":
        make_motions(arguments)
    else:
        train_network(arguments)


def make_motions(arguments: argparse.Namespace) -> None:
    from tools.checkpoints.motion_pool import build_pool, save_pool

    started = time.monotonic()
    pool = build_pool(arguments.first_seed, arguments.count, arguments.processes, arguments.body)
    save_pool(pool, arguments.out)
    print(f"{len(pool)} motions in {time.monotonic() - started:.0f} s: {arguments.out}", flush=True)


def train_network(arguments: argparse.Namespace) -> None:
    from tools.checkpoints.motion_pool import load_pool
    from tools.checkpoints.samples import Footage
    from tools.footage.skinning import BodyTensors

    module, cls, shares = TASKS[arguments.command]
    body = BodyTensors.from_model(load_body(arguments.body))
    seed_everything(arguments.seed)
    footage = Footage(
        load_pool(arguments.motions), body, arguments.device, arguments.seed + 1, shares
    )
    held_out = Footage(
        load_pool(arguments.held_out), body, arguments.device, arguments.seed + 2, shares
    )
    task = getattr(importlib.import_module(f"tools.checkpoints.{module}"), cls)(
        footage, held_out, smoke=arguments.smoke
    )
    if arguments.start_from:
        print(f"{start_from(task.model, arguments.start_from)} tensors loaded", flush=True)
    if hasattr(task, "compile") and arguments.device != "cpu" and not arguments.eager:
        task.compile()
    run = Run(
        out=arguments.out,
        minutes=arguments.minutes,
        device=arguments.device,
        seed=arguments.seed,
        resume=arguments.resume,
        steps=arguments.steps,
    )
    train(task, run)


if __name__ == "__main__":
    main()
