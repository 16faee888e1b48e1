"""The keyframes of a video: cameras, disparities, and what single pictures say of depth."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_megasam.projection import Scene


class Keyframes:
    """Frames that take part in bundle adjustment, in the order of time.

    `numbers`: theirs in the video. `prior`: disparity of single pictures, zero where unknown.
    `damping`: what the network last said of each frame.
    """

    def __init__(self, intrinsics: Float[Tensor, " 4"], high: int, wide: int) -> None:
        device = intrinsics.device
        empty = torch.zeros(0, high, wide, device=device)
        poses = torch.zeros(0, 7, dtype=torch.float64, device=device)
        self.numbers = torch.zeros(0, dtype=torch.long, device=device)
        self.scene = Scene(poses, empty, intrinsics.double())
        self.prior, self.damping = empty, empty

    def __len__(self) -> int:
        return len(self.numbers)

    def append(self, number: int, prior: Float[Tensor, "h w"]) -> None:
        """A frame after all others: where the last one is, as deep as its picture looks.

        Where that is not known it is as deep as the last one in the mean.
        """
        scene = self.scene
        if len(self):
            pose, usual = scene.T_camera_world[-1:], scene.disparity[-1].mean()
        else:
            pose = scene.intrinsics.new_tensor([[0, 0, 0, 1, 0, 0, 0]])
            usual = prior.new_ones(())
        depth = torch.where(prior > 0, prior, usual)[None]
        self.scene = replace(
            scene,
            T_camera_world=torch.cat([scene.T_camera_world, pose]),
            disparity=torch.cat([scene.disparity, depth]),
        )
        self.numbers = torch.cat([self.numbers, self.numbers.new_tensor([number])])
        self.prior = torch.cat([self.prior, prior[None]])
        self.damping = torch.cat([self.damping, torch.zeros_like(depth)])

    def remove(self, index: int) -> None:
        """Forgets one; those after it move up."""
        stay = torch.arange(len(self), device=self.numbers.device) != index
        self.scene = replace(
            self.scene,
            T_camera_world=self.scene.T_camera_world[stay],
            disparity=self.scene.disparity[stay],
        )
        self.numbers, self.prior = self.numbers[stay], self.prior[stay]
        self.damping = self.damping[stay]
