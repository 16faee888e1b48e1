"""Dense bundle adjustment: cameras, disparities and focal that explain flow between frames."""

from stages.stage1_megasam.bundle_adjustment.gauss_newton import adjust, adjust_cameras
from stages.stage1_megasam.bundle_adjustment.problem import FlowEdges, MonoPrior, Solve

__all__ = ["FlowEdges", "MonoPrior", "Solve", "adjust", "adjust_cameras"]
