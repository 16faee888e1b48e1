"""stage1-sfm: cameras by structure from motion, depth by multi-view stereo; no networks."""
