"""Frames of a video file: what there is to take, what has to be said of it, and the pictures."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float, UInt8

from stages.running import VideoError
from stages.stage0_frames.decoding import Packet, decoded, moving_stream, opened, untrusted
from stages.stage0_frames.steady_clock import capture_factor, closed, usual_rate
from stages.stage0_frames.upright import shown, shown_size

SAME_SHAPE = 0.02
"""Sizes whose ratios differ by less, as a share, are one picture at two scales."""
HDR = {16: "PQ", 18: "HLG"}
"""Transfer functions by their numbers in ITU-T H.273."""


@dataclass(frozen=True)
class Survey:
    """What a video file has.

    numbers: places of the frames that can be trusted among all that are decoded.
    times_s: their times on a clock from 0 on that never falls and has no long holes.
    fps: their usual rate. size: width and height of every picture.
    remarks: what was left out or assumed, in words. details: the same as numbers.
    """

    stream: int
    is_strict: bool
    numbers: list[int]
    times_s: Float[np.ndarray, " T"]
    fps: float
    size: tuple[int, int]
    remarks: list[str]
    details: dict[str, float] = field(default_factory=dict)


@dataclass
class _Pass:
    """One decoding of all frames. bad: packets that cannot be trusted; sources: that of a frame."""

    packets: list[Packet] = field(default_factory=list)
    bad: list[Packet] = field(default_factory=list)
    sources: list[Packet] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    is_interlaced: bool = False
    transfer: int = 0


def survey(path: Path) -> Survey:
    """Decodes all once, to know what to take.

    Raises:
        VideoError: not a video, a single picture, no frame decodes, or the picture changes shape.
    """
    stream = moving_stream(path)
    with opened(path) as container:
        source = container.streams.video[stream]
        metadata = {**container.metadata, **source.metadata}
        aspect, rate = source.sample_aspect_ratio, source.average_rate or Fraction(30)
        streams = len(container.streams.video)
        time_base = source.time_base or Fraction(0)
        promised_s = float((source.duration or 0) * time_base)
        start_s = float((source.start_time or 0) * time_base)
    is_strict, complaint = True, ""
    found = _decode(path, stream, is_strict, aspect)
    if 2 * len(found.bad) > len(found.packets):
        # Some cameras write what decoders complain of throughout; then only the worst is left out.
        lenient = _decode(path, stream, False, aspect)
        if len(lenient.bad) < len(found.bad):
            is_strict, found = False, lenient
            complaint = "the decoder complains of most frames, look at them"
    if len(found.sources) < 2 and len(found.packets) == 1:
        raise VideoError(f"{path} holds a single picture, not a video; replace it")
    bad = set(found.bad)
    numbers = [at for at, packet in enumerate(found.sources) if packet not in bad]
    if len(numbers) < 2:
        raise VideoError(f"{path} has no frames that decode; replace it")
    raw = _filled(found.times_s, float(rate))[numbers]
    times, jumps = closed(raw)
    fps = usual_rate(times)
    factor = capture_factor(metadata, fps)
    size = _one_size([found.sizes[at] for at in numbers], raw - start_s, path)
    lost = [packet.time_s - start_s for packet in found.bad if not packet.is_discarded]
    holes = [
        f"{one.from_s - start_s:.2f} to {one.to_s - start_s:.2f} s"
        for one in jumps
        if not one.is_restart
    ]
    restarts = [f"{times[one.at]:.2f} s" for one in jumps if one.is_restart]
    ends_s = [one.time_s + one.duration_s for one in found.packets if not one.is_discarded]
    end_s = float(np.nanmax([raw[-1], *ends_s])) - start_s
    said = {
        complaint: bool(complaint),
        f"stream {stream + 1} of {streams} is taken, the others move less": streams > 1,
        f"damaged: {len(lost)} frames left out{_spans(lost, 2 / fps)}": bool(lost),
        f"the file ends after {end_s:.1f} of {promised_s:.1f} s": (
            not jumps and promised_s - end_s > max(0.5, 0.05 * promised_s)
        ),
        f"nothing from {_listed(holes)}: closed up, cut the video there": bool(holes),
        f"its clock starts again at {_listed(restarts)}: taken to go on": bool(restarts),
        f"filmed at {fps * factor:g} fps by the camera's note, which is taken for true and not its"
        f" clock, {factor:g} times slower": factor != 1,
        f"the picture's size changes: all are scaled to {size[0]}x{size[1]}": (
            len({found.sizes[at] for at in numbers}) > 1
        ),
        "interlaced: what moves has combs, deinterlace it first": found.is_interlaced,
        f"HDR ({HDR.get(found.transfer)}) is not tone-mapped: colours are pale": (
            found.transfer in HDR
        ),
    }
    details = {"damaged": len(lost), "holes": len(holes), "clock_restarts": len(restarts)}
    return Survey(
        stream=stream,
        is_strict=is_strict,
        numbers=numbers,
        times_s=times / factor,
        fps=fps * factor,
        size=size,
        remarks=[text for text, holds in said.items() if holds],
        details={name: count for name, count in details.items() if count},
    )


def pick_frames(
    path: Path, found: Survey, wanted: list[int]
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The pictures at these rising places of the survey (repeats allowed), decoded in one pass."""
    numbers, position = [found.numbers[at] for at in wanted], 0
    for number, (_, frame) in enumerate(decoded(path, found.stream, found.is_strict, [])):
        if number == numbers[position]:
            image = shown(frame, found.size)
            while position < len(numbers) and numbers[position] == number:
                yield image
                position += 1
        if position == len(numbers):
            return


