"""How many frames are tracked together: as many as memory holds."""

from stages.stage1_megasam.network import DroidConfig

_SHARE = 0.7
"""Of the free memory that tracking may take: the rest is for the refinement and for luck."""

_EDGES_A_FRAME = 16
"""Of the back end's graph of all frames."""

_NUMBERS_AN_EDGE = 64
"""A cell's places, weights and derivatives in bundle adjustment."""

_FLOAT_BYTES = 4
MOST_FRAMES = 1000
"""The method's authors advise against more together."""


def frame_bytes(config: DroidConfig, cells: int) -> int:
    """What a frame of so many cells takes in the graph of all frames."""
    features = config.features + 2 * config.hidden
    edges = _EDGES_A_FRAME * (2 * config.hidden + _NUMBERS_AN_EDGE)
    return cells * (features + edges) * _FLOAT_BYTES


def most_frames(config: DroidConfig, cells: int, free: int) -> int:
    """That are tracked together."""
    return min(MOST_FRAMES, int(_SHARE * free / frame_bytes(config, cells)))
