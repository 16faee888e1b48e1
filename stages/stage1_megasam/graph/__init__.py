"""Which pairs of frames are compared: edges of the frame graph, chosen by how far apart they are.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), section 3.3.
"""
