"""133 whole-body keypoints of every person in every frame (ViTPose)."""
