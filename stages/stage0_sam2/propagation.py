"""SAM 2 over a stretch of a video: masks of every frame from prompts on its first or last one.

People are followed together, in groups. Of the frames behind, a group keeps what the network looks
back at, so memory depends neither on the stretch's length nor on the video's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32
from sam2.utils.misc import fill_holes_in_mask_scores
from torch.nn.functional import interpolate

from stages.running.device import sent
from stages.stage0_sam2.pictures import Pictures
from stages.weights.precision import autocast

Logits = Float32[torch.Tensor, "P h w"]
"""Of every person's mask in one frame, a quarter of the network's picture wide and high; over 0 is
inside."""
Found = tuple[Logits, Float[torch.Tensor, " P"]]
"""Masks, and how well SAM 2 believes that they fit, 0 to 1."""

PEOPLE_AT_ONCE = {"cuda": 8, "cpu": 1}
"""In a group. What SAM 2 takes of a GPU grows with it."""
PROMPTED, FOLLOWED = "cond_frame_outputs", "non_cond_frame_outputs"
"""What SAM 2 calls outputs of frames with prompts and of others."""
BOX_CORNERS = (2, 3)
"""SAM 2's labels of a box's first and last corner."""


@dataclass
class Group:
    """Some people, prompted in the first of `frames`."""

    pictures: Pictures
    frames: range
    count: int
    outputs: dict[str, dict[int, dict]] = field(
        default_factory=lambda: {PROMPTED: {}, FOLLOWED: {}}
    )
    """What SAM 2 knows of them, by place in `frames`."""

    @torch.inference_mode()
    def prompt(self, **inputs: Any) -> Found:
        """Masks in the first frame."""
        network = self.pictures.sam2.network
        with autocast(self.pictures.sam2.half, self.pictures.sam2.device):
            _, found, _, _ = network._track_step(
                **self._seen(self.frames[0]),
                is_init_cond_frame=True,
                **{"point_inputs": None, "mask_inputs": None, **inputs},
                output_dict={},
                track_in_reverse=False,  # Frames are counted from the prompt, either way.
                prev_sam_mask_logits=None,
            )
        _, _, fits, logits, _, pointer, appearing = found
        output = {"pred_masks": self._filled(logits), "obj_ptr": pointer, "appearing": appearing}
        self.outputs[PROMPTED][0] = output
        return output["pred_masks"][:, 0], fits.float().amax(-1)

    @torch.inference_mode()
    def remember_prompts(self) -> None:
        """Makes of the first frame what the others are compared with."""
        network = self.pictures.sam2.network
        output = self.outputs[PROMPTED][0]
        side = network.image_size
        masks = interpolate(output["pred_masks"], (side, side), mode="bilinear")
        seen = self._seen(self.frames[0])
        with autocast(self.pictures.sam2.half, self.pictures.sam2.device):
            memory, positions = network._encode_new_memory(
                seen["current_vision_feats"],
                seen["feat_sizes"],
                masks,
                output["appearing"],
                is_mask_from_pts=True,
            )
        output |= {"maskmem_features": memory.to(torch.bfloat16), "maskmem_pos_enc": positions}

    @torch.inference_mode()
    def follow(self, index: int) -> Logits:
        """Masks in the next frame."""
        network = self.pictures.sam2.network
        with autocast(self.pictures.sam2.half, self.pictures.sam2.device):
            found = network.track_step(
                **self._seen(index),
                is_init_cond_frame=False,
                point_inputs=None,
                mask_inputs=None,
                output_dict=self.outputs,
            )
        place, followed = self.frames.index(index), self.outputs[FOLLOWED]
        followed[place] = {
            # As the official predictor keeps it.
            "maskmem_features": found["maskmem_features"].to(torch.bfloat16),
            "maskmem_pos_enc": self.outputs[PROMPTED][0]["maskmem_pos_enc"],
            "obj_ptr": found["obj_ptr"],
        }
        followed.pop(place - looks_back(network), None)
        return self._filled(found["pred_masks"])[:, 0]

    def _seen(self, index: int) -> dict[str, Any]:
        """A frame as SAM 2 takes it: pixels first, then people, then channels."""
        levels = self.pictures.features(index)

        def flat(level: Float[torch.Tensor, "1 C h w"]) -> Float[torch.Tensor, "hw P C"]:
            return level.expand(self.count, -1, -1, -1).flatten(2).permute(2, 0, 1)

        return {
            "frame_idx": self.frames.index(index),
            "current_vision_feats": [flat(level) for level in levels],
            "current_vision_pos_embeds": [flat(self.pictures.places)],  # Only the last is used.
            "feat_sizes": [tuple(level.shape[2:]) for level in levels],
            "num_frames": len(self.frames),
        }

    def _filled(self, logits: Float[torch.Tensor, "P 1 h w"]) -> Float[torch.Tensor, "P 1 h w"]:
        area_px = self.pictures.sam2.network.fill_hole_area
        return fill_holes_in_mask_scores(logits, area_px) if area_px > 0 else logits


def looks_back(network: Any) -> int:
    """Frames whose memories or pointers SAM 2 uses."""
    memories = network.num_maskmem * network.memory_temporal_stride_for_eval
    return int(max(memories, network.max_obj_ptrs_in_encoder))


def probe(pictures: Pictures, at: int, boxes: list[Float[np.ndarray, "4"]]) -> Found:
    """What is in boxes x1, y1, x2, y2 of one picture."""
    found = [each for _, each in _prompted(pictures, range(at, at + 1), boxes, [])]
    logits, fits = zip(*found, strict=True)
    return torch.cat(logits), torch.cat(fits)


def follow(
    pictures: Pictures,
    frames: range,
    boxes: list[Float[np.ndarray, "4"]],
    masks: list[Bool[np.ndarray, "H W"]],
) -> Iterator[Logits]:
    """Masks in every one of `frames`, of those in boxes first.

    Args:
        frames: one after the other, forwards or backwards; the first has the prompts.
        boxes: x1, y1, x2, y2 of people.
        masks: of other people.
    """
    prompted = list(_prompted(pictures, frames, boxes, masks))
    groups = [group for group, _ in prompted]
    yield torch.cat([logits for _, (logits, _) in prompted])
    for group in groups:
        group.remember_prompts()
    for index in frames[1:]:
        yield torch.cat([group.follow(index) for group in groups])


def _prompted(
    pictures: Pictures, frames: range, boxes: list[np.ndarray], masks: list[np.ndarray]
) -> Iterator[tuple[Group, Found]]:
    def prompted(count: int, **prompt: Any) -> tuple[Group, Found]:
        group = Group(pictures, frames, count)
        return group, group.prompt(**prompt)

    at_once = PEOPLE_AT_ONCE[pictures.sam2.device.type]
    for part in _parts(boxes, at_once):
        yield prompted(len(part), point_inputs=_corners(pictures, part))
    for part in _parts(masks, at_once):
        yield prompted(len(part), mask_inputs=_squares(pictures, part))


def _parts(those: list, size: int) -> list[list]:
    return [those[start : start + size] for start in range(0, len(those), size)]


def _corners(pictures: Pictures, boxes: list[np.ndarray]) -> dict[str, torch.Tensor]:
    (height, width), side = pictures.size, np.float32(pictures.sam2.network.image_size)
    corners = np.array(boxes, np.float32).reshape(-1, 2, 2) / np.array([width, height], np.float32)
    labels = np.tile(np.array(BOX_CORNERS, np.int32), (len(boxes), 1))
    return {
        "point_coords": sent(corners * side, pictures.sam2.device),
        "point_labels": sent(labels, pictures.sam2.device),
    }


def _squares(
    pictures: Pictures, masks: list[Bool[np.ndarray, "H W"]]
) -> Float32[torch.Tensor, "P 1 S S"]:
    side = pictures.sam2.network.image_size
    wide = sent(np.stack(masks), pictures.sam2.device)[:, None].float()
    small = interpolate(wide, (side, side), mode="bilinear", antialias=True)
    return (small >= 0.5).float()


def enlarged(logits: Logits, size: tuple[int, int]) -> Float32[torch.Tensor, "P H W"]:
    """Logits of a picture's pixels."""
    return interpolate(logits[:, None], size, mode="bilinear")[:, 0]


def id_map(
    logits: Float32[torch.Tensor, "P H W"], people: Int32[torch.Tensor, " P"]
) -> Int32[torch.Tensor, "H W"]:
    """Person id of every pixel, 0 for background; the larger logit wins."""
    largest, who = logits.max(0)
    return torch.where(largest > 0, people[who], 0)
