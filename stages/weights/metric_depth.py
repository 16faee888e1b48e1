"""Depth of single pictures in metres, by the network that a folder holds."""

from collections.abc import Callable
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor

from stages.artifacts.json_files import read_json
from stages.weights.depth_anything import load_depth_anything
from stages.weights.depth_pro import load_depth_pro
from stages.weights.remedy import require
from stages.weights.transformers_folder import CONFIG, WEIGHTS

Metric = Callable[[UInt8[Tensor, "n 3 h w"]], tuple[Tensor, Tensor | None]]
"""Pictures to depth (m) and, where the network tells it, field of view (deg)."""


def load_metric(folder: Path, device: str) -> Metric:
    """Depth Pro or a metric Depth Anything.

    Raises:
        WeightsError: a file is missing or damaged, or the network is neither.
        ArtifactError: the file of settings is damaged.
    """
    for name in (CONFIG, WEIGHTS):
        require(folder / name)
    if read_json(folder / CONFIG, "bring the checkpoint anew").get("model_type") == "depth_pro":
        return load_depth_pro(folder, device)
    depth_anything = load_depth_anything(folder, metric=True, device=device)
    return lambda pictures: (depth_anything(pictures), None)
