"""The one error that readers of artefacts raise."""

from collections.abc import Sequence
from pathlib import Path


class ArtifactError(ValueError):
    """A file is missing, damaged or not what its contract says. The message names file and fix."""

    def __init__(self, path: Path, problem: str, fix: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}" + (f"; {fix}" if fix else ""))


def remedy(makers: Sequence[str]) -> str:
    """What to do where a file has to be made: `run stage0-sam2`."""
    return "run " + " or ".join(makers)
