"""What chain and solvers take, and what bad input does to them: the numbers of the docs."""

from pathlib import Path

DEMO = Path(__file__).parents[1] / "data" / "demo"
"""The demo's data folder, with ground truth."""
