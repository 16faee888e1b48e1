"""Writing frames as an H.264 file, with a presentation time for every frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float, UInt8

_TICKS_PER_S = 90_000
_QUALITIES = (18, 20, 22, 24, 26, 28, 31, 34)


def write_video(
    path: Path,
    frames: UInt8[np.ndarray, "T H W 3"],
    times_s: Float[np.ndarray, " T"],
    max_bytes: int = 1_900_000,
) -> None:
    """H.264 (yuv420p) in mp4, at the best quality that stays within `max_bytes`.

    Times may be uneven. Raises ValueError for odd sizes or when no quality fits.
    """
    if frames.shape[1] % 2 or frames.shape[2] % 2:
        raise ValueError(f"H.264 needs even sizes, not {frames.shape[2]}x{frames.shape[1]} px.")
    path.parent.mkdir(parents=True, exist_ok=True)
    for crf in _QUALITIES:
        _encode(path, frames, times_s, crf)
        if path.stat().st_size <= max_bytes:
            return
    raise ValueError(f"{path} exceeds {max_bytes} bytes at every quality; render fewer frames.")


def _encode(path: Path, frames: np.ndarray, times_s: np.ndarray, crf: int) -> None:
    steps = np.diff(times_s)
    rate = Fraction(1 / float(np.median(steps))).limit_denominator(1001) if len(steps) else 30
    even = len(steps) < 2 or float(np.ptp(steps)) < 1e-6
    with av.open(str(path), "w") as container:
        # One thread: the same frames give the same file on every machine.
        options = {"crf": str(crf), "preset": "slow", "threads": "1"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        base = 1 / Fraction(rate) if even else Fraction(1, _TICKS_PER_S)
        stream.codec_context.time_base = base
        for index, (image, time_s) in enumerate(zip(frames, times_s - times_s[0], strict=True)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.time_base = base
            frame.pts = index if even else round(float(time_s) * _TICKS_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
