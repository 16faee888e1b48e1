"""The one error that readers of artefacts raise."""

from pathlib import Path


class ArtifactError(ValueError):
    """A file is missing, damaged or not what its contract says. The message names file and fix."""

    def __init__(self, path: Path, problem: str, fix: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}" + (f"; {fix}" if fix else ""))
