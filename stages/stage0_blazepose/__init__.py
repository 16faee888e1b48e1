"""People by BlazePose: masks, keypoints, bodies and contacts from one detector and one network."""
