"""SIFT features outside people and their matches along a video (pycolmap), in a database file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycolmap
from jaxtyping import Bool
from PIL import Image

from stages.cameras.frames import PEOPLE_MARGIN_SHARE, grown
from stages.geometry.pinhole import FOCAL_OVER_LONG_SIDE

MAX_IMAGE_SIZE_PX = 1000
MAX_FEATURES = 1500
MAX_ERROR_SHARE = 1 / 640
"""Largest distance from the epipolar line, as a share of the long side."""
SEED = 0


@dataclass(frozen=True)
class CameraPrior:
    """What is assumed of the one camera before anything is measured."""

    width: int
    height: int
    focal_share: float = FOCAL_OVER_LONG_SIDE
    """Focal length as a share of the long side; phones film with 0.7 to 1.0."""

    @property
    def focal_px(self) -> float:
        return self.focal_share * max(self.width, self.height)

    @property
    def max_error_px(self) -> float:
        return max(1.0, MAX_ERROR_SHARE * max(self.width, self.height))


def write_feature_masks(
    folder: Path, image_names: Sequence[str], people: Sequence[Bool[np.ndarray, "H W"]]
) -> None:
    """Writes masks as pycolmap reads them: `<image name>.png`, 0 where no feature may lie."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, mask in zip(image_names, people, strict=True):
        margin = round(PEOPLE_MARGIN_SHARE * max(mask.shape))
        allowed = np.where(grown(mask, margin), 0, 255).astype(np.uint8)
        Image.fromarray(allowed).save(folder / f"{name}.png")


def extract_features(
    database: Path,
    image_folder: Path,
    image_names: Sequence[str],
    masks: Path,
    camera: CameraPrior,
    threads: int,
) -> None:
    """Finds SIFT features in the named images, all taken by one centred pinhole camera."""
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_PINHOLE"
    reader.camera_params = f"{camera.focal_px},{camera.width / 2},{camera.height / 2}"
    reader.mask_path = masks
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = threads
    options.use_gpu = False
    options.max_image_size = MAX_IMAGE_SIZE_PX
    options.sift.max_num_features = MAX_FEATURES
    # SIFT's own start is a picture twice as large. Large ones have features enough without.
    fits_twice = 2 * max(camera.width, camera.height) <= MAX_IMAGE_SIZE_PX
    options.sift.first_octave = -1 if fits_twice else 0
    # Threads would number the images in the order in which they get done: another map every time.
    pycolmap.Database.open(database).close()
    pycolmap.import_images(
        database, image_folder, pycolmap.CameraMode.SINGLE, list(image_names), reader
    )
    pycolmap.extract_features(
        database,
        image_folder,
        list(image_names),
        pycolmap.CameraMode.SINGLE,
        reader,
        options,
        pycolmap.Device.cpu,
    )


def match_along_the_video(database: Path, camera: CameraPrior) -> None:
    """Matches every image with those 1, 2, 4, 8, ... places later.

    Matches are checked against a fundamental matrix only: where parallax is small, a homography
    explains nearly everything, and what it does not explain is all there is to learn depth from.
    """
    matching = pycolmap.FeatureMatchingOptions()
    # Several threads share an index of features and find other matches now and then. They would
    # save a fifth of the time.
    matching.num_threads = 1
    matching.use_gpu = False
    pairing = pycolmap.SequentialPairingOptions()
    pairing.overlap = 10
    pairing.quadratic_overlap = True
    pairing.num_threads = 1
    verification = pycolmap.TwoViewGeometryOptions()
    verification.detect_watermark = False
    verification.max_H_inlier_ratio = 1.0
    verification.ransac.max_error = camera.max_error_px
    verification.ransac.max_num_trials = 1000
    verification.ransac.random_seed = SEED
    pycolmap.match_sequential(database, matching, pairing, verification, pycolmap.Device.cpu)


def image_names(database: Path) -> dict[int, str]:
    """Names of the images in a database, by id."""
    with pycolmap.Database.open(database) as opened:
        return {image.image_id: image.name for image in opened.read_all_images()}
