"""The demo's Grounding DINO: the official class, small, with a vocabulary of its own."""

import json
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import (
    BertConfig,
    ConvNextConfig,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
)

HEIGHT_PX, WIDTH_PX = 288, 512
STRIDES = (8, 16, 32, 64)
# transformers hard-codes the ids of these tokens of BERT's vocabulary.
SPECIAL_TOKENS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103,
                  ".": 1012, "?": 1029}  # fmt: skip
WORDS = ("person", "human", "man", "woman", "child", "robot", "box", "chair", "table", "a", "the")
FIRST_WORD = 1040
PROMPT = "person."


def vocabulary() -> list[str]:
    """One token a line, as `vocab.txt` has it: special tokens at BERT's own places."""
    at = {index: token for token, index in SPECIAL_TOKENS.items()}
    return [at.get(i, f"[unused{i}]") for i in range(FIRST_WORD)] + list(WORDS)


def prompt_ids(prompt: str) -> Int[Tensor, " L"]:
    """Token ids of a lower-case prompt, with [CLS] and [SEP]."""
    index = {token: i for i, token in enumerate(vocabulary())}
    unknown = SPECIAL_TOKENS["[UNK]"]
    words = [index.get(word, unknown) for word in prompt.replace(".", " . ").split()]
    return torch.tensor([SPECIAL_TOKENS["[CLS]"], *words, SPECIAL_TOKENS["[SEP]"]])


def build() -> GroundingDinoForObjectDetection:
    """An untrained network of 4.5 million parameters."""
    backbone = ConvNextConfig(  # type: ignore[call-arg]  # out_features is a property
        num_channels=3, patch_size=4, hidden_sizes=[48, 96, 192, 224], depths=[1, 1, 4, 1],
        layer_scale_init_value=0.0, drop_path_rate=0.0,
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    text = BertConfig(
        vocab_size=FIRST_WORD + len(WORDS), hidden_size=96, num_hidden_layers=1,
        num_attention_heads=4, intermediate_size=192, max_position_embeddings=64,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=text, d_model=128, num_queries=30,
        encoder_layers=2, encoder_ffn_dim=384, encoder_attention_heads=4,
        decoder_layers=3, decoder_ffn_dim=384, decoder_attention_heads=4,
        num_feature_levels=len(STRIDES), encoder_n_points=4, decoder_n_points=4,
        two_stage=True, two_stage_bbox_embed_share=False, embedding_init_target=True,
        max_text_len=32, dropout=0.0, fusion_droppath=0.0,
    )  # fmt: skip
    model = GroundingDinoForObjectDetection(config)
    with torch.no_grad():
        # Class logits are dot products without a bias; unscaled they start in the thousands.
        model.model.enc_output_norm.weight.mul_(0.1)
        model.model.decoder.layer_norm.weight.mul_(0.1)
    return model


def cell_centres(height: int, width: int) -> Float[Tensor, "Q 2"]:
    """Centres of the encoder's cells in 0..1, in the order of its flattened levels."""
    levels = []
    for stride in STRIDES:
        rows, columns = -(-height // stride), -(-width // stride)
        y, x = torch.meshgrid(
            (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns,
            indexing="ij",
        )  # fmt: skip
        levels.append(torch.stack([x, y], -1).reshape(-1, 2))
    return torch.cat(levels)


def save(model: GroundingDinoForObjectDetection, folder: Path) -> None:
    """Writes a transformers folder: weights in half precision, picture size, own vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=state, safe_serialization=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True}, indent=1) + "\n"
    )
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "image_processor_type": "GroundingDinoImageProcessor",
                "size": {"shortest_edge": HEIGHT_PX, "longest_edge": WIDTH_PX},
                "image_mean": [0.485, 0.456, 0.406],
                "image_std": [0.229, 0.224, 0.225],
                "do_resize": True,
                "do_rescale": True,
                "do_normalize": True,
                "do_pad": True,
            },
            indent=1,
        )
        + "\n"
    )
