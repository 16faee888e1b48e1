"""The keyframes of a video: cameras, disparities, and what single pictures say of depth."""

from copy import copy
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.stage1_megasam.projection import Scene

_LEAST_DISPARITY = 1e-3


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
        places = torch.arange(len(self), device=self.numbers.device)
        self._take(self, places[places != index])

    def picked(self, places: Int[Tensor, " n"]) -> "Keyframes":
        """Some of them, in that order."""
        some = copy(self)
        some._take(self, places)
        return some

    def extend(self, others: "Keyframes") -> None:
        """Other frames after these; the lens stays."""
        self.scene = replace(
            self.scene,
            T_camera_world=torch.cat([self.scene.T_camera_world, others.scene.T_camera_world]),
            disparity=torch.cat([self.scene.disparity, others.scene.disparity]),
        )
        self.numbers = torch.cat([self.numbers, others.numbers])
        self.prior = torch.cat([self.prior, others.prior])
        self.damping = torch.cat([self.damping, others.damping])

    def place(self, first: int, T_camera_world: Float[Tensor, "n 7"]) -> None:
        """Gives frames from `first` on these poses."""
        poses = torch.cat([self.scene.T_camera_world[:first], T_camera_world])
        self.scene = replace(self.scene, T_camera_world=poses)

    def copy(self) -> "Keyframes":
        """The same frames, apart from what becomes of these."""
        return copy(self)

    def _take(self, other: "Keyframes", places: Tensor) -> None:
        self.scene = replace(
            other.scene,
            T_camera_world=other.scene.T_camera_world[places],
            disparity=other.scene.disparity[places],
        )
        self.numbers, self.prior = other.numbers[places], other.prior[places]
        self.damping = other.damping[places]


def not_too_far(scene: Scene) -> Scene:
    """A scene whose disparities are 0.001 or more."""
    return replace(scene, disparity=scene.disparity.clamp(min=_LEAST_DISPARITY))
