"""The demo checkpoints find and follow the demo's people."""

from pathlib import Path

import av
import numpy as np
import pytest

from stages.artifacts.images import list_images, write_image
from stages.stage0_sam2.detector import PersonDetector
from stages.stage0_sam2.tracker import Tracker
from stages.weights.demo import demo_folder
from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.sam2 import load_sam2
from tools.evaluation.clip import iou
from tools.footage.truth import read_truth

DEMO = Path(__file__).parents[2] / "data" / "demo"
CLIP = "walk_stairs_01"
FRAMES = range(0, 24, 4)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Some frames of a demo video as a camera folder."""
    folder = tmp_path_factory.mktemp("frames")
    with av.open(str(DEMO / "videos" / f"{CLIP}.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in FRAMES:
                write_image(folder / f"{index + 1:05d}.jpg", frame.to_ndarray(format="rgb24"))
    return list_images(folder)


@pytest.mark.slow
def test_the_person_has_one_id_and_the_true_mask_in_every_frame(images):
    dino = load_grounding_dino(demo_folder("grounding_dino"), "cpu")
    tracker = Tracker(
        load_sam2(demo_folder("sam2"), "cpu"), PersonDetector(dino, "person."), images
    )
    (segment,) = tracker.run()
    true = read_truth(DEMO / "truth" / CLIP).person_ids
    overlaps = [iou(ids == 1, true[at] == 1) for at, ids in zip(FRAMES, segment.ids, strict=True)]
    assert np.unique(segment.ids).tolist() == [0, 1]
    assert min(overlaps) > 0.7
    assert list(tracker.scores) == [1]
    assert 0.25 < tracker.scores[1] <= 1
