"""The real network and frames of the demo, as for what is shared of BlazePose."""

from tests.blazepose.conftest import estimator, stairs, weights

__all__ = ["estimator", "stairs", "weights"]
