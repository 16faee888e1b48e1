"""A video's pictures as SAM 2 sees them: read ahead, encoded once, dropped when passed."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from jaxtyping import Float, UInt8
from torch.nn.functional import interpolate

from stages.artifacts.images import ImageFile, read_image
from stages.running.overlap import ahead
from stages.running.stage import VideoError
from stages.stage0_sam2.network import Levels, Sam2

Batch = UInt8[torch.Tensor, "N 3 S S"]
Slot = tuple[ImageFile, Batch, int]
"""A picture, its batch, and its place in it."""

AT_ONCE = {"cuda": 8, "cpu": 1}
"""Pictures that the encoder takes at once: a GPU is busy with so many."""


class Pictures:
    """Features of the pictures of one video, asked for in order but for a short way back."""

    def __init__(self, sam2: Sam2, images: Sequence[ImageFile]) -> None:
        self.sam2 = sam2
        self.size: tuple[int, int] = read_image(images[0].path).shape[:2]
        self.images, self.count = images, len(images)
        self.held: dict[int, Levels] = {}
        self.places: Float[torch.Tensor, "1 C h w"]
        """Of the coarsest level's features: the same in all pictures."""
        self._at_once = AT_ONCE[sam2.device.type]
        self._encoded = 0
        read = partial(_read, self.size)
        self._read = ahead(read, self._slots(images), 3 * self._at_once)

    def features(self, index: int) -> Levels:
        """Of one picture. Raises KeyError if it was dropped."""
        self.encode_to(index)
        return self.held[index]

    def encode_to(self, index: int) -> None:
        """Encodes up to a picture, or to the last; a GPU has the work queued then."""
        while self._encoded <= min(index, self.count - 1):
            for _ in self._batch(self._encoded):
                batch = next(self._read)
            levels, self.places = self.sam2.encode(batch)
            for place in range(len(batch)):
                self.held[self._encoded + place] = [level[place : place + 1] for level in levels]
            self._encoded += len(batch)

    def _batch(self, start: int) -> range:
        return range(start, min(start + self._at_once, self.count))

    def _slots(self, images: Sequence[ImageFile]) -> Iterator[Slot]:
        """Where every picture goes: batches in memory that a GPU can read."""
        side, on_gpu = self.sam2.network.image_size, self.sam2.device.type == "cuda"
        for start in range(0, self.count, self._at_once):
            frames = self._batch(start)
            shape = (len(frames), 3, side, side)
            batch = torch.empty(shape, dtype=torch.uint8, pin_memory=on_gpu)
            yield from ((images[frame], batch, place) for place, frame in enumerate(frames))

    def drop_before(self, index: int) -> None:
        """Nobody will look back at pictures before this one."""
        for passed in [each for each in self.held if each < index]:
            del self.held[passed]


@torch.inference_mode()
def _read(size: tuple[int, int], slot: Slot) -> Batch:
    """Puts a picture into its batch: a square whatever its shape.

    As in the official loader but for a few grey levels' rounding; Pillow, which it uses, holds
    Python's lock while it copies pictures in and out.
    """
    image, batch, place = slot
    picture = read_image(image.path)
    if picture.shape[:2] != size:
        raise VideoError(
            f"{image.path} is {picture.shape[1]}x{picture.shape[0]} but the first frame is "
            f"{size[1]}x{size[0]}; extract the frames again by stage0-frames"
        )
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
    batch[place] = interpolate(pixels, batch.shape[2:], mode="bicubic", antialias=True)[0]
    return batch
