"""The VIMO network: plain PyTorch, no I/O, keys as in the official checkpoint."""

from stages.stage0_vimo.network.config import VimoConfig
from stages.stage0_vimo.network.vimo import Vimo, VimoOutput

__all__ = ["Vimo", "VimoConfig", "VimoOutput"]
