"""The tracker's network: features and context of frames, and the update operator on edges.

Teed and Deng, "DROID-SLAM: Deep Visual SLAM for Monocular, Stereo, and RGB-D Cameras" (NeurIPS
2021), with the motion head of Li et al., "MegaSaM" (CVPR 2025).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.flow.encoder import Encoder, instance_norm, no_norm
from stages.stage1_megasam.network.config import DroidConfig
from stages.stage1_megasam.network.update import UpdateOperator

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class FrameFeatures:
    """What the network knows of each frame by itself, at an eighth of its size."""

    matching: Float[Tensor, "n c h w"]
    """To be correlated with those of other frames."""
    state: Float[Tensor, "n d h w"]
    """With which the recurrent state of an edge from this frame begins."""
    context: Float[Tensor, "n d h w"]
    """Read in every step."""


class DroidNet(nn.Module):
    """The whole network; parameter names are those of `megasam_final.pth` without `module.`."""

    def __init__(self, config: DroidConfig | None = None) -> None:
        super().__init__()
        c = self.config = config or DroidConfig()
        self.fnet = Encoder(c.encoder, c.features, instance_norm)
        self.cnet = Encoder(c.encoder, 2 * c.hidden, no_norm)
        self.update = UpdateOperator(c.hidden)

    def frame_features(self, pictures: Float[Tensor, "n 3 h w"]) -> FrameFeatures:
        """Of pictures in RGB, 0 to 255."""
        mean, deviation = (
            255 * torch.tensor(each, device=pictures.device)[:, None, None]
            for each in (_MEAN, _DEVIATION)
        )
        normal = (pictures - mean) / deviation
        state, context = self.cnet(normal).chunk(2, dim=1)
        return FrameFeatures(self.fnet(normal), state.tanh(), context.relu())
