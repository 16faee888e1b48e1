"""METRO's transformer over vertices: BERT layers between two linear maps (Lin et al., CVPR 2021).

Post-norm layers with erf-GELU and LayerNorm epsilon 1e-12 and learned positions, as in BERT; a
linear shortcut runs from the input features to the output. Keys as in METRO's release.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

_NORM_EPSILON = 1e-12


class _Projections(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        split = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        return F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)


class _Output(nn.Module):
    def __init__(self, inp: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inp, dim)
        self.LayerNorm = nn.LayerNorm(dim, eps=_NORM_EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, shortcut: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(x)) + shortcut)


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.add_module("self", _Projections(dim, heads))
        self.output = _Output(dim, dim, dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.get_submodule("self")(x), x)


class _Intermediate(nn.Module):
    def __init__(self, dim: int, feedforward: int) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, feedforward)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.dense(x))


class _Layer(nn.Module):
    def __init__(self, dim: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention = _Attention(dim, heads, dropout)
        self.intermediate = _Intermediate(dim, feedforward)
        self.output = _Output(feedforward, dim, dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention(x)
        return self.output(self.intermediate(x), x)


class _Layers(nn.Module):
    def __init__(self, dim: int, layers: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(dim, heads, feedforward, dropout) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layer:
            x = layer(x)
        return x


class _Bert(nn.Module):
    def __init__(self, inp: int, dim: int, positions: int, layers: _Layers) -> None:
        super().__init__()
        self.encoder = layers
        self.position_embeddings = nn.Embedding(positions, dim)
        self.img_embedding = nn.Linear(inp, dim)

    def forward(self, x: Tensor) -> Tensor:
        places = self.position_embeddings.weight[: x.shape[1]]
        return self.encoder(self.img_embedding(x) + places)


class MetroEncoder(nn.Module):
    """Vertex features -> smaller vertex features."""

    def __init__(
        self,
        inp: int,
        dim: int,
        out: int,
        positions: int,
        layers: int,
        heads: int,
        feedforward: int,
        dropout: float,
    ) -> None:
        super().__init__()
        stack = _Layers(dim, layers, heads, feedforward, dropout)
        self.bert = _Bert(inp, dim, positions, stack)
        self.cls_head = nn.Linear(dim, out)
        self.residual = nn.Linear(inp, out)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                torch.nn.init.normal_(module.weight, std=0.02)

    def forward(self, x: Float[Tensor, "b vertices inp"]) -> Float[Tensor, "b vertices out"]:
        return self.cls_head(self.bert(x)) + self.residual(x)
