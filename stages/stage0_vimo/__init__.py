"""Stage 0: SMPL rotations and shape of every person, in the camera frame (VIMO)."""
