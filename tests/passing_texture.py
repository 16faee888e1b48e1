"""Frames of a texture that goes by, masks of somebody in them, and networks that know nothing."""

from pathlib import Path

import cv2
import numpy as np
import torch
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from stages.artifacts.images import write_image
from stages.artifacts.masks import write_frame

WIDTH, HEIGHT = 250, 170


def depth_network(folder: Path, metric: bool) -> Path:
    backbone = Dinov2Config(
        hidden_size=8, num_hidden_layers=4, num_attention_heads=1, mlp_ratio=1, image_size=448,
        patch_size=56, out_indices=[1, 2, 3, 4], reshape_hidden_states=False,
    )  # type: ignore[call-arg] # the base class takes it  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=56, reassemble_hidden_size=8,
        neck_hidden_sizes=[2, 4, 4, 4], fusion_hidden_size=4, head_hidden_size=2,
        depth_estimation_type="metric" if metric else "relative", max_depth=20 if metric else 1,
    )  # fmt: skip
    network = DepthAnythingForDepthEstimation(config)
    if not metric:
        # Disparity all in front, so that there is one scale.
        torch.nn.init.constant_(network.head.conv3.bias, 1.0)
    network.save_pretrained(folder)
    return folder


def pictures(count: int, seed: int = 0, step_px: int = 6) -> list[np.ndarray]:
    """A texture that goes by."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (20, 60, 3), dtype=np.uint8)
    wide = cv2.resize(coarse, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return [wide[:, step_px * n : step_px * n + WIDTH] for n in range(count)]


def film(data: Path, video: str, frames: list[np.ndarray], masks: bool = True) -> None:
    for number, picture in enumerate(frames, 1):
        write_image(data / "input_images" / video / "cam01" / f"{number:05d}.jpg", picture)
        ids = np.zeros(picture.shape[:2], np.uint16)
        ids[40:150, 50:120] = 1
        if masks:
            write_frame(data / "input_masks" / video / "cam01", f"{number:05d}", ids, {1: 1.0})


def film_all_that_goes_wrong(data: Path, video: str, frames: int) -> None:
    """One video that can be tracked, and others that cannot."""
    film(data, video, pictures(frames))
    film(data, "no masks", pictures(3), masks=False)
    film(data, "one", pictures(1))
    film(data, "two the same", pictures(1) * 2)
    film(data, "same", pictures(1) * 3)
    dark = [picture // 4 for picture in pictures(4, step_px=1)]
    film(data, "cut", dark + [255 - picture // 4 for picture in pictures(4, 9, 1)])
    film(data, "sizes", [*pictures(2), pictures(3)[2][:100]])


LINES = {
    "no masks": "run stage0-sam2",
    "one": "only frame 00001 is there",
    "two the same": "are all the same picture",
    "same": "are all the same picture",
    "cut": "from frame 00004 to 00005: a cut",
    "sizes": "extract the frames again",
}
"""What is said of these, in one line."""
