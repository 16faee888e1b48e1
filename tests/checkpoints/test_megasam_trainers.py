"""What the trainers of MegaSaM's networks ask for; what these and Align3R's leave for stages."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages.body.model import DEMO_BODY, load_body
from stages.flow.checkpoint import load_flow
from stages.flow.grid import cell_grid
from stages.geometry import se3
from stages.stage1_align3r.checkpoint import load_network
from stages.stage1_megasam.checkpoint import load_tracker
from stages.stage1_megasam.projection import Scene, see
from stages.stage1_megasam.refinement.flow_pairs import sampled
from stages.weights.depth_anything import load_depth_anything
from tools.checkpoints import align3r
from tools.checkpoints.flow_clips import FlowClips, flow_clips, rigid_places
from tools.checkpoints.megasam_tracker import CONFIG, Guess, edges_of
from tools.checkpoints.motion_pool import build_pool
from tools.checkpoints.samples import Footage
from tools.footage.scenes import FIRST_TRAINING_SEED
from tools.footage.skinning import BodyTensors

HIGH, WIDE = 6, 9


def clip_of_a_wall() -> FlowClips:
    """Three frames of a still wall by a camera that moves, cells of eight pixels."""
    random = torch.Generator().manual_seed(2)
    tangents = 0.05 * torch.randn(1, 3, 6, generator=random)
    poses = se3.exp(tangents)
    depth = 2 + torch.rand(1, 3, HIGH, WIDE, generator=random)
    lens = torch.tensor([[60.0, 60.0, (8 * WIDE - 1) / 2, (8 * HIGH - 1) / 2]])
    cells = torch.tensor([7.5, 7.5, (WIDE - 1) / 2, (HIGH - 1) / 2])
    grid = cell_grid(depth)
    flow = torch.zeros(1, 3, 3, HIGH, WIDE, 2)
    for i in range(3):
        for j in range(3):
            scene = Scene(poses[0], 1 / depth[0], cells)
            seen = see(scene, torch.tensor([i]), torch.tensor([j]))
            flow[0, i, j] = 8 * (seen.places[0] - grid)
    person = torch.zeros(1, 3, HIGH, WIDE, dtype=torch.bool)
    person[:, :, 2:4, 3:5] = True
    pictures = torch.zeros(1, 3, 3, 8 * HIGH, 8 * WIDE, dtype=torch.uint8)
    visible = torch.ones(1, 3, 3, HIGH, WIDE, dtype=torch.bool)
    return FlowClips(pictures, lens, poses, depth, person, flow, visible)


def test_a_guess_without_error_gives_the_true_flow() -> None:
    edges = edges_of(clip_of_a_wall())
    assert len(edges.sources) == 4 and (edges.sources != edges.targets).all()
    assert edges.group.tolist() == [0, 0, 1, 1]
    found = rigid_places(
        edges.disparity, edges.T_target_source, edges.lens, cell_grid(edges.disparity)
    )
    torch.testing.assert_close(found, edges.places, atol=1e-4, rtol=0)
    assert not edges.static[:, 2:4, 3:5].any() and edges.static[:, :2].all()


def test_guesses_come_nearer_to_the_truth_from_step_to_step() -> None:
    torch.manual_seed(0)
    edges = edges_of(clip_of_a_wall())
    guess = Guess(edges)
    off = []
    for _ in range(6):
        off.append(float((guess.places() - edges.places).norm(dim=-1).median()))
        guess.improve()
    assert off[-1] < 0.2 * off[0]


@pytest.mark.tools
def test_flow_finds_what_a_frame_shows_in_another() -> None:
    body = BodyTensors.from_model(load_body(DEMO_BODY))
    pool = build_pool(FIRST_TRAINING_SEED, 3, 1, DEMO_BODY)
    clips = flow_clips(Footage(pool, body, "cpu", 3, (0.0, 1.0)), 1, 3, (144, 256))
    flow, seen = clips.flow[:, 0, 2], clips.visible[:, 0, 2]
    first, second = clips.pictures[:, 0].float(), clips.pictures[:, 2].float()
    warped = sampled(second, cell_grid(flow[..., 0]) + flow)
    for part in (seen, seen & clips.person[:, 0]):
        still, moved = ((each - first).abs().mean(1)[part].mean() for each in (second, warped))
        # Sampling between pixels softens both, by a few grey levels.
        assert moved < 0.6 * still


@pytest.mark.tools
def test_trainers_leave_what_the_stage_loads(tmp_path: Path) -> None:
    def call(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", "tools.checkpoints", *arguments], check=True)

    for name, seed in (("train", "1000000"), ("held_out", "5000000")):
        out = str(tmp_path / f"{name}.pt")
        call("motions", "--first-seed", seed, "--count", "3", "--processes", "1", "--out", out)
    for network in ("megasam-tracker", "raft", "depth-anything", "align3r"):
        call(
            network, "--device", "cpu", "--smoke", "--steps", "2", "--out", str(tmp_path / network),
            "--motions", str(tmp_path / "train.pt"), "--held-out", str(tmp_path / "held_out.pt"),
        )  # fmt: skip
    made = tmp_path / "megasam-tracker" / "checkpoint" / "tracker.safetensors"
    assert load_tracker(made).config == CONFIG
    made = tmp_path / "align3r" / "checkpoint" / "align3r.safetensors"
    assert load_network(made).config == align3r.CONFIG
    load_flow(tmp_path / "raft" / "checkpoint" / "raft.safetensors")
    for name in ("relative", "metric"):
        folder = tmp_path / "depth-anything" / "checkpoint" / name
        load_depth_anything(folder, metric=name == "metric")
