"""stage1-ground: a flat world for a camera that stands or only turns; no networks."""
