"""Trainers of the demo's checkpoints: `python -m tools.checkpoints --help`."""
