"""The stages that are timed: official sizes, random weights, and how the originals feed them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_model
from transformers import VitPoseForPoseEstimation

from bench.stage0 import sam2
from bench.stage0.clip import PERSON, RESULTS, VIDEO
from bench.stage0.part import Part
from stages.artifacts import layout
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import Box, read_labels
from stages.body.model import DEMO_BODY
from stages.running import torch_device
from stages.running.people_stage import PeopleStage
from stages.stage0_bstro import checkpoint as bstro_checkpoint
from stages.stage0_bstro import crops as bstro_crops
from stages.stage0_bstro.network import Bstro, BstroConfig
from stages.stage0_bstro.stage import BstroStage
from stages.stage0_vimo import checkpoint as vimo_checkpoint
from stages.stage0_vimo import crops as vimo_crops
from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.stage import VimoStage
from stages.stage0_vitpose import crops as vitpose_crops
from stages.stage0_vitpose.stage import VitposeStage
from stages.weights.precision import autocast
from stages.weights.vitpose import config_of_official


@dataclass(frozen=True)
class Case:
    """A stage, its network alone, and the network fed as the original does."""

    name: str
    write_checkpoint: Callable[[Path], Path]
    stage: Callable[[Path, Path], Any]
    """From the data folder and the checkpoint."""
    network: Callable[[Any, Path], list[Part]]
    """Of a loaded stage: all that its networks compute, on pictures that are there already."""
    one_at_a_time: Callable[[Any, Path], Iterator[object]]
    """Of a loaded stage over the clip of a data folder: something each frame."""
    exact: bool = True
    """Whether the original computes in float32."""


def _folders(data: Path, output: str) -> dict[str, Any]:
    return {
        "video_base_dir": data / layout.IMAGES,
        "bbox_base_dir": data / layout.MASKS,
        output: data / RESULTS,
    }


def _frames(data: Path) -> Iterator[tuple[ImageFile, Box]]:
    masks = data / layout.MASKS / VIDEO / layout.CAMERA
    for image in list_images(data / layout.IMAGES / VIDEO / layout.CAMERA):
        yield image, read_labels(masks, image.name)[PERSON].box


def _write_vitpose(folder: Path) -> Path:
    model = VitPoseForPoseEstimation(config_of_official(1280))
    path = folder / "vitpose"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(model.config.to_dict()))
    save_model(model, str(path / "model.safetensors"))
    return path


def _of_pictures(
    stage: PeopleStage, network: torch.nn.Module, call: Callable[[torch.Tensor], Any], *picture: int
) -> list[Part]:
    batch = torch.rand(stage.people_at_once, *picture, device=torch_device())

    def compute() -> Any:
        with autocast(stage.half_precision, torch_device()):
            return call(batch)

    return [Part(compute, len(batch), (network,))]


def _vitpose_network(stage: VitposeStage, _: Path) -> list[Part]:
    return _of_pictures(stage, stage.estimator.model, stage.estimator.heat_maps, 3, 256, 192)


def _vitpose_one_at_a_time(stage: VitposeStage, data: Path) -> Iterator[object]:
    for image, box in _frames(data):
        crop = vitpose_crops.cut(read_image(image.path), vitpose_crops.crop_of_box(box))
        picture = vitpose_crops.normalised(torch.from_numpy(crop[None]).to(stage.estimator.device))
        model = stage.estimator.model
        yield [model(pixel_values=each).heatmaps.cpu() for each in (picture, picture.flip(-1))]


def _write_vimo(folder: Path) -> Path:
    vimo_checkpoint.save_network(Vimo(VimoConfig()), folder / "vimo.safetensors", {})
    return folder / "vimo.safetensors"


def _vimo_network(stage: VimoStage, _: Path) -> list[Part]:
    network = stage.estimate.network

    def every_frame_from_its_window(pixels: torch.Tensor) -> object:
        features = network.frame_features(pixels)
        windows = torch.arange(len(pixels))[:, None] + torch.arange(WINDOW)
        info = torch.zeros(len(pixels), WINDOW, 3, device=pixels.device)
        return network(features[windows % len(pixels)], info)

    return _of_pictures(stage, network, every_frame_from_its_window, 3, 256, 256)


def _vimo_one_at_a_time(stage: VimoStage, data: Path) -> Iterator[object]:
    network, device = stage.estimate.network, stage.estimate.device
    frames = list(_frames(data))
    where = vimo_crops.crop_geometry(np.array([box for _, box in frames], np.float32))
    info = torch.zeros(1, WINDOW, 3, device=device)

    def crop(at: int) -> torch.Tensor:
        picture = read_image(frames[at][0].path)
        return vimo_crops.crop(picture, where.center_px[at], where.size_px[at])

    for start in range(len(frames) - WINDOW + 1):
        crops = [crop(at) for at in range(start, start + WINDOW)]
        pixels = vimo_crops.normalise(torch.stack(crops).to(device))
        yield network(network.frame_features(pixels)[None], info).rotmat.cpu()


def _write_bstro(folder: Path) -> Path:
    config = BstroConfig()
    network = Bstro(torch.randn(config.coarse_vertices, 3), config)
    bstro_checkpoint.save_network(network, folder / "bstro.safetensors", {})
    return folder / "bstro.safetensors"


def _bstro_network(stage: BstroStage, _: Path) -> list[Part]:
    return _of_pictures(stage, stage.estimate.network, stage.estimate.network, 3, 224, 224)


def _bstro_one_at_a_time(stage: BstroStage, data: Path) -> Iterator[object]:
    for image, box in _frames(data):
        crop = bstro_crops.crop(read_image(image.path), np.array(box))
        pixels = bstro_crops.normalise(torch.from_numpy(crop[None]).to(stage.estimate.device))
        yield stage.estimate.network(pixels).full.cpu()


CASES = (
    Case(
        "sam2",
        sam2.write_checkpoints,
        sam2.stage,
        sam2.network,
        sam2.one_at_a_time,
        exact=False,
    ),
    Case(
        "vitpose",
        _write_vitpose,
        lambda data, path: VitposeStage(
            **_folders(data, "keypoints_base_dir"), model_checkpoint=path
        ),
        _vitpose_network,
        _vitpose_one_at_a_time,
    ),
    Case(
        "vimo",
        _write_vimo,
        lambda data, path: VimoStage(
            **_folders(data, "bodies_base_dir"), model_checkpoint=path, body_model=DEMO_BODY
        ),
        _vimo_network,
        _vimo_one_at_a_time,
    ),
    Case(
        "bstro",
        _write_bstro,
        lambda data, path: BstroStage(
            **_folders(data, "contacts_base_dir"), model_checkpoint=path, body_model=DEMO_BODY
        ),
        _bstro_network,
        _bstro_one_at_a_time,
    ),
)
