"""Checkpoints: where they come from, and how the networks of the stages are built from them."""

from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.manifest import CHECKPOINTS, Checkpoint, demo_folder
from stages.weights.sam2 import load_sam2
from stages.weights.vitpose import load_vitpose

__all__ = [
    "CHECKPOINTS",
    "Checkpoint",
    "demo_folder",
    "load_grounding_dino",
    "load_sam2",
    "load_vitpose",
]
