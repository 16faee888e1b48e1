"""Contact of every vertex for crops of people, in batches."""

import numpy as np
import torch
from jaxtyping import Float, Float32

from stages.stage0_bstro.crops import normalise
from stages.stage0_bstro.network import Bstro


class ContactEstimator:
    """A network on its device."""

    def __init__(self, network: Bstro, device: str = "cpu") -> None:
        self.network = network.to(device).eval()
        self.device = device

    @torch.inference_mode()
    def __call__(self, crops: Float[np.ndarray, "n 224 224 3"]) -> Float32[np.ndarray, "n 6890"]:
        """Contact probabilities for crops in grey levels 0..255."""
        pixels = torch.from_numpy(normalise(crops)).to(self.device)
        return torch.sigmoid(self.network(pixels).full).float().cpu().numpy()
