"""Known heights of people."""

from dataclasses import replace

import numpy as np

from stages.body.model import BodyModel
from stages.body.shape_fitting import fit_height
from stages.people.tracks import Track
from stages.running import VideoError


def of_height(track: Track, model: BodyModel, height_m: float | None) -> Track:
    """With the shape of that height that is nearest to the estimated one; as it is without.

    Raises:
        VideoError: no adult height.
    """
    if height_m is None:
        return track
    try:
        betas = fit_height(model, height_m, near=track.betas)
    except ValueError as error:
        raise VideoError(f"person {track.person}: {error}") from None
    return replace(track, betas=betas.astype(np.float64))
