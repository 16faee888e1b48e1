"""The demo's own checkpoints: where they lie, and whether a path is one of them."""

from pathlib import Path

DEMO_NETWORKS = ("grounding_dino", "sam2", "vitpose", "vimo", "bstro")
DEMO_ROOT = Path(__file__).resolve().parents[2] / "data" / "weights" / "demo"


def demo_folder(network: str) -> Path:
    """Folder of a demo checkpoint: `grounding_dino`, `sam2`, `vitpose`, `vimo` or `bstro`.

    Demo checkpoints know rendered people of the demo's scene family only.
    """
    if network not in DEMO_NETWORKS:
        raise ValueError(f"no demo checkpoint {network!r}; there are {', '.join(DEMO_NETWORKS)}")
    return DEMO_ROOT / network


def is_demo(path: Path) -> bool:
    """Whether a checkpoint is one of the demo's, so that a stage can say so."""
    return DEMO_ROOT in path.resolve().parents
