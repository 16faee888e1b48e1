"""Rotations, cameras and resampling: pure functions on NumPy arrays, and on tensors where said."""
