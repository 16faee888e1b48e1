"""Rotations, cameras and resampling: pure functions on NumPy arrays."""
