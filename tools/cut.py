"""A cut of a video, as `data/demo_real` has one of its source."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import click


def cut(source: Path, target: Path, first: int, frames: int, crf: int) -> None:
    """Encodes frames `first`, counted from 0, and on anew: H.264 without sound, at the same rate.

    One thread, so that the same version of PyAV makes the same file.
    """
    with av.open(str(source)) as opened, av.open(str(target), "w") as written:
        video = opened.streams.video[0]
        rate = Fraction(video.average_rate or 30)
        options = {"crf": str(crf), "preset": "veryslow", "threads": "1"}
        stream = written.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for index, frame in enumerate(islice(opened.decode(video), first, first + frames)):
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = index, 1 / rate
            written.mux(stream.encode(picture))
        written.mux(stream.encode())


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--first", default=0, show_default=True, help="Frame to begin with.")
@click.option("--frames", default=120, show_default=True, help="How many frames.")
@click.option("--crf", default=27, show_default=True, help="x264's; more is smaller and coarser.")
def main(source: Path, target: Path, first: int, frames: int, crf: int) -> None:
    """Cut a video."""
    cut(source, target, first, frames, crf)


if __name__ == "__main__":
    main()