def expected_frames(path: Path, fps: float | None) -> int:
    """How many frames the file's header promises, at its own or another rate; 0 if damaged."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = max(container.streams.video, key=lambda one: one.frames)
            rate = fps or stream.average_rate
            if container.duration and rate:
                return round(container.duration / av.time_base * float(rate))
            return stream.frames
    except (av.FFmpegError, OSError, ValueError):
        return 0


def _decode(path: Path, stream: int, is_strict: bool, aspect: Fraction | None) -> _Pass:
    """All frames without their pictures, and what can be trusted of them."""
    found = _Pass()
    for packet, frame in decoded(path, stream, is_strict, found.packets):
        found.sources.append(packet)
        found.times_s.append(np.nan if frame.time is None else float(frame.time))
        found.sizes.append(shown_size(frame, aspect))
        found.is_interlaced |= bool(frame.interlaced_frame)
        found.transfer = int(frame.color_trc)
    with opened(path) as container:
        codec = container.streams.video[stream].codec_context.codec.canonical_name
    found.bad = untrusted(found.packets, codec, found.is_interlaced)
    return found


def _filled(times_s: list[float], rate: float) -> Float[np.ndarray, " T"]:
    """Times with those that are missing put between their neighbours, or by the rate."""
    times, index = np.asarray(times_s), np.arange(len(times_s))
    known = np.isfinite(times)
    if known.sum() < 2:
        return index / rate
    return np.interp(index, index[known], times[known])


def _one_size(
    sizes: list[tuple[int, int]], times_s: Float[np.ndarray, " T"], path: Path
) -> tuple[int, int]:
    """The largest of the pictures' sizes.

    Raises:
        VideoError: the picture changes its shape, not only its size.
    """
    largest = max(sizes, key=lambda size: size[0] * size[1])
    for (width, height), time in zip(sizes, times_s, strict=True):
        if abs(width * largest[1] / (height * largest[0]) - 1) > SAME_SHAPE:
            raise VideoError(
                f"{path} has pictures of {largest[0]}x{largest[1]} and, as at {time:.2f} s, of "
                f"{width}x{height}; cut it where they change"
            )
    return largest


def _spans(times_s: list[float], apart_s: float) -> str:
    """`, from 0.67 to 0.97 s`: the stretches of these times, which may be unknown (NaN)."""
    times = np.sort([time for time in times_s if np.isfinite(time)])
    if not len(times):
        return ""
    stretches = np.split(times, np.flatnonzero(np.diff(times) > apart_s) + 1)
    return ", from " + _listed([f"{one[0]:.2f} to {one[-1]:.2f} s" for one in stretches])


def _listed(texts: list[str], most: int = 5) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
