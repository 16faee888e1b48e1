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

WORLD_FILES: dict[str, tuple[str, ...]] = {
    "megasam": ("megasam_final.pth",),
    "raft": ("raft-things.pth",),
    "depth_relative": ("depth-anything-large",),
    "depth_metric": ("depth-pro", "depth-anything-metric"),
    "align3r": ("align3r/model.safetensors", "align3r_depthpro.pth"),
}
"""The same of the networks of world methods."""

WORLD_NETWORKS: dict[str, tuple[str, ...]] = {
    "megasam": ("megasam", "raft", "depth_relative", "depth_metric"),
    "align3r": ("align3r", "raft", "depth_metric"),
}
"""Which of them a world method has; others have none."""

DEMO_FILES = {
    "grounding_dino": "grounding_dino",
    "sam2": "sam2",
    "vitpose": "vitpose",
    "vimo": "vimo/vimo.safetensors",
    "bstro": "bstro/bstro.safetensors",
    "megasam": "megasam/tracker.safetensors",
    "raft": "megasam/raft.safetensors",
    "depth_relative": "depth_relative",
    "depth_metric": "depth_metric",
    "align3r": "align3r/align3r.safetensors",
}
"""Small checkpoints that know rendered people and places of the demo's scene family only."""

USUAL = {
    "grounding_dino": "grounding-dino-tiny",
    "sam2": "sam2-large",
    "vitpose": "vitpose-huge",
    "vimo": "vimo",
    "bstro": "bstro",
    "megasam": "megasam",
    "raft": "raft-things",
    "depth_relative": "depth-anything-large",
    "depth_metric": "depth-anything-metric",
    "align3r": "align3r",
}
"""Keys of the manifest, by network: the one that is said where none is there."""

OF_STAGE_3 = {"geocalib": "geocalib/geocalib-pinhole.tar", "nksr": "nksr/ks.pth"}
"""By the name of the package that uses it."""

SMPL = "smpl/SMPL_NEUTRAL.pkl"
"""The body that VIMO and BSTRO were trained for."""


BSTRO_DATA = ("mesh_downsampling.npz", "J_regressor_h36m_correct.npy")
"""What BSTRO's official checkpoint needs beside it."""


def chosen(network: str, folder: Path, demo: Path | None = None) -> Path:
    """The checkpoint of a network that a folder gives: an official file, else the demo's if it is
    there under the demo's name. Else the one in `demo`, which has those that find people; without
    it the official name. Both are then missing.
    """
    official = [folder / name for name in (FILES | WORLD_FILES)[network]]
    own = [folder / DEMO_FILES[network], folder / "demo" / DEMO_FILES[network]]
    for path in (*official, *own):
        if path.exists():
            return path
    return demo / DEMO_FILES[network] if demo and network in FILES else official[0]


def holds_any(folder: Path) -> bool:
    """Whether a folder has any checkpoint that `make weights` brings and images do not hold."""
    others = (*OF_STAGE_3.values(), SMPL)
    is_other = any((folder / name).exists() for name in others)
    return is_other or len(_missing(FILES | WORLD_FILES, folder)) < len(FILES | WORLD_FILES)


def missing_official(folder: Path) -> list[str]:
    """Networks that find people of which a folder has no official checkpoint."""
    return _missing(FILES, folder)


def missing_of_world(world: str, folder: Path) -> list[str]:
    """Networks of a world method of which a folder has no official checkpoint."""
    return _missing({key: WORLD_FILES[key] for key in WORLD_NETWORKS.get(world, ())}, folder)


def _missing(files: dict[str, tuple[str, ...]], folder: Path) -> list[str]:
    return [key for key, names in files.items() if not any((folder / n).exists() for n in names)]
