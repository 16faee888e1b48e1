"""JSON with errors that name the file."""

import json
from pathlib import Path
from typing import Any

from stages.artifacts.errors import ArtifactError
from stages.artifacts.opening import read_bytes, reason_of

LARGEST_BYTES = 32 * 1024**2


def read_json(path: Path, fix: str) -> Any:
    """The content of a JSON file.

    Raises:
        ArtifactError: missing, damaged or too large; `fix` says what to do.
    """
    content = read_bytes(path, fix, LARGEST_BYTES)
    try:
        # Editors of Windows begin their files with a mark.
        return json.loads(content.decode("utf-8-sig"))
    except Exception as error:  # ValueError, RecursionError, MemoryError
        problem = f"damaged ({reason_of(error)})"
        raise ArtifactError(path, problem, f"delete it and {fix}") from None
