"""A part of what a stage's networks compute."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from stages.running.recording import unrecorded


@dataclass(frozen=True)
class Part:
    """A call of a network, of so many frames."""

    call: Callable[[], Any]
    frames: int
    networks: tuple[torch.nn.Module, ...]
    passes: int = 1
    """Through these networks, in a call."""

    @property
    def weight_bytes(self) -> int:
        """Read in a call, if no pass keeps any for the next."""
        parameters = (each for network in self.networks for each in network.parameters())
        return self.passes * sum(each.nbytes for each in parameters)

    @property
    def operations(self) -> int:
        """Of matrix products, convolutions and attention in a call."""
        with unrecorded(), FlopCounterMode(display=False) as counter:
            self.call()
        return counter.get_total_flops()
