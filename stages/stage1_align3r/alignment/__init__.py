"""Global alignment: one camera and depth map a frame from the point maps of many pairs.

Wang et al., "DUSt3R" (CVPR 2024), section 3.4, with the terms of MonST3R for videos (Zhang et al.,
ICLR 2025, section 4.2).
"""
