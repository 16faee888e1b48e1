"""A wheel with a small network in it, which pip takes for one."""

import hashlib
import zipfile
from pathlib import Path

CONTENT = b"a small network"
MEMBER = "mimicmill_tiny/network.tflite"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_wheel(folder: Path) -> Path:
    path = folder / "mimicmill_tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(MEMBER, CONTENT)
        about = "mimicmill_tiny-1.0.dist-info"
        wheel.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: mimicmill-tiny\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return path
