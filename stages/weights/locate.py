"""Where the checkpoint of a network lies: in the folder of the user's, or in the repository's."""

import os
from pathlib import Path

from stages.weights.manifest import read_manifest
from stages.weights.names import DEMO_FILES, chosen

FOLDER_VARIABLE = "MIMICMILL_WEIGHTS"
ROOT = Path(__file__).resolve().parents[2] / "data" / "weights"
DEMO_ROOT = ROOT / "demo"


def demo_checkpoint(network: str) -> Path:
    """The demo's small checkpoint of a network."""
    return DEMO_ROOT / DEMO_FILES[network]


def checkpoint(network: str) -> Path:
    """The checkpoint of a network to use where no flag names one.

    Of the folder that `MIMICMILL_WEIGHTS` names: an official file, else the demo's file if it is
    there under the demo's name, else the official name, which is then reported missing. Without
    that variable: an official file in `data/weights`, else the demo's.
    """
    own = os.environ.get(FOLDER_VARIABLE)
    return chosen(network, Path(own)) if own else chosen(network, ROOT, DEMO_ROOT)


def fetched(key: str) -> Path:
    """The folder of a checkpoint of the manifest: that in the folder which `MIMICMILL_WEIGHTS`
    names, if it is there, else that in `data/weights`, where it is fetched to."""
    folder = read_manifest()[key].folder
    own = os.environ.get(FOLDER_VARIABLE)
    return Path(own) / folder if own and (Path(own) / folder).exists() else ROOT / folder


def is_demo(path: Path) -> bool:
    """Whether a checkpoint is one of the demo's, so that a stage can say so."""
    return any(path.resolve().match(f"demo/{name}") for name in DEMO_FILES.values())
