"""Attention over the frames of a window; VIMO uses it on features and again on poses."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

_LONGEST_SEQUENCE = 100


def sinusoidal_table(length: int, dim: int) -> Float[Tensor, "length 1 dim"]:
    """The position code of "Attention Is All You Need": sines at even, cosines at odd places."""
    # NumPy, because torch loads a symbolic algebra system for an `arange` on its meta device.
    frequency = 10000.0 ** (-np.arange(0, dim, 2, dtype=np.float32) / dim)
    angle = np.arange(length, dtype=np.float32)[:, None] * frequency
    return torch.from_numpy(np.stack([np.sin(angle), np.cos(angle)], -1).reshape(length, 1, dim))


class _PositionCode(nn.Module):
    pe: Tensor

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("pe", sinusoidal_table(_LONGEST_SEQUENCE, dim))

    def forward(self, x: Float[Tensor, "t b c"]) -> Float[Tensor, "t b c"]:
        return self.dropout(x + self.pe[: len(x)])


class TemporalModule(nn.Module):
    """Linear, post-norm transformer encoder over time, linear; with `residual` added to the input.

    The residual form adds to the first `out_dim` channels, so that conditioning channels may
    follow them in the input.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        dim: int,
        depth: int,
        feedforward: int,
        heads: int,
        dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.residual = residual
        self.l1 = nn.Linear(in_dim, dim)
        self.l2 = nn.Linear(dim, out_dim)
        self.pos_embedding = _PositionCode(dim, dropout)
        layer = nn.TransformerEncoderLayer(dim, heads, feedforward, dropout, activation="gelu")
        self.trans = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)

    def forward(self, x: Float[Tensor, "b t c"]) -> Float[Tensor, "b t out"]:
        hidden = self.pos_embedding(self.l1(x).transpose(0, 1))
        # Fused kernels refuse more than 65535 sequences, and every grid cell is one.
        with sdpa_kernel(SDPBackend.MATH):
            change = self.l2(self.trans(hidden).transpose(0, 1))
        return x[..., : self.out_dim] + change if self.residual else change
