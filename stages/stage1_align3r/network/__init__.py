"""The two-view network: plain PyTorch, no I/O, keys as in the official checkpoint."""

from stages.stage1_align3r.network.align3r import Align3rNet, PairMaps, PictureTokens
from stages.stage1_align3r.network.config import PATCH_PX, Align3rConfig

__all__ = ["PATCH_PX", "Align3rConfig", "Align3rNet", "PairMaps", "PictureTokens"]
