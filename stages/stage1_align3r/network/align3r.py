"""Two pictures, each with a depth prior, to two point maps in the first one's camera.

Wang et al., "DUSt3R" (CVPR 2024); the branch that reads the prior is Align3R's (Lu et al., CVPR
2025, section 3.2): its tokens are added to those of the decoders' first blocks. Pictures are
looked at once and may then be in many pairs.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from stages.stage1_align3r.network.blocks import Block, DecoderBlock, layer_norm
from stages.stage1_align3r.network.config import HEAD_WIDTH, PATCH_PX, Align3rConfig
from stages.stage1_align3r.network.head import Head
from stages.stage1_align3r.network.positions import Turns, turns


@dataclass(frozen=True)
class PictureTokens:
    """What is known of pictures before they are paired."""

    encoded: Float[Tensor, "n t c"]
    prior: Float[Tensor, "n k t d"]
    """What is added in a decoder before its first block and after each of the next."""
    rows: int
    """Of the grid of tokens."""

    def __getitem__(self, few: Int[Tensor, " m"]) -> "PictureTokens":
        """Of some of the pictures."""
        return PictureTokens(self.encoded[few], self.prior[few], self.rows)


class PairMaps(NamedTuple):
    """Points in the first picture's camera, without a known scale; confidences above 1."""

    points_first: Float[Tensor, "n h w 3"]
    confidence_first: Float[Tensor, "n h w"]
    points_second: Float[Tensor, "n h w 3"]
    confidence_second: Float[Tensor, "n h w"]


class PatchEmbed(nn.Module):
    """A token of every patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH_PX, stride=PATCH_PX)

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n t c"]:
        return self.proj(pictures).flatten(2).transpose(1, 2)


class Align3rNet(nn.Module):
    """The whole network; parameter names are those of `align3r_depthpro.pth`."""

    def __init__(self, config: Align3rConfig | None = None) -> None:
        super().__init__()
        c = self.config = config or Align3rConfig()
        self.patch_embed = PatchEmbed(c.encoder_width)
        self.patch_embed_point_cloud = PatchEmbed(c.decoder_width)
        self.enc_blocks = nn.ModuleList(Block(c.encoder_width) for _ in range(c.encoder_depth))
        self.enc_norm = layer_norm(c.encoder_width)
        self.decoder_embed = nn.Linear(c.encoder_width, c.decoder_width)
        self.dec_blocks_pc = nn.ModuleList(Block(c.decoder_width) for _ in range(c.prior_depth))
        self.dec_blocks, self.dec_blocks2 = (
            nn.ModuleList(DecoderBlock(c.decoder_width) for _ in range(c.decoder_depth))
            for _ in range(2)
        )
        self.dec_norm = layer_norm(c.decoder_width)
        self.zero_convs = nn.ModuleList(
            nn.Sequential(nn.Conv1d(c.decoder_width, c.decoder_width, 1))
            for _ in range(c.prior_depth + 1)
        )
        self.downstream_head1, self.downstream_head2 = Head(c), Head(c)

    def look_at(
        self,
        pictures: Float[Tensor, "n 3 16*h 16*w"],
        prior: Float[Tensor, "n 3 16*h 16*w"],
    ) -> PictureTokens:
        """Of pictures from -1 to 1 in RGB and their priors (`stages.stage1_align3r.prior`).

        A prior of zeros stands for none.

        Raises:
            ValueError: a side is no multiple of 16.
        """
        high, wide = pictures.shape[-2:]
        if high % PATCH_PX or wide % PATCH_PX:
            raise ValueError(f"pictures of {(high, wide)}: a side is no multiple of {PATCH_PX}")
        places = self._places(high // PATCH_PX, wide // PATCH_PX, pictures.device)
        tokens = self.patch_embed(pictures)
        for block in self.enc_blocks:
            tokens = block(tokens, places)
        parts = zip(self.zero_convs, self.prior_tokens(prior), strict=True)
        added = torch.stack([conv(x.mT).mT for conv, x in parts], dim=1)
        return PictureTokens(self.enc_norm(tokens), added, high // PATCH_PX)

    def prior_tokens(self, prior: Float[Tensor, "n 3 16*h 16*w"]) -> list[Float[Tensor, "n t d"]]:
        """Of priors, before and after each of their blocks."""
        high, wide = prior.shape[-2:]
        places = self._places(high // PATCH_PX, wide // PATCH_PX, prior.device)
        tokens = [self.patch_embed_point_cloud(prior)]
        for block in self.dec_blocks_pc:
            tokens.append(block(tokens[-1], places))
        return tokens

    def decode(
        self, first: PictureTokens, second: PictureTokens
    ) -> tuple[list[Float[Tensor, "n t _"]], list[Float[Tensor, "n t _"]]]:
        """Tokens of the encoder and after each block of both decoders; the last are normalised."""
        rows, count = first.rows, first.encoded.shape[1]
        places = self._places(rows, count // rows, first.encoded.device)
        a, b = (self.decoder_embed(each.encoded) for each in (first, second))
        a, b = a + first.prior[:, 0], b + second.prior[:, 0]
        found = [(first.encoded, second.encoded)]
        for k, (one, two) in enumerate(zip(self.dec_blocks, self.dec_blocks2, strict=True)):
            a, b = one(a, b, places), two(b, a, places)
            if k < len(self.dec_blocks_pc):
                a, b = a + first.prior[:, k + 1], b + second.prior[:, k + 1]
            found.append((a, b))
        found[-1] = (self.dec_norm(a), self.dec_norm(b))
        return [each[0] for each in found], [each[1] for each in found]

    def forward(self, first: PictureTokens, second: PictureTokens) -> PairMaps:
        """Point maps of pairs of pictures of one size."""
        of_first, of_second = self.decode(first, second)
        read = self.config.read_after
        return PairMaps(
            *self.downstream_head1([of_first[k] for k in read], first.rows),
            *self.downstream_head2([of_second[k] for k in read], second.rows),
        )

    def _places(self, high: int, wide: int, device: torch.device) -> Turns:
        return turns(high, wide, HEAD_WIDTH, device)
