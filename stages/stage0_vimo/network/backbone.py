"""The per-frame image encoder: a plain ViT on 256x192 crops, patches of 16.

Structure and keys as in HMR2.0's ViT-H (MIT), which VIMO keeps: patches are cut with a border of
two pixels, the position table has a row for a class token that is added to every patch, blocks are
pre-norm with LayerNorm epsilon 1e-6.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

GRID = (16, 12)
_PATCH_PX = 16
_NORM_EPSILON = 1e-6


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, dim))


class _FeedForward(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self, dim: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=_NORM_EPSILON)
        self.attn = _Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=_NORM_EPSILON)
        self.mlp = _FeedForward(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _PatchEmbedding(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=_PATCH_PX, stride=_PATCH_PX, padding=2)

    def forward(self, image: Tensor) -> Tensor:
        return self.proj(image).flatten(2).transpose(1, 2)


class Backbone(nn.Module):
    """Normalised crop -> one feature vector per patch of the 16x12 grid, rows first."""

    def __init__(self, dim: int, depth: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.patch_embed = _PatchEmbedding(dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID[0] * GRID[1], dim))
        self.blocks = nn.ModuleList(_Block(dim, heads, mlp_ratio) for _ in range(depth))
        self.last_norm = nn.LayerNorm(dim, eps=_NORM_EPSILON)

    def forward(self, image: Float[Tensor, "b 3 256 192"]) -> Float[Tensor, "b 192 c"]:
        x = self.patch_embed(image) + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            x = block(x)
        return self.last_norm(x)
