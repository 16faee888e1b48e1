"""Lengths come in multiples of 100 frames, so that one compilation serves many videos."""

LENGTH_STEP = 100


def padded_length(frames: int) -> int:
    """Smallest multiple of 100 that holds this many frames (at least 100)."""
    return max(1, -(-frames // LENGTH_STEP)) * LENGTH_STEP
