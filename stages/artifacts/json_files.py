"""JSON with errors that name the file."""

import json
from pathlib import Path
from typing import Any

from stages.artifacts.errors import ArtifactError


def read_json(path: Path, made_by: str) -> Any:
    """The content of a JSON file.

    Raises:
        ArtifactError: missing or damaged; names the stage that makes it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(path, "missing", f"run {made_by}") from None
    except (ValueError, OSError) as error:
        raise ArtifactError(path, f"damaged ({error})", f"delete it and run {made_by}") from None
