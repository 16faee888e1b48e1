"""ViTPose for 133 whole-body keypoints, from a transformers folder or an official file."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import VitPoseConfig, VitPoseForPoseEstimation

KEYPOINTS = 133


def load_vitpose(path: Path, device: str = "cpu") -> VitPoseForPoseEstimation:
    """Loads the network in evaluation mode, float32, on `device`.

    `path` is a folder with `config.json` and `model.safetensors` (transformers layout), or an
    official single-file whole-body checkpoint (`vitpose_huge_wholebody.pth` and its smaller
    sisters; the size is read off the tensors). Pictures are 256 high and 192 wide, heat maps
    64 by 48; heat map cell (i, j) stands for crop pixel (4 i, 4 j).
    Raises FileNotFoundError or ValueError naming what is wrong with the path.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: put a ViTPose whole-body checkpoint there")
    if path.is_dir():
        model = VitPoseForPoseEstimation(
            VitPoseConfig(**json.loads((path / "config.json").read_text()))
        )
        weights = {
            k: v.float() if v.is_floating_point() else v
            for k, v in load_file(path / "model.safetensors").items()
        }
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        original = state.get("state_dict", state)
        model = VitPoseForPoseEstimation(config_of_official(original))
        weights = from_official(original)
    model.load_state_dict(weights, strict=True)
    if model.config.num_labels != KEYPOINTS:
        raise ValueError(
            f"{path} predicts {model.config.num_labels} keypoints; whole-body models predict 133"
        )
    # The head's transposed convolutions are a third faster with channels last.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-arg]  # stub of transformers
    model.to(device)  # type: ignore[arg-type]  # the stub of transformers takes no device
    return model.eval()


def config_of_official(state: dict[str, torch.Tensor]) -> VitPoseConfig:
    """Size of an official network, read off its tensors."""
    width = state["backbone.patch_embed.proj.weight"].shape[0]
    depth = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("backbone.blocks."))
    return config_of_size(width, depth, state["keypoint_head.final_layer.weight"].shape[0])


def config_of_size(width: int, depth: int, keypoints: int) -> VitPoseConfig:
    """A ViTPose of the official family (heads are 64 wide, as in all ViTs, but in S and H)."""
    heads = 12 if width == 384 else width // (80 if width == 1280 else 64)
    return VitPoseConfig(  # type: ignore[call-arg]  # num_labels is passed on by its base
        backbone_config={
            "model_type": "vitpose_backbone",
            "image_size": [256, 192],
            "patch_size": [16, 16],
            "hidden_size": width,
            "num_hidden_layers": depth,
            "num_attention_heads": heads,
            "mlp_ratio": 4,
            "out_indices": [depth],
        },
        num_labels=keypoints,
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


def from_official(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
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
