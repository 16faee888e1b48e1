"""Which checkpoints the stages use: file, source, size of the thing, licence, checksum.

Official files are fetched by `make weights` or put into the weights folder by hand. `sha256` is
None where the publisher states no checksum and none was measured: such a file is taken as it is,
its checksum is recorded in the ledger, and the download says so.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkpoint:
    """One network's weights.

    name: the network. file: path under the weights folder. source: who publishes it and what it is
    called there. sha256: of the file, or None where it is not known.
    """

    name: str
    file: str
    source: str
    licence: str
    sha256: str | None = None


CHECKPOINTS = (
    Checkpoint(
        "grounding-dino",
        "grounding-dino-tiny",
        "IDEA-Research/grounding-dino-tiny (transformers folder)",
        "Apache-2.0",
    ),
    Checkpoint("sam2", "sam2.1_hiera_large.pt", "facebook/sam2.1-hiera-large", "Apache-2.0"),
    Checkpoint(
        "vitpose",
        "vitpose_huge_wholebody.pth",
        "ViTAE-Transformer/ViTPose, ViTPose-H whole-body 256x192",
        "Apache-2.0",
    ),
    Checkpoint(
        "vimo",
        "vimo_checkpoint.pth.tar",
        "yufu-wang/tram, VIMO",
        "MIT code; trained on data sets for non-commercial research",
    ),
    Checkpoint(
        "bstro",
        "hsi_hrnet_3dpw_b32_checkpoint_15.bin",
        "paulchhuang/bstro, by registration at rich.is.tue.mpg.de",
        "non-commercial research (Max Planck Society)",
    ),
)

DEMO_NETWORKS = ("grounding_dino", "sam2", "vitpose", "vimo", "bstro")
DEMO_ROOT = Path(__file__).resolve().parents[2] / "data" / "weights" / "demo"
DEMO_LICENCE = "CC0-1.0"


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
