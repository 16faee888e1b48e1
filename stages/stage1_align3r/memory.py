"""How many frames can be aligned together: as many as memory holds."""

from stages.stage1_align3r.pair_graph import pair_count

_SHARE = 0.8
"""Of the free memory that may be taken."""

_FLOAT_BYTES = 4
_NUMBERS_A_PAIR = 12
"""Of a pixel of each pair: points, confidence and flow, and flow once more while it is joined."""

_NUMBERS_A_FRAME = 50
"""Of a pixel of each frame: what the network keeps of pictures, and what the optimiser keeps."""

_NUMBERS_AT_WORK = 500
"""Of a pixel of each pair that the network looks at together."""

_ALIGNING_BYTES = 2**30


def needed_bytes(frames: int, pixels: int, pairs_at_once: int) -> int:
    """For frames of so many pixels, networks aside."""
    pairs = pair_count(frames)
    kept = _NUMBERS_A_PAIR * pairs + _NUMBERS_A_FRAME * frames
    at_work = _NUMBERS_AT_WORK * min(pairs, pairs_at_once)
    return (kept + at_work) * pixels * _FLOAT_BYTES + _ALIGNING_BYTES


def most_frames(free: int, pixels: int, pairs_at_once: int) -> int:
    """That fit into free memory, in bytes; 1 where not even two do."""
    frames = 1
    while needed_bytes(frames + 1, pixels, pairs_at_once) <= _SHARE * free:
        frames += 1
    return frames
