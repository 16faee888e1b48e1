"""What the renderer takes and gives: batches of scenes, people and cameras as tensors.

Every tensor leads with the batch dimension B, one entry an image. Absent people and boxes are
marked by a mask, so that images with one person and with three go in one batch. `.to(device)`
moves a batch, `batch[index]` selects images (slices, index tensors or masks).

World: z up, metres. Camera: OpenCV (x right, y down, z forward), pixel centres at integers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor


class Batched:
    """Moving, selecting and joining for dataclasses of tensors that share their first dimension."""

    def _map(self, change) -> Self:
        changed = {}
        for entry in dataclasses.fields(self):  # type: ignore[arg-type] # every subclass is a dataclass
            value = getattr(self, entry.name)
            changed[entry.name] = change(value) if isinstance(value, Tensor | Batched) else value
        return type(self)(**changed)

    def to(self, device: torch.device | str) -> Self:
        return self._map(lambda value: value.to(device))

    def __getitem__(self, index) -> Self:
        return self._map(lambda value: value[index])

    def __len__(self) -> int:
        return len(getattr(self, dataclasses.fields(self)[0].name))  # type: ignore[arg-type] # every subclass is a dataclass

    def repeated(self, times: int) -> Self:
        """Every entry `times` times in a row (a scene for each frame of its clip)."""
        return self._map(
            lambda value: (
                value.repeated(times)
                if isinstance(value, Batched)
                else value.repeat_interleave(times, dim=0)
            )
        )

    @classmethod
    def cat(cls, parts: list[Self]) -> Self:
        joined: dict[str, Any] = {}
        for entry in dataclasses.fields(cls):  # type: ignore[arg-type] # every subclass is a dataclass
            values = [getattr(part, entry.name) for part in parts]
            if isinstance(values[0], Batched):
                joined[entry.name] = type(values[0]).cat(values)
            else:
                joined[entry.name] = torch.cat(values)
        return cls(**joined)


@dataclass
class Materials(Batched):
    """Surface looks of S surfaces an image: three colours and three texture octaves.

    Octave 0 mixes colour 0 into colour 1, octave 1 mixes in colour 2, octave 2 darkens and
    brightens. `repeats_per_m` says how often an atlas layer repeats in a metre.
    """

    colours: Float[Tensor, "B S 3 3"]
    layers: Int[Tensor, "B S 3"]
    repeats_per_m: Float[Tensor, "B S 3"]
    turn_rad: Float[Tensor, "B S 3"]
    shift: Float[Tensor, "B S 3 2"]
    strength: Float[Tensor, "B S 3"]


@dataclass
class SceneBatch(Batched):
    """A floor at z = 0 and N boxes turned about z (steps, objects, walls), with light.

    materials: surface 0 is the floor, surface 1 + n is box n.
    sun_direction: unit vector towards the light. sky: colours at the horizon and overhead.
    """

    box_centre_m: Float[Tensor, "B N 3"]
    box_half_m: Float[Tensor, "B N 3"]
    box_yaw_rad: Float[Tensor, "B N"]
    box_present: Bool[Tensor, "B N"]
    box_casts_shadow: Bool[Tensor, "B N"]
    materials: Materials
    sun_direction: Float[Tensor, "B 3"]
    sun_strength: Float[Tensor, " B"]
    sky_strength: Float[Tensor, " B"]
    light_colour: Float[Tensor, "B 3"]
    sky_colours: Float[Tensor, "B 2 3"]


@dataclass
class Appearance(Batched):
    """Clothes and colours of P people an image; see `clothes.py` for what the parts mean.

    colours: skin, hair, shirt, shirt accent, trousers, trousers accent, shoes, eyes.
    cut: sleeve (0 bare arm .. 1 wrist), trouser length (0 hip .. 1 ankle), hem height (-1..1),
    hair length (0..1). layers, repeats_per_m: atlas layers of shirt and trousers.
    accent: how strongly the accents show (shirt, trousers).
    """

    colours: Float[Tensor, "B P 8 3"]
    cut: Float[Tensor, "B P 4"]
    layers: Int[Tensor, "B P 2"]
    repeats_per_m: Float[Tensor, "B P 2"]
    accent: Float[Tensor, "B P 2"]


@dataclass
class PeopleBatch(Batched):
    """P posed bodies an image, made by `skinning.pose_people`.

    vertices_m and joints_m (24 SMPL joints) are in the world.
    """

    vertices_m: Float[Tensor, "B P V 3"]
    joints_m: Float[Tensor, "B P 24 3"]
    present: Bool[Tensor, "B P"]
    appearance: Appearance


@dataclass
class CameraBatch(Batched):
    """One camera an image. A network crop has K' = A K, A the 3x3 affine from frame to crop."""

    K: Float[Tensor, "B 3 3"]
    T_world_camera: Float[Tensor, "B 4 4"]

    def cropped(self, A_crop_frame: Float[Tensor, "B 3 3"]) -> CameraBatch:
        return CameraBatch(A_crop_frame @ self.K, self.T_world_camera)

    def project(
        self, points_m: Float[Tensor, "B *points 3"]
    ) -> tuple[Float[Tensor, "B *points 2"], Float[Tensor, "*points"]]:
        """Pixels and z-depths (metres) of world points; pixels mean nothing where depth <= 0."""
        batch = points_m.shape[0]
        flat = points_m.reshape(batch, -1, 3)
        R_world_camera, centre = self.T_world_camera[:, :3, :3], self.T_world_camera[:, :3, 3]
        p_camera = (flat - centre[:, None]) @ R_world_camera
        homogeneous = p_camera @ self.K.transpose(1, 2)
        depth = p_camera[..., 2]
        # A sign-keeping floor: points in the camera plane must not divide by zero.
        safe = torch.where(depth.abs() < 1e-6, torch.full_like(depth, 1e-6), depth)
        pixels = homogeneous[..., :2] / safe[..., None]
        return pixels.reshape(*points_m.shape[:-1], 2), depth.reshape(points_m.shape[:-1])


@dataclass
class Rendered(Batched):
    """Images with what is seen at each pixel's centre.

    depth_m: z-depth, 0 where only sky is seen. person_ids: 0 no person, p + 1 for person p.
    surface_ids: 0 sky or person, 1 floor, 2 + n box n.
    """

    rgb: UInt8[Tensor, "B H W 3"]
    depth_m: Float[Tensor, "B H W"]
    person_ids: Int[Tensor, "B H W"]
    surface_ids: Int[Tensor, "B H W"]
