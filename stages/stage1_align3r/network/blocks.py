"""Transformer blocks: of pictures alone, and of two pictures that look at each other."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from stages.stage1_align3r.network.config import HEAD_WIDTH
from stages.stage1_align3r.network.positions import Turns, turned

_EPSILON = 1e-6
_MLP_RATIO = 4


def layer_norm(width: int) -> nn.LayerNorm:
    """With the original's epsilon."""
    return nn.LayerNorm(width, eps=_EPSILON)


class SelfAttention(nn.Module):
    """Of the tokens of one picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Float[Tensor, "b t c"], places: Turns) -> Float[Tensor, "b t c"]:
        query, key, value = (_heads(each) for each in self.qkv(tokens).chunk(3, dim=-1))
        return self.proj(_attend(query, key, value, places))


class CrossAttention(nn.Module):
    """Of the tokens of one picture to those of another of the same size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.projq = nn.Linear(width, width)
        self.projk = nn.Linear(width, width)
        self.projv = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(
        self, tokens: Float[Tensor, "b t c"], other: Float[Tensor, "b t c"], places: Turns
    ) -> Float[Tensor, "b t c"]:
        query, key, value = (
            _heads(each) for each in (self.projq(tokens), self.projk(other), self.projv(other))
        )
        return self.proj(_attend(query, key, value, places))


class Mlp(nn.Module):
    """Two layers for every token by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, _MLP_RATIO * width)
        self.fc2 = nn.Linear(_MLP_RATIO * width, width)

    def forward(self, tokens: Float[Tensor, "b t c"]) -> Float[Tensor, "b t c"]:
        return self.fc2(F.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """Attention and MLP; each reads normalised tokens and adds to them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = layer_norm(width), layer_norm(width)
        self.attn = SelfAttention(width)
        self.mlp = Mlp(width)

    def forward(self, tokens: Float[Tensor, "b t c"], places: Turns) -> Float[Tensor, "b t c"]:
        tokens = tokens + self.attn(self.norm1(tokens), places)
        return tokens + self.mlp(self.norm2(tokens))


class DecoderBlock(nn.Module):
    """A block with a look at another picture in its middle."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3, self.norm_y = (layer_norm(width) for _ in range(4))
        self.attn = SelfAttention(width)
        self.cross_attn = CrossAttention(width)
        self.mlp = Mlp(width)

    def forward(
        self, tokens: Float[Tensor, "b t c"], other: Float[Tensor, "b t c"], places: Turns
    ) -> Float[Tensor, "b t c"]:
        tokens = tokens + self.attn(self.norm1(tokens), places)
        tokens = tokens + self.cross_attn(self.norm2(tokens), self.norm_y(other), places)
        return tokens + self.mlp(self.norm3(tokens))


def _heads(tokens: Tensor) -> Float[Tensor, "b heads t c"]:
    return tokens.unflatten(-1, (-1, HEAD_WIDTH)).transpose(1, 2)


def _attend(query: Tensor, key: Tensor, value: Tensor, places: Turns) -> Float[Tensor, "b t c"]:
    # Turning gives float32 where training multiplies in half precision.
    query, key = (turned(each, places).to(value.dtype) for each in (query, key))
    return F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
