"""`python -m bench.worlds.align3r`: prints the table of what Align3R's alignment survives."""

import sys
import time
from collections.abc import Sequence

import click
import torch

from bench.worlds.__main__ import HEADER, row
from bench.worlds.measure import Errors, errors
from bench.worlds.places import SCENES, Place, place
from bench.worlds.true_pairs import PairDisturbance, TruePairs
from stages.geometry import se3
from stages.geometry.rotations import wxyz_from_matrix
from stages.running.device import torch_device
from stages.stage1_align3r.network import PairMaps
from stages.stage1_align3r.reconstruction import Reconstruction, aligned
from stages.stage1_megasam.projection import Scene

CASES = {
    "exact": PairDisturbance(),
    "depth 3 % off": PairDisturbance(depth=0.03),
    "depth 10 % off": PairDisturbance(depth=0.1),
    "3 %, a tenth of the pixels 50 %": PairDisturbance(depth=0.03, outliers=True),
    "pairs turned by 0.2 deg": PairDisturbance(pose_deg=0.2),
    "flow 1 px off": PairDisturbance(flow_px=1),
    "flow 3 px off": PairDisturbance(flow_px=3),
    "3 %, 0.2 deg, 1 px": PairDisturbance(0.03, pose_deg=0.2, flow_px=1),
    "the same, without flow": PairDisturbance(0.03, pose_deg=0.2, with_flow=False),
    "the same, people unknown": PairDisturbance(0.03, pose_deg=0.2, flow_px=1, with_people=False),
}


def errors_of(pairs: TruePairs, off: PairDisturbance, device: str) -> Errors:
    """Of what the alignment makes of a place's pairs."""
    rows, maps, flow = pairs.disturbed(off)
    made = aligned(
        rows.to(device),
        PairMaps(*(each.to(device) for each in maps)),
        flow.to(device) if off.with_flow else None,
        pairs.place.person.to(device) if off.with_people else None,
        len(pairs.place.person),
    )
    return errors(pairs.place, scene_of(made, pairs.place))


def scene_of(made: Reconstruction, truth: Place) -> Scene:
    """In the place's unit, by the middle depth."""
    depth, T = made.depth.cpu(), made.T_world_camera.double().cpu()
    unit = float((depth * truth.truth.disparity).median())
    wxyz = torch.from_numpy(wxyz_from_matrix(T[..., :3].numpy()))
    poses = se3.inverse(torch.cat([T[..., 3] / unit, wxyz], dim=-1))
    lens = torch.cat([torch.full((2,), made.focal_px).double(), truth.truth.intrinsics[2:]])
    return Scene(poses, unit / depth, lens)


@click.command()
@click.option("--case", "cases", type=click.Choice(list(CASES)), multiple=True, default=list(CASES))
@click.option("--scene", "scenes", type=int, multiple=True, default=range(len(SCENES)))
@click.option("--frames", default=24, show_default=True)
@click.option("--fps", default=6.0, show_default=True)
@click.option("--cell-px", default=2, show_default=True, help="1 as the network has; or coarser.")
def main(
    cases: Sequence[str], scenes: Sequence[int], frames: int, fps: float, cell_px: int
) -> None:
    """Align true point maps of rendered scenes' pairs, disturbed; print how far off cameras are."""
    found: dict[str, list[Errors]] = {case: [] for case in cases}
    for scene in scenes:
        pairs = TruePairs(place(*SCENES[scene], frames, fps, cell_px, short=0.0), cell_px)
        for case in cases:
            before = time.monotonic()
            found[case].append(errors_of(pairs, CASES[case], torch_device()))
            took = time.monotonic() - before
            said = f"{case}: {pairs.place.name}: {found[case][-1]} ({took:.0f} s)"
            print(said, file=sys.stderr, flush=True)
    print("| " + " | ".join(HEADER) + " |\n" + "| --- " * len(HEADER) + "|")
    for case in cases:
        print("| " + " | ".join(row(case, found[case])) + " |")


if __name__ == "__main__":
    main()
