"""The demo's ViTPose: the transformers class, small, with 133 whole-body heat maps."""

from pathlib import Path

from safetensors.torch import save_file
from transformers import VitPoseConfig, VitPoseForPoseEstimation

HEIGHT_PX, WIDTH_PX = 256, 192
CELL_PX = 4
KEYPOINTS = 133
LAYERS, WIDTH, HEADS = 8, 160, 5


def build() -> VitPoseForPoseEstimation:
    """An untrained network of 4.4 million parameters, with the classic deconvolution head."""
    backbone = {
        "model_type": "vitpose_backbone",
        "image_size": [HEIGHT_PX, WIDTH_PX],
        "patch_size": [16, 16],
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "mlp_ratio": 4,
        "out_indices": [LAYERS],
    }
    config = VitPoseConfig(  # type: ignore[call-arg]  # num_labels is passed on by its base
        backbone_config=backbone, num_labels=KEYPOINTS, use_simple_decoder=False
    )
    return VitPoseForPoseEstimation(config)


def save(model: VitPoseForPoseEstimation, folder: Path) -> None:
    """Writes `config.json` and `model.safetensors` (half precision)."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    state = {
        k: (v.half() if v.is_floating_point() else v).contiguous().cpu()
        for k, v in model.state_dict().items()
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
