"""Contact of every vertex for crops of people, in batches."""

import numpy as np
import torch
from jaxtyping import Float, Float32

from stages.running.device import sent
from stages.running.recording import recorded
from stages.stage0_bstro.crops import normalise
from stages.stage0_bstro.network import Bstro
from stages.weights.precision import autocast, on_device


class ContactEstimator:
    """A network on its device; `batch_size` crops go through it at once."""

    def __init__(
        self, network: Bstro, batch_size: int, device: str = "cpu", half: torch.dtype | None = None
    ) -> None:
        self.network = on_device(network, half, device).eval()
        self.batch_size = batch_size
        self.device, self.half = device, half
        self._logits = recorded(lambda pixels: self.network(pixels).full, device)

    @torch.inference_mode()
    def start(self, crops: Float[np.ndarray, "n 224 224 3"]) -> Float32[torch.Tensor, "n 6890"]:
        """Contact probabilities, perhaps still being computed, of crops in grey levels 0..255."""
        pixels = sent(crops, self.device)
        with autocast(self.half, self.device):
            parts = [self._logits(normalise(part)) for part in pixels.split(self.batch_size)]
        return torch.sigmoid(torch.cat(parts).float())
