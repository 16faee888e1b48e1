"""The moving stream of a video file, decoded on past damage, and what can be trusted of it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from stages.running import VideoError

ONE_PACKET_A_FRAME = ("h264", "hevc", "mpeg4", "vp9", "av1")
"""Codecs of which a packet without a picture is a lost one, unless fields come by themselves."""
MOST_READ_ERRORS = 100


@dataclass(eq=False)
class Packet:
    """What is kept of a packet: when it is shown, for how long, and what became of it.

    time_s: NaN where it has none. is_damaged: it or its picture is broken.
    """

    time_s: float = np.nan
    duration_s: float = 0.0
    is_key: bool = False
    is_discarded: bool = False
    is_damaged: bool = False
    has_picture: bool = False


def opened(path: Path) -> av.container.InputContainer:
    """The file, for a `with`.

    Raises:
        VideoError: nothing that can be opened, or without a video stream.
    """
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{path} is not a video that can be opened ({error}); replace it"
        ) from None
    if not container.streams.video:
        container.close()
        raise VideoError(f"{path} has no video stream; replace it")
    return container


def moving_stream(path: Path) -> int:
    """Place among the video streams of the one that moves: a cover or a still may come first.

    Of several that move, the file's default; of those, the largest.
    """
    with opened(path) as container:
        streams = container.streams.video
        if len(streams) == 1:
            return 0
        counts = dict.fromkeys((stream.index for stream in streams), 0)
        with suppress(av.FFmpegError):
            for packet in container.demux(*streams):
                counts[packet.stream.index] += packet.size > 0
        most = max(counts.values())

        def worth(stream: av.VideoStream) -> tuple[bool, bool, int]:
            disposition = stream.disposition
            return (
                2 * counts[stream.index] >= most,
                bool(disposition & av.stream.Disposition.default),
                stream.width * stream.height,
            )

        return max(range(len(streams)), key=lambda place: worth(streams[place]))


def decoded(
    path: Path, place: int, is_strict: bool, packets: list[Packet]
) -> Iterator[tuple[Packet, av.VideoFrame]]:
    """Every picture that the decoder gives, with its packet.

    Args:
        place: of the stream, among the video streams.
        is_strict: the decoder gives up a picture at the first error in it, else it makes one up.
        packets: an empty list, filled while this goes on, in decoding order.
    """
    with opened(path) as container:
        stream = container.streams.video[place]
        context = stream.codec_context
        # Threads that decode frames side by side report errors late, and lose good ones by them.
        context.thread_type, context.copy_opaque = "SLICE", True
        context.options = {"err_detect": "explode"} if is_strict else {}
        for packet in _read_on(container, stream):
            if packet is None:
                packets.append(Packet(is_damaged=True))
                continue
            if packet.size:
                packets.append(_record(packet))
                packet.opaque = packets[-1]
            try:
                for frame in packet.decode():
                    of = frame.opaque if isinstance(frame.opaque, Packet) else packets[-1]
                    of.has_picture = True
                    of.is_damaged |= bool(frame.is_corrupt)
                    yield of, frame
            except (av.FFmpegError, ValueError):
                if packet.size:
                    packets[-1].is_damaged = True


def _read_on(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.Packet | None]:
    """The packets, and None where something between them could not be read."""
    for _ in range(MOST_READ_ERRORS):
        try:
            yield from container.demux(stream)
            return
        except av.error.EOFError:
            return
        except av.FFmpegError:
            yield None


def _record(packet: av.Packet) -> Packet:
    at = packet.pts if packet.pts is not None else packet.dts
    return Packet(
        time_s=np.nan if at is None else float(at * packet.time_base),
        duration_s=float((packet.duration or 0) * packet.time_base),
        is_key=packet.is_keyframe,
        is_discarded=packet.is_discard,
    )


def untrusted(packets: list[Packet], codec: str, is_interlaced: bool) -> list[Packet]:
    """Packets whose pictures are not what was filmed: from damage on to the next key picture.

    Pictures that are shown before that one but come after it refer to lost ones, too.
    """
    counts_pictures = codec in ONE_PACKET_A_FRAME and not is_interlaced
    result, is_well, since_s = [], True, -np.inf
    # Pictures before the first key picture, which refer to what was cut off, may be lost by design.
    first_s = next((packet.time_s for packet in packets if packet.is_key), -np.inf)
    for packet in packets:
        is_damaged = packet.is_damaged
        if counts_pictures and not packet.has_picture and not packet.is_discarded:
            is_damaged |= not packet.time_s < max(first_s, since_s)
        if packet.is_key and not is_well and not is_damaged:
            is_well, since_s = True, packet.time_s
        is_well = is_well and not is_damaged
        if not is_well or packet.time_s < since_s:
            result.append(packet)
    return result
