"""Pinhole cameras: what is assumed of one that says nothing of itself."""

FOCAL_OVER_LONG_SIDE = 0.85
"""Assumed of the camera: a phone's main one films as 28 to 31 mm would on small film."""
