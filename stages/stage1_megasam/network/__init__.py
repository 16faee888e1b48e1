"""The tracker's network and RAFT: plain PyTorch, no I/O, keys as in the official checkpoints."""

from stages.stage1_megasam.network.config import DroidConfig, RaftConfig
from stages.stage1_megasam.network.correlation import CorrelationPyramid, look_up_on_the_fly
from stages.stage1_megasam.network.droid import DroidNet, FrameFeatures
from stages.stage1_megasam.network.raft import Flow, Raft
from stages.stage1_megasam.network.update import EdgeUpdate, GraphUpdate
from stages.stage1_megasam.network.upsampling import convex_upsample

__all__ = [
    "CorrelationPyramid",
    "DroidConfig",
    "DroidNet",
    "EdgeUpdate",
    "Flow",
    "FrameFeatures",
    "GraphUpdate",
    "Raft",
    "RaftConfig",
    "convex_upsample",
    "look_up_on_the_fly",
]
