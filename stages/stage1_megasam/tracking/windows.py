"""Videos of more frames than memory holds: pieces that share frames, tracked apart and joined."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from stages.geometry import se3
from stages.stage1_megasam.projection import Scene

SHARED_FRAMES = 16
"""By two windows; each sees the parallax of as many frames."""

_LIKELY_STATIC = 0.5


@dataclass(frozen=True)
class Window:
    """Frames from `first` to before `end`."""

    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


def plan(frames: int, most: int, shared: int = SHARED_FRAMES) -> tuple[Window, ...]:
    """Windows of at most so many frames, as few and as equal as can be.

    Raises:
        ValueError: windows of that size would have no frames of their own.
    """
    if frames <= most:
        return (Window(0, frames),)
    if most <= shared:
        raise ValueError(f"windows of {most} frames cannot share {shared}")
    count = -(-(frames - shared) // (most - shared))
    starts = [round(k * (frames - shared) / count) for k in range(count + 1)]
    return tuple(Window(starts[k], starts[k + 1] + shared) for k in range(count))


def described(windows: Sequence[Window]) -> str:
    """A plan in words."""
    if len(windows) == 1:
        return f"one window of {len(windows[0])} frames"
    longest = max(len(window) for window in windows)
    shared = windows[0].end - windows[1].first
    return f"{len(windows)} windows of up to {longest} frames, {shared} shared"


@dataclass(frozen=True)
class Similarity:
    """Takes places of one world to those of another."""

    scale: float
    T_other_world: Float[Tensor, " 7"]
    """After the scale."""

    def moved(self, scene: Scene) -> Scene:
        """The scene in the other world."""
        poses = scene.T_camera_world.clone()
        poses[:, :3] *= self.scale
        back = se3.inverse(self.T_other_world).expand_as(poses)
        return replace(
            scene,
            T_camera_world=se3.multiply(poses, back),
            disparity=scene.disparity / self.scale,
        )


def similarity(ours: Scene, other: Scene, static: Bool[Tensor, "f h w"]) -> Similarity:
    """From one world to another by the same frames in both.

    The scale is the median over static cells of their depths, which holds for cameras that stand
    too; the motion is the mean of what the cameras say.
    """
    ratio = (ours.disparity / other.disparity)[static if static.any() else slice(None)]
    scale = float(ratio.double().median())
    poses = ours.T_camera_world.clone()
    poses[:, :3] *= scale
    moves = se3.multiply(se3.inverse(other.T_camera_world), poses)
    middle = moves[len(moves) // 2]
    away = se3.log(se3.multiply(moves, se3.inverse(middle).expand_as(moves)))
    return Similarity(scale, se3.retract(middle, away.mean(dim=0)))


def joined(
    windows: Sequence[Window], scenes: Sequence[Scene], static: Sequence[Float[Tensor, "_f h w"]]
) -> tuple[Scene, Float[Tensor, "f h w"]]:
    """One scene in the world of the first window, and its frames' static probabilities.

    Of the shared frames each window gives the half that is nearer to its middle. The lens is that
    of the last window.
    """
    whole, sure = scenes[0], static[0]
    for window, scene, certain in zip(windows[1:], scenes[1:], static[1:], strict=True):
        shared = len(whole.disparity) - window.first
        both = torch.minimum(sure[window.first :], certain[:shared]) > _LIKELY_STATIC
        move = similarity(_frames(scene, slice(0, shared)),
                          _frames(whole, slice(window.first, None)), both)  # fmt: skip
        kept = shared // 2
        ours, theirs = slice(0, window.first + kept), slice(kept, None)
        old, new = _frames(whole, ours), _frames(move.moved(scene), theirs)
        whole = Scene(
            torch.cat([old.T_camera_world, new.T_camera_world]),
            torch.cat([old.disparity, new.disparity]),
            scene.intrinsics,
        )
        sure = torch.cat([sure[ours], certain[theirs]])
    return whole, sure


def _frames(scene: Scene, some: slice) -> Scene:
    return replace(
        scene, T_camera_world=scene.T_camera_world[some], disparity=scene.disparity[some]
    )
