"""Features and matches are the same in every run, whatever the number of threads."""

import numpy as np
import pycolmap
import pytest

from stages.artifacts.images import write_image
from stages.stage1_sfm.features import (
    CameraPrior,
    extract_features,
    image_names,
    match_along_the_video,
    write_feature_masks,
)


def found(place, images, folder, threads):
    """Names by number, and inlier matches by pair."""
    folder.mkdir()
    names = [path.name for path in sorted(images.iterdir())]
    everywhere = np.zeros((place.height, place.width), bool)
    write_feature_masks(folder / "masks", names, [everywhere] * len(names))
    database, prior = folder / "features.db", CameraPrior(place.width, place.height)
    extract_features(database, images, names, folder / "masks", prior, threads)
    match_along_the_video(database, prior)
    with pycolmap.Database.open(database) as opened:
        pairs, geometries = opened.read_two_view_geometries()
        matches = {
            pair: geometry.inlier_matches.tolist()
            for pair, geometry in zip(pairs, geometries, strict=True)
        }
    return image_names(database), matches


@pytest.mark.slow
def test_features_and_matches_do_not_depend_on_threads(place, walk, tmp_path):
    images = tmp_path / "images"
    for number, T in enumerate(walk[:8], 1):
        image, _ = place.look(T)
        write_image(images / f"{number:05d}.png", np.repeat(image[..., None], 3, 2))
    first = found(place, images, tmp_path / "one", 1)
    assert list(first[0].values()) == [f"{number:05d}.png" for number in range(1, 9)]
    assert len(first[1]) > 10
    for attempt in range(4):
        assert found(place, images, tmp_path / f"four{attempt}", 4) == first
