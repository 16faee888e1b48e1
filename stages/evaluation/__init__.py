"""Measures a finished data folder against the ground truth of rendered clips."""
