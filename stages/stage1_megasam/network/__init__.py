"""The tracker's network: plain PyTorch, no I/O, keys as in the official checkpoint."""

from stages.stage1_megasam.network.config import DroidConfig
from stages.stage1_megasam.network.droid import DroidNet, FrameFeatures
from stages.stage1_megasam.network.update import EdgeUpdate, GraphUpdate

__all__ = ["DroidConfig", "DroidNet", "EdgeUpdate", "FrameFeatures", "GraphUpdate"]
