"""Depth of every pixel that agrees from frame to frame, with cameras as they are.

The consistent video depth of Li et al., "MegaSaM" (CVPR 2025), section 3.3, which begins with the
depth of single pictures. Terms, weights and steps are those of the official code.
"""

from stages.stage1_megasam.refinement.flow_pairs import FlowPairs, follow
from stages.stage1_megasam.refinement.refine import refine

__all__ = ["FlowPairs", "follow", "refine"]
