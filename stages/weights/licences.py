"""Licences of files of weights, of bodies and of robots, known by their content."""

from functools import cache
from pathlib import Path

from stages.weights.manifest import read_manifest, sha256_of

WEIGHTS_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".tflite", ".onnx")
_OWN = Path(__file__).resolve().parents[2] / "data"
_OWN_FILES = {
    "weights/demo": "CC0 (demo checkpoint)",
    "bodies": "CC0 (demo body)",
    "robots": "written here, after the published Unitree G1",
}
"""Licences of files that the project has itself, by their folders below data/."""


def licence_of(sha256: str) -> str:
    """The licence of a file of weights, of a body or of a robot, by its content."""
    for checkpoint in read_manifest().values():
        if any(file.sha256 == sha256 for file in checkpoint.files):
            return f"{checkpoint.weights} ({checkpoint.title})"
    return _own_licences().get(sha256, "not known here: that of whoever brought the file")


@cache
def _own_licences() -> dict[str, str]:
    return {
        sha256_of(file): licence
        for folder, licence in _OWN_FILES.items()
        for file in (_OWN / folder).rglob("*")
        if file.is_file()
    }
