"""The BSTRO network: plain PyTorch, no I/O, keys as in the official checkpoint."""

from stages.stage0_bstro.network.bstro import Bstro, BstroOutput
from stages.stage0_bstro.network.config import BstroConfig

__all__ = ["Bstro", "BstroConfig", "BstroOutput"]
