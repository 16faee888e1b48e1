"""BSTRO: from a person's crop to the contact probability of every body vertex.

Huang et al., "Capturing and Inferring Dense Full-Body Human-Scene Contact" (CVPR 2022). The 7x7
image features become one token for every coarse template vertex, three encoders reduce them to a
number each, and two linear maps spread these over the whole body.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.stage0_bstro.network.config import BODY_VERTICES, GRID_CELLS, BstroConfig
from stages.stage0_bstro.network.encoder import MetroEncoder
from stages.stage0_bstro.network.hrnet import HrNet


@dataclass(frozen=True)
class BstroOutput:
    """Contact logits at the three resolutions of the body; a sigmoid makes probabilities."""

    coarse: Float[Tensor, "b coarse"]
    middle: Float[Tensor, "b middle"]
    full: Float[Tensor, "b 6890"]


class Bstro(nn.Module):
    """The whole network; parameter names are those of `hsi_hrnet_3dpw_b32_checkpoint_15.bin`.

    `template`: the coarse vertices of the resting body, metres; it is no part of the state dict.
    """

    template: Tensor

    def __init__(
        self, template: Float[Tensor, "coarse 3"], config: BstroConfig | None = None
    ) -> None:
        super().__init__()
        c = self.config = config or BstroConfig()
        if template.shape != (c.coarse_vertices, 3):
            raise ValueError(
                f"the template has shape {tuple(template.shape)}, expected ({c.coarse_vertices}, 3)"
            )
        self.register_buffer("template", template, persistent=False)
        self.backbone = HrNet(
            c.stem,
            c.stage1,
            c.stage1_blocks,
            c.width,
            c.blocks,
            c.modules,
            c.head,
            c.image_features,
        )
        self.conv_learn_tokens = nn.Conv1d(GRID_CELLS, c.coarse_vertices, 1)
        inputs = (c.image_features + 3, *c.outputs[:-1])
        self.trans_encoder = nn.Sequential(
            *(
                MetroEncoder(i, h, o, c.positions, c.layers, c.heads, c.feedforward, c.dropout)
                for i, h, o in zip(inputs, c.hidden, c.outputs, strict=True)
            )
        )
        self.upsampling = nn.Linear(c.coarse_vertices, c.middle_vertices)
        self.upsampling2 = nn.Linear(c.middle_vertices, BODY_VERTICES)

    def image_tokens(self, crops: Float[Tensor, "b 3 224 224"]) -> Float[Tensor, "b 49 c"]:
        """The trunk's feature map, one token a cell."""
        return self.backbone(crops).flatten(2).transpose(1, 2)

    def vertex_tokens(self, tokens: Float[Tensor, "b 49 c"]) -> Float[Tensor, "b coarse 3+c"]:
        """Template position and learned mixture of the image tokens for every coarse vertex."""
        mixed = self.conv_learn_tokens(tokens)
        return torch.cat([self.template.expand(len(tokens), -1, -1), mixed], dim=-1)

    def forward(self, crops: Float[Tensor, "b 3 224 224"]) -> BstroOutput:
        """Contact logits for normalised crops."""
        return self.contact(self.image_tokens(crops))

    def contact(self, tokens: Float[Tensor, "b 49 c"]) -> BstroOutput:
        """Contact logits for the trunk's tokens."""
        vertices = self.vertex_tokens(tokens)
        coarse = self.trans_encoder(vertices).squeeze(-1)
        middle = self.upsampling(coarse)
        return BstroOutput(coarse, middle, self.upsampling2(middle))
