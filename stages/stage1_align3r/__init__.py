"""Cameras and depth of videos with moving people, from point maps of pairs of pictures.

Lu et al., "Align3R: Aligned Monocular Depth Estimation for Dynamic Videos" (CVPR 2025), on the
network of Wang et al., "DUSt3R: Geometric 3D Vision Made Easy" (CVPR 2024), and the alignment of
Zhang et al., "MonST3R: A Simple Approach for Estimating Geometry in the Presence of Motion" (ICLR
2025). Plain PyTorch.
"""
