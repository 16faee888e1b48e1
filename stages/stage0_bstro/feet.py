"""Which vertices make a foot: the body file's own lists, or the official segmentation."""

import json
from pathlib import Path

import numpy as np

from stages.artifacts.errors import ArtifactError
from stages.body.model import BodyModel
from stages.stage0_bstro.flags import FootRule


def foot_rule(
    body: BodyModel, segmentation: Path | None, contact_thr: float, feet_contact_ratio_thr: float
) -> FootRule:
    """The rule for foot flags.

    `segmentation`: SMPL's `smpl_vert_segmentation.json`, whose parts leftFoot and rightFoot are
    what the original counts; None takes the lists of the body.
    """
    left, right = body.left_foot_vertices, body.right_foot_vertices
    if segmentation is not None:
        left, right = _segmented_feet(segmentation)
    return FootRule(left, right, contact_thr, feet_contact_ratio_thr)


def _segmented_feet(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        left, right = (np.asarray(parts[name], np.int64) for name in ("leftFoot", "rightFoot"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            path, f"not SMPL's vertex segmentation ({error!r})", "leave the flag out or mend it"
        ) from None
    return left, right
