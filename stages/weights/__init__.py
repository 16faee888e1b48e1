"""How the networks of the stages are built from their checkpoints, and where the demo's lie."""
