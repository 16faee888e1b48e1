"""SAM 2 over one segment of a video: masks of every frame from prompts on one of them.

A segment has a session of its own, so memory depends on its length and not on the video's.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32
from PIL import Image

from stages.weights.precision import autocast, half_of

Logits = dict[int, Float32[np.ndarray, "H W"]]
"""Mask logits of every person in one frame; over 0 is inside."""


@contextmanager
def _as_folder(frames: Sequence[Path]) -> Any:
    """A folder of JPEGs named by position, as the predictor reads videos."""
    with tempfile.TemporaryDirectory(prefix="mimicmill-segment-") as name:
        for index, path in enumerate(frames):
            target = Path(name) / f"{index:05d}.jpg"
            if path.suffix.lower() in (".jpg", ".jpeg"):
                target.symlink_to(path.resolve())
            else:
                with Image.open(path) as image:
                    image.convert("RGB").save(target, quality=98)
        yield name


@torch.inference_mode()
def follow(
    predictor: Any,
    frames: Sequence[Path],
    at: int,
    boxes: dict[int, np.ndarray],
    masks: dict[int, Bool[np.ndarray, "H W"]],
    reverse: bool = False,
    scores: dict[int, float] | None = None,
) -> dict[int, Logits]:
    """Masks of everybody prompted, in every frame from `at` on.

    Args:
        predictor: an official SAM 2 video predictor.
        frames: the segment's pictures.
        at: position of the frame with the prompts.
        boxes: x1, y1, x2, y2 by person.
        masks: instead of a box, by person.
        reverse: from `at` backwards.
        scores: if given, gets by person how well SAM 2 believes that its mask fits the box, 0 to 1.

    Returns:
        Logits by frame position.
    """
    if not boxes and not masks:
        return {}
    with _as_folder(frames) as folder, _quiet(), _half(predictor):
        state = predictor.init_state(folder, offload_video_to_cpu=True, offload_state_to_cpu=True)
        with _predicted_overlaps(predictor) as overlaps:
            for person, box in boxes.items():
                predictor.add_new_points_or_box(
                    state, frame_idx=at, obj_id=person, box=np.asarray(box, np.float32)
                )
                if scores is not None:
                    scores[person] = overlaps[-1]
        for person, mask in masks.items():
            predictor.add_new_mask(state, frame_idx=at, obj_id=person, mask=mask)
        found = {}
        for index, people, logits in predictor.propagate_in_video(state, reverse=reverse):
            found[index] = {
                person: logits[position, 0].float().cpu().numpy()
                for position, person in enumerate(people)
            }
    return found


def _half(predictor: Any) -> Any:
    return autocast(half_of("sam2", predictor.device), predictor.device)


@contextmanager
def _predicted_overlaps(predictor: Any) -> Iterator[list[float]]:
    """What the mask decoder predicts for each prompt: its masks' overlap with the true ones.

    The video predictor drops it; the original takes it from the image predictor, which runs the
    same decoder.
    """
    found: list[float] = []

    def note(_decoder: Any, _inputs: Any, outputs: tuple) -> None:
        found.append(float(outputs[1].float().max()))

    hook = predictor.sam_mask_decoder.register_forward_hook(note)
    try:
        yield found
    finally:
        hook.remove()


@contextmanager
def _quiet() -> Any:
    """The predictor draws progress bars of its own; the run has one already."""
    import sam2.sam2_video_predictor as video_module
    import sam2.utils.misc as misc_module

    originals = (video_module.tqdm, misc_module.tqdm)

    def plain(iterable: Any, **_: Any) -> Any:
        return iterable

    video_module.tqdm = misc_module.tqdm = plain
    try:
        yield
    finally:
        video_module.tqdm, misc_module.tqdm = originals


def id_map(logits: Logits, size: tuple[int, int]) -> np.ndarray:
    """Person id of every pixel (uint16), 0 for background; the larger logit wins."""
    if not logits:
        return np.zeros(size, np.uint16)
    people = np.array(list(logits), np.uint16)
    stack = np.stack([logits[int(person)] for person in people])
    best = stack.argmax(0)
    return np.where(stack.max(0) > 0, people[best], 0).astype(np.uint16)
