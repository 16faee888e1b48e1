"""The demo's SAM 2: the official classes in a small configuration."""

from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file

from stages.weights.sam2 import build_sam2

IMAGE_PX = 384
STRIDE = 16
WIDTH = 128
MEMORY_WIDTH = 64
TRUNK_WIDTH = 40
POINTERS = 8


def _attention(**extra: object) -> dict[str, object]:
    side = IMAGE_PX // STRIDE
    return {
        "_target_": "sam2.modeling.sam.transformer.RoPEAttention",
        "rope_theta": 10000.0,
        "feat_sizes": [side, side],
        "embedding_dim": WIDTH,
        "num_heads": 1,
        "downsample_rate": 1,
        "dropout": 0.0,
        **extra,
    }


def _sine(width: int) -> dict[str, object]:
    return {
        "_target_": "sam2.modeling.position_encoding.PositionEmbeddingSine",
        "num_pos_feats": width,
        "normalize": True,
        "scale": None,
        "temperature": 10000,
    }


def config() -> dict[str, object]:
    """The configuration in the official layout, as `config.yaml` stores it.

    Away from the official one in size, and in four ways that short training asks for: one mask
    instead of three, no time encoding on object pointers (it depends on the clip's length), layer
    scale 0.1 in the memory encoder (1e-6 never grows in minutes), fewer memories and pointers.
    """
    encoder = {
        "_target_": "sam2.modeling.backbones.image_encoder.ImageEncoder",
        "scalp": 1,
        "trunk": {
            "_target_": "sam2.modeling.backbones.hieradet.Hiera",
            "embed_dim": TRUNK_WIDTH,
            "num_heads": 1,
            "stages": [1, 2, 4, 1],
            "global_att_blocks": [4, 6],
            "window_spec": [8, 4, 12, 6],
            "window_pos_embed_bkg_spatial_size": [7, 7],
        },
        "neck": {
            "_target_": "sam2.modeling.backbones.image_encoder.FpnNeck",
            "position_encoding": _sine(WIDTH),
            "d_model": WIDTH,
            "backbone_channel_list": [TRUNK_WIDTH * 2**level for level in (3, 2, 1, 0)],
            "fpn_top_down_levels": [2, 3],
            "fpn_interp_model": "nearest",
        },
    }
    memory_attention = {
        "_target_": "sam2.modeling.memory_attention.MemoryAttention",
        "d_model": WIDTH,
        "pos_enc_at_input": True,
        "num_layers": 2,
        "layer": {
            "_target_": "sam2.modeling.memory_attention.MemoryAttentionLayer",
            "activation": "relu",
            "dim_feedforward": 512,
            "dropout": 0.0,
            "pos_enc_at_attn": False,
            "self_attention": _attention(),
            "d_model": WIDTH,
            "pos_enc_at_cross_attn_keys": True,
            "pos_enc_at_cross_attn_queries": False,
            "cross_attention": _attention(rope_k_repeat=True, kv_in_dim=MEMORY_WIDTH),
        },
    }
    memory_encoder = {
        "_target_": "sam2.modeling.memory_encoder.MemoryEncoder",
        "out_dim": MEMORY_WIDTH,
        "in_dim": WIDTH,
        "position_encoding": _sine(MEMORY_WIDTH),
        "mask_downsampler": {
            "_target_": "sam2.modeling.memory_encoder.MaskDownSampler",
            "embed_dim": WIDTH,
            "kernel_size": 3,
            "stride": 2,
            "padding": 1,
        },
        "fuser": {
            "_target_": "sam2.modeling.memory_encoder.Fuser",
            "layer": {
                "_target_": "sam2.modeling.memory_encoder.CXBlock",
                "dim": WIDTH,
                "kernel_size": 7,
                "padding": 3,
                "layer_scale_init_value": 0.1,
                "use_dwconv": True,
            },
            "num_layers": 2,
        },
    }
    return {
        "model": {
            "_target_": "sam2.modeling.sam2_base.SAM2Base",
            "image_encoder": encoder,
            "memory_attention": memory_attention,
            "memory_encoder": memory_encoder,
            "num_maskmem": 5,
            "image_size": IMAGE_PX,
            "backbone_stride": STRIDE,
            "sigmoid_scale_for_mem_enc": 20.0,
            "sigmoid_bias_for_mem_enc": -10.0,
            "use_mask_input_as_output_without_sam": True,
            "directly_add_no_mem_embed": True,
            "no_obj_embed_spatial": True,
            "use_high_res_features_in_sam": True,
            "multimask_output_in_sam": False,
            "iou_prediction_use_sigmoid": True,
            "use_obj_ptrs_in_encoder": True,
            "max_obj_ptrs_in_encoder": POINTERS,
            "add_tpos_enc_to_obj_ptrs": False,
            "proj_tpos_enc_in_obj_ptrs": False,
            "only_obj_ptrs_in_the_past_for_eval": True,
            "pred_obj_scores": True,
            "pred_obj_scores_mlp": True,
            "fixed_no_obj_ptr": True,
            "use_multimask_token_for_obj_ptr": False,
            "use_mlp_for_obj_ptr_proj": True,
        }
    }


def build() -> Any:
    """An untrained predictor.

    Its object score starts out sure that there is an object: while the score is negative the masks
    are replaced by a constant and learn nothing.
    """
    model: Any = build_sam2(config())
    torch.nn.init.constant_(model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias, 3.0)
    return model


def save(model: torch.nn.Module, folder: Path) -> None:
    """Writes `config.yaml` and `model.safetensors` (half precision)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config())))
    state = {k: v.half().contiguous().cpu() for k, v in model.state_dict().items()}
    save_file(state, folder / "model.safetensors")
