"""Checkpoints: where they come from, and how the networks of the stages are built from them."""
