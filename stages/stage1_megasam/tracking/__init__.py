"""Following the camera through a video, keyframe by keyframe.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), section 3.3, with MegaSaM's prior of single pictures
(Li et al., CVPR 2025). What finds flow between frames is given, so that known flow can take the
network's place.
"""
