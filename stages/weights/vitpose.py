"""ViTPose for 133 whole-body keypoints, from a transformers folder or an official file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import VitPoseConfig, VitPoseForPoseEstimation

from stages.artifacts.json_files import read_json
from stages.weights.errors import LONGEST_OF_TWO, WeightsError, shown, shown_key
from stages.weights.reading import read_safetensors, read_torch
from stages.weights.strict import Shape, check_state, entry, shapes_of

KEYPOINTS = 133
DECONVOLVED = 256
"""Channels of the head's two transposed convolutions."""
SIZES = {384: (12, 12), 768: (12, 12), 1024: (24, 16), 1280: (32, 16)}
"""Layers and attention heads by width: ViTPose-S, -B, -L, -H."""


def load_vitpose(path: Path, device: str = "cpu") -> VitPoseForPoseEstimation:
    """Loads the network in evaluation mode, float32, on `device`.

    `path` is a folder with `config.json` and `model.safetensors` (transformers layout), or an
    official single-file whole-body checkpoint (`vitpose_huge_wholebody.pth` and its smaller
    sisters; the size is read off the tensors). Pictures are 256 high and 192 wide, heat maps
    64 by 48; heat map cell (i, j) stands for crop pixel (4 i, 4 j).

    Raises:
        WeightsError: the file is missing, damaged or not exactly of the layout.
        ArtifactError: so is the folder's config.
    """
    if path.is_dir():
        config = VitPoseConfig(**read_json(path / "config.json", "bring the checkpoint anew"))
        model = _unfilled(config)
        weights, _ = read_safetensors(path / "model.safetensors")
        check_state(weights, shapes_of(model.state_dict()), path / "model.safetensors", "ViTPose")
        _fill(model, weights)
    else:
        content = read_torch(path)
        nested = "state_dict" if isinstance(content, Mapping) and "state_dict" in content else ""
        model = network_of_official(entry(content, nested, path, "ViTPose"), path)
    if model.config.num_labels != KEYPOINTS:
        raise WeightsError(
            f"{shown(path)} predicts {model.config.num_labels} keypoints; whole-body models 133"
        )
    # The head's transposed convolutions are a third faster with channels last.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-arg]  # stub of transformers
    model.to(device)  # type: ignore[arg-type]  # the stub of transformers takes no device
    return model.eval()


def network_of_official(state: Mapping[str, torch.Tensor], path: Path) -> VitPoseForPoseEstimation:
    """The network that the tensors of an official file make; float32.

    Raises:
        WeightsError: they are not exactly of the layout; names `path`.
    """
    state = with_counters(state)
    width = width_of_official(state, path)
    check_state(state, official_layout(width), path, "ViTPose")
    model = _unfilled(config_of_official(width))
    _fill(model, from_official(state))
    return model.eval()


def _unfilled(config: VitPoseConfig) -> VitPoseForPoseEstimation:
    """Without numbers, for making up random ones takes longer than reading the file."""
    with torch.device("meta"):
        return VitPoseForPoseEstimation(config)


