"""Cameras and depth of videos with moving people and little parallax: MegaSaM in plain PyTorch.

Li et al., "MegaSaM: Accurate, Fast, and Robust Structure and Motion from Casual Dynamic Videos"
(CVPR 2025), on the tracker of Teed and Deng, "DROID-SLAM" (NeurIPS 2021).
"""
