"""From the feature grid of one frame to SMPL pose (6-D rotations), shape and weak camera.

One query token reads the grid through cross attention and is decoded to a difference from mean
parameters. Keys as in HMR2.0's decoder head. The mean parameters are buffers: they come with the
checkpoint.
"""

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

POSE_DIM = 24 * 6
SHAPE_DIM = 10
CAMERA_DIM = 3


def _attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class _SelfAttention(nn.Module):
    def __init__(self, dim: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(dim, 3 * inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, dim))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.to_qkv(x).chunk(3, dim=-1)
        return self.to_out(_attend(query, key, value, self.heads))


class _CrossAttention(nn.Module):
    def __init__(self, dim: int, context_dim: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_kv = nn.Linear(context_dim, 2 * inner, bias=False)
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, dim))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        key, value = self.to_kv(context).chunk(2, dim=-1)
        return self.to_out(_attend(self.to_q(x), key, value, self.heads))


class _FeedForward(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        # The empty slot is upstream's dropout: it keeps the second layer at index 3.
        self.net = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Identity(), nn.Linear(hidden, dim)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class _PreNorm(nn.Module):
    def __init__(self, dim: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fn = fn

    def forward(self, x: Tensor, *context: Tensor) -> Tensor:
        return x + self.fn(self.norm(x), *context)


class _DecoderLayers(nn.Module):
    def __init__(
        self, dim: int, depth: int, context_dim: int, heads: int, inner: int, feedforward: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    _PreNorm(dim, _SelfAttention(dim, heads, inner)),
                    _PreNorm(dim, _CrossAttention(dim, context_dim, heads, inner)),
                    _PreNorm(dim, _FeedForward(dim, feedforward)),
                ]
            )
            for _ in range(depth)
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        for layer in self.layers:
            self_attention, cross_attention, feedforward = cast(nn.ModuleList, layer)
            x = feedforward(cross_attention(self_attention(x), context))
        return x


class _Decoder(nn.Module):
    def __init__(self, dim: int, layers: _DecoderLayers) -> None:
        super().__init__()
        self.to_token_embedding = nn.Linear(1, dim)
        self.pos_embedding = nn.Parameter(torch.zeros(1, 1, dim))
        self.transformer = layers

    def forward(self, context: Tensor) -> Tensor:
        zero = context.new_zeros(len(context), 1, 1)
        token = self.to_token_embedding(zero) + self.pos_embedding
        return self.transformer(token, context).squeeze(1)


class SmplHead(nn.Module):
    """Feature grid -> pose 144 (24 joints x 6-D), shape 10, camera (s, tx, ty)."""

    init_body_pose: Tensor
    init_betas: Tensor
    init_cam: Tensor

    def __init__(
        self,
        dim: int,
        depth: int,
        context_dim: int,
        heads: int,
        attention_dim: int,
        feedforward: int,
    ) -> None:
        super().__init__()
        layers = _DecoderLayers(dim, depth, context_dim, heads, heads * attention_dim, feedforward)
        self.transformer = _Decoder(dim, layers)
        self.decpose = nn.Linear(dim, POSE_DIM)
        self.decshape = nn.Linear(dim, SHAPE_DIM)
        self.deccam = nn.Linear(dim, CAMERA_DIM)
        identity_6d = np.tile(np.array([[1, 0, 0, 0, 1, 0]], np.float32), 24)
        self.register_buffer("init_body_pose", torch.from_numpy(identity_6d))
        self.register_buffer("init_betas", torch.zeros(1, SHAPE_DIM))
        self.register_buffer("init_cam", torch.tensor([[0.9, 0.0, 0.0]]))

    def forward(
        self, grid: Float[Tensor, "b 192 c"]
    ) -> tuple[Float[Tensor, "b 144"], Float[Tensor, "b 10"], Float[Tensor, "b 3"]]:
        token = self.transformer(grid)
        return (
            self.decpose(token) + self.init_body_pose,
            self.decshape(token) + self.init_betas,
            self.deccam(token) + self.init_cam,
        )
