"""stage0-sam2 as it is timed: Grounding DINO tiny and SAM 2.1-L, one person."""

import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from safetensors.torch import save_model
from sam2.build_sam import build_sam2_video_predictor
from transformers import BertConfig, GroundingDinoConfig, GroundingDinoForObjectDetection

from bench.stage0.clip import HEIGHT_PX, RESULTS, VIDEO, WIDTH_PX
from bench.stage0.part import Part
from stages.artifacts import layout
from stages.artifacts.images import list_images, read_image
from stages.running import torch_device
from stages.stage0_sam2.detector import PersonDetector
from stages.stage0_sam2.looks import AT_ONCE as LOOKS_AT_ONCE
from stages.stage0_sam2.looks import STEP
from stages.stage0_sam2.pictures import AT_ONCE as ENCODED_AT_ONCE
from stages.stage0_sam2.pictures import Pictures
from stages.stage0_sam2.propagation import follow
from stages.stage0_sam2.stage import Sam2Stage
from stages.weights.locate import demo_checkpoint
from stages.weights.precision import autocast, on_device
from stages.weights.sam2 import OFFICIAL_CONFIGS, load_sam2

NAME = "sam2.1_hiera_large.pt"
DINO = "grounding_dino"
SHOWN = (slice(2, 5), slice(3, 4))
"""Where SAM 2 sees the person: rows and columns of the picture, in sevenths."""
CLEARLY = 20.0

PICTURE = {
    "size": {"shortest_edge": 800, "longest_edge": 1333},
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def person_box(height: int = HEIGHT_PX, width: int = WIDTH_PX) -> np.ndarray:
    """Where the detector sees the person: x1, y1, x2, y2."""
    rows, columns = SHOWN
    sevenths = np.array([columns.start, rows.start, columns.stop, rows.stop]) / 7
    return sevenths * [width, height, width, height]


class OnePerson(PersonDetector):
    """A detector whose random network computes as any, and then sees one person."""

    def boxes_and_scores(self, pictures: UInt8[np.ndarray, "N h w 3"]) -> tuple:
        super().boxes_and_scores(pictures)
        box = person_box(1, 1)
        middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        found = np.tile(np.concatenate([middle, size]), (len(pictures), 1, 1))
        return found, np.full(found.shape[:2], 0.9, np.float32)


@dataclass(kw_only=True)
class OnePersonStage(Sam2Stage):
    """The stage with such a detector."""

    def load(self) -> None:
        super().load()
        self.detector = OnePerson(self.detector.dino, self.text)


def write_checkpoints(folder: Path) -> Path:
    """Random weights at the official sizes, Grounding DINO's beside SAM 2's."""
    dino = folder / DINO
    dino.mkdir()
    network = GroundingDinoForObjectDetection(GroundingDinoConfig(text_config=BertConfig()))
    (dino / "config.json").write_text(json.dumps(network.config.to_dict()))
    save_model(network, str(dino / "model.safetensors"))
    (dino / "preprocessor_config.json").write_text(json.dumps(PICTURE))
    for name in ("vocab.txt", "tokenizer_config.json"):
        shutil.copy(demo_checkpoint(DINO) / name, dino)
    sam2 = build_sam2_video_predictor(OFFICIAL_CONFIGS[NAME], None, device="cpu")
    show_a_person(sam2)
    torch.save({"model": sam2.state_dict()}, folder / NAME)
    return folder / NAME


@torch.no_grad()
def show_a_person(network: Any) -> None:
    """Leads one channel through random weights: a mask over a part of the picture, always.

    Without it a random network's masks are empty or full, and nobody would be followed.
    """
    encoder, decoder = network.image_encoder, network.sam_mask_decoder
    encoder.trunk.pos_embed[:, 0] = -CLEARLY
    encoder.trunk.pos_embed[:, 0, *SHOWN] = CLEARLY
    for layer in (encoder.neck.convs[-1].conv, decoder.conv_s0):
        layer.weight[0], layer.bias[0] = 0, 0
        layer.weight[0, 0] = 1
    upscaling = decoder.output_upscaling[3]
    upscaling.weight[:, 0], upscaling.bias[0] = 0, 0
    for head in decoder.output_hypernetworks_mlps:
        _always(head.layers[-1], torch.eye(len(head.layers[-1].bias))[0])
    _always(decoder.pred_obj_score_head.layers[-1], torch.full((1,), CLEARLY))


def _always(layer: torch.nn.Linear, value: torch.Tensor) -> None:
    layer.weight.zero_()
    layer.bias.copy_(value)


def stage(data: Path, checkpoint: Path) -> Sam2Stage:
    return OnePersonStage(
        video_base_dir=data / layout.IMAGES,
        masks_base_dir=data / RESULTS,
        dino_checkpoint=checkpoint.parent / DINO,
        sam2_checkpoint=checkpoint,
    )


def network(stage: Any, data: Path) -> list[Part]:
    """The encoder, the detector, and what follows a person through a segment."""
    device, images = (
        stage.sam2.device.type,
        list_images(data / layout.IMAGES / VIDEO / layout.CAMERA),
    )
    random = np.random.default_rng(0)
    side = stage.sam2.network.image_size
    shape = (ENCODED_AT_ONCE[device], 3, side, side)
    batch = torch.from_numpy(random.integers(0, 255, shape, np.uint8)).to(device)
    pictures = Pictures(stage.sam2, images)
    look = stage.detector.prepared(read_image(images[0].path))
    looks = np.stack([look] * LOOKS_AT_ONCE[device])
    frames = range(min(STEP, len(images)))
    pictures.encode_to(frames[-1])

    def follow_somebody() -> object:
        return list(follow(pictures, frames, [person_box()], []))

    sam2 = stage.sam2.network
    following = (sam2.memory_attention, sam2.sam_mask_decoder, sam2.memory_encoder)
    return [
        Part(lambda: stage.sam2.encode(batch), len(batch), (sam2.image_encoder,)),
        Part(follow_somebody, len(frames), following, len(frames)),
        Part(
            lambda: stage.detector.boxes_and_scores(looks),
            STEP * len(looks),
            (stage.detector.dino.model,),
        ),
    ]


def one_at_a_time(stage: Any, data: Path) -> Iterator[object]:
    """The official predictor's way: a folder is read, then encoded a picture at a time."""
    half = stage.half_precision
    # Another network than the stage's, whose parts are recorded.
    network: Any = on_device(load_sam2(stage.sam2_checkpoint), half, torch_device())
    images = list_images(data / layout.IMAGES / VIDEO / layout.CAMERA)
    for start in repeat(0):
        picture = read_image(images[start].path)
        stage.detector(np.stack([stage.detector.prepared(picture)]), picture.shape[:2])
        with tempfile.TemporaryDirectory() as folder, autocast(half, network.device):
            for place, image in enumerate(images[start : start + STEP]):
                (Path(folder) / f"{place:05d}.jpg").symlink_to(image.path.resolve())
            with redirect_stderr(io.StringIO()):  # It draws bars.
                state = network.init_state(folder)
            network.add_new_points_or_box(state, 0, 1, box=person_box())
            coming = network.propagate_in_video(state)
            for _ in images[start : start + STEP]:
                with redirect_stderr(io.StringIO()):
                    _, _, masks = next(coming)
                yield (masks > 0).cpu()
