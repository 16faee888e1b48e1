"""A run's bodies, which come in parts, as a whole."""

from collections.abc import Iterable

import numpy as np

from stages.stage0_vimo.estimator import RunBodies


def whole(parts: Iterable[RunBodies]) -> RunBodies:
    every = [(part.rotmat, part.betas, part.translation_m) for part in parts]
    return RunBodies(*(np.concatenate(each) for each in zip(*every, strict=True)))
