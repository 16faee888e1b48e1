"""The real networks and frames of the demo, as for what is shared of BlazePose."""

from tests.blazepose.conftest import detector, estimator, stairs, weights

__all__ = ["detector", "estimator", "stairs", "weights"]