def _fill(model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    floats = {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
    model.load_state_dict(floats, strict=True, assign=True)


def with_counters(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state with the counters of batch normalisation, which some files leave out."""
    counters = {f"keypoint_head.deconv_layers.{k}.num_batches_tracked" for k in (1, 4)}
    return {**dict.fromkeys(counters, torch.tensor(0)), **state}


def width_of_official(state: Mapping[str, Any], path: Path) -> int:
    """Width of an official network, read off its tensors.

    Raises:
        WeightsError: it is none of the four sizes, or one with experts for other data sets.
    """
    others = ("backbone.blocks.0.mlp.experts.", "associate_keypoint_heads.")
    if expert := next((key for key in state if key.startswith(others)), ""):
        raise WeightsError(
            f"{shown(path)} is a ViTPose+ with experts ({shown_key(expert, LONGEST_OF_TWO)}):"
            " expected none; `make weights CHECKPOINTS=vitpose-huge` brings a whole-body file"
        )
    key = "backbone.patch_embed.proj.weight"
    patches = state.get(key)
    found = tuple(patches.shape) if isinstance(patches, torch.Tensor) else "none"
    if not isinstance(found, tuple) or found[1:] != (3, 16, 16) or found[0] not in SIZES:
        raise WeightsError(
            f"{shown(path)} is no ViTPose: {key}: expected ({'|'.join(map(str, SIZES))}, 3, 16, 16)"
            f", found {found}"
        )
    return found[0]


def official_layout(width: int) -> dict[str, Shape]:
    """Keys and shapes of an official whole-body file."""

    def linear(name: str, *shape: int) -> dict[str, Shape]:
        return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}

    layout: dict[str, Shape] = {"backbone.pos_embed": (1, 193, width)}
    layout |= linear("backbone.patch_embed.proj", width, 3, 16, 16)
    for k in range(SIZES[width][0]):
        block = f"backbone.blocks.{k}"
        layout |= linear(f"{block}.norm1", width) | linear(f"{block}.norm2", width)
        layout |= linear(f"{block}.attn.qkv", 3 * width, width)
        layout |= linear(f"{block}.attn.proj", width, width)
        layout |= linear(f"{block}.mlp.fc1", 4 * width, width)
        layout |= linear(f"{block}.mlp.fc2", width, 4 * width)
    layout |= linear("backbone.last_norm", width)
    head = "keypoint_head.deconv_layers"
    for number, channels in ((0, width), (3, DECONVOLVED)):
        layout[f"{head}.{number}.weight"] = (channels, DECONVOLVED, 4, 4)
        norm = f"{head}.{number + 1}"
        layout |= linear(norm, DECONVOLVED)
        layout |= {f"{norm}.running_{kind}": (DECONVOLVED,) for kind in ("mean", "var")}
        layout[f"{norm}.num_batches_tracked"] = ()
    return layout | linear("keypoint_head.final_layer", KEYPOINTS, DECONVOLVED, 1, 1)


def config_of_official(width: int) -> VitPoseConfig:
    """An official network for transformers."""
    layers, heads = SIZES[width]
    return VitPoseConfig(  # type: ignore[call-arg]  # num_labels is passed on by its base
        backbone_config={
            "model_type": "vitpose_backbone",
            "image_size": [256, 192],
            "patch_size": [16, 16],
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "mlp_ratio": 4,
            "out_indices": [layers],
        },
        num_labels=KEYPOINTS,
        use_simple_decoder=False,
    )


RENAMED = {
    "backbone.patch_embed.proj": "backbone.embeddings.patch_embeddings.projection",
    "backbone.pos_embed": "backbone.embeddings.position_embeddings",
    "backbone.last_norm": "backbone.layernorm",
    "keypoint_head.deconv_layers.0": "head.deconv1",
    "keypoint_head.deconv_layers.1": "head.batchnorm1",
    "keypoint_head.deconv_layers.3": "head.deconv2",
    "keypoint_head.deconv_layers.4": "head.batchnorm2",
    "keypoint_head.final_layer": "head.conv",
}
RENAMED_IN_BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def from_official(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Official tensor names turned into those of transformers (query, key, value split)."""
    out: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        if key.startswith("backbone.blocks."):
            block, rest = key.split(".")[2], ".".join(key.split(".")[3:])
            stem, kind = rest.rsplit(".", 1)
            layer = f"backbone.encoder.layer.{block}"
            if stem == "attn.qkv":
                for part, name in zip(value.chunk(3), ("query", "key", "value"), strict=True):
                    out[f"{layer}.attention.attention.{name}.{kind}"] = part
            else:
                out[f"{layer}.{RENAMED_IN_BLOCK[stem]}.{kind}"] = value
            continue
        for old, new in RENAMED.items():
            if key == old or key.startswith(old + "."):
                out[new + key[len(old) :]] = value
    return out
