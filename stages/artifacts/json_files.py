"""JSON with errors that name the file."""

import json
from pathlib import Path
from typing import Any

from stages.artifacts.errors import ArtifactError


def read_json(path: Path, fix: str) -> Any:
    """The content of a JSON file.

    Raises:
        ArtifactError: missing or damaged; `fix` says what to do.
    """
    try:
        # Editors of Windows begin their files with a mark.
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ArtifactError(path, "missing", fix) from None
    except (ValueError, OSError) as error:
        raise ArtifactError(path, f"damaged ({error})", f"delete it and {fix}") from None
