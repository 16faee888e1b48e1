"""Stage 0: which body vertices touch the world, and which feet stand (BSTRO)."""
