"""A trained ViTPose's first layers as the start of VIMO's backbone: the same plain ViT."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stages.stage0_vimo.network.backbone import Backbone

_ATTENTION = ("query", "key", "value")
_SAME = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def load_vitpose_backbone(backbone: Backbone, folder: Path) -> None:
    """Fills patch embedding, positions and as many layers as the backbone has.

    folder: a ViTPose as transformers saves it, of the same width. Raises RuntimeError when sizes
    differ and KeyError when it has fewer layers.
    """
    saved = {
        name.removeprefix("backbone."): value.float()
        for name, value in load_file(folder / "model.safetensors").items()
    }
    state: dict[str, Tensor] = {
        "pos_embed": saved["embeddings.position_embeddings"],
        "last_norm.weight": saved["layernorm.weight"],
        "last_norm.bias": saved["layernorm.bias"],
    }
    for kind in ("weight", "bias"):
        state[f"patch_embed.proj.{kind}"] = saved[f"embeddings.patch_embeddings.projection.{kind}"]
        for i in range(len(backbone.blocks)):
            theirs, ours = f"encoder.layer.{i}.", f"blocks.{i}."
            for own, their in _SAME.items():
                state[f"{ours}{own}.{kind}"] = saved[f"{theirs}{their}.{kind}"]
            parts = [saved[f"{theirs}attention.attention.{x}.{kind}"] for x in _ATTENTION]
            state[f"{ours}attn.qkv.{kind}"] = torch.cat(parts)
    backbone.load_state_dict(state)
