"""`python -m bench.worlds.align3r_speed`: time and memory of Align3R with random weights."""

import time
from collections.abc import Callable
from typing import TypeVar

import click
import torch

from stages.running.device import torch_device
from stages.stage1_align3r.inference import point_maps
from stages.stage1_align3r.network import Align3rNet, PairMaps
from stages.stage1_align3r.pair_graph import pair_graph
from stages.stage1_align3r.reconstruction import aligned

T = TypeVar("T")


def measured(name: str, work: Callable[[], T], rows: int, unit: str) -> T:
    """Prints how long some work takes, and the most memory of the GPU that is in use meanwhile."""
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    before = time.perf_counter()
    result = work()
    if on_gpu:
        torch.cuda.synchronize()
    took = time.perf_counter() - before
    memory = f", {torch.cuda.max_memory_reserved() / 2**30:.1f} GiB" if on_gpu else ""
    print(f"{name}: {took:.1f} s, {rows / took:.1f} {unit}/s{memory}", flush=True)
    return result


@click.command()
@click.option("--frames", default=150, show_default=True)
@click.option("--size", nargs=2, default=(288, 512), show_default=True, help="Height and width.")
@click.option("--steps", default=300, show_default=True)
@click.option("--tf32", is_flag=True, help="Products of matrices with ten bits of mantissa.")
def main(frames: int, size: tuple[int, int], steps: int, tf32: bool) -> None:
    """Point maps of noise by a network that knows nothing, and their alignment."""
    if tf32:
        torch.set_float32_matmul_precision("high")
    device = torch_device()
    torch.manual_seed(0)
    pairs = pair_graph(frames).to(device)
    maps = maps_of_noise(frames, size, pairs)
    flow = torch.randn(len(pairs), 2, *size, device=device)
    measured("alignment", lambda: aligned(pairs, maps, flow, None, frames, steps), steps, "steps")


def maps_of_noise(frames: int, size: tuple[int, int], pairs: torch.Tensor) -> PairMaps:
    """By the network alone; it is warm before the clock starts."""
    with pairs.device:
        network = Align3rNet().eval().requires_grad_(False)
        pictures = torch.randint(0, 256, (frames, 3, *size), dtype=torch.uint8)
        priors = torch.rand(frames, 3, *size)
    point_maps(network, pictures[:9], priors[:9], pairs[:16] % 9)
    return measured(
        "network", lambda: point_maps(network, pictures, priors, pairs), len(pairs), "pairs"
    )


if __name__ == "__main__":
    main()
