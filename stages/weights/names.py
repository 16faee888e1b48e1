"""What checkpoints are called. The standard library of Python 3.9 reads it, on login nodes too."""

from __future__ import annotations

from pathlib import Path

FILES: dict[str, tuple[str, ...]] = {
    "grounding_dino": ("grounding-dino-tiny", "grounding-dino-base"),
    "sam2": tuple(f"sam2.1_hiera_{size}.pt" for size in ("large", "base_plus", "small", "tiny")),
    "vitpose": tuple(
        f"vitpose_{size}_wholebody.pth" for size in ("huge", "large", "base", "small")
    ),
    "vimo": ("vimo_checkpoint.pth.tar",),
    "bstro": ("hsi_hrnet_3dpw_b32_checkpoint_15.bin",),
}
"""Names of official checkpoints, by network; of several the first that is there is taken."""

DEMO_FILES = {
    "grounding_dino": "grounding_dino",
    "sam2": "sam2",
    "vitpose": "vitpose",
    "vimo": "vimo/vimo.safetensors",
    "bstro": "bstro/bstro.safetensors",
}
"""Small checkpoints that know rendered people of the demo's scene family only."""


def missing_official(folder: Path) -> list[str]:
    """Networks of which a folder has no official checkpoint."""
    return [name for name, files in FILES.items() if not any((folder / f).exists() for f in files)]
