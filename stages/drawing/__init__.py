"""Pictures for people to judge results by: meshes in soft light, and panels of pictures."""
