"""SAM 2 over a video: it sees a picture once, forgets what has passed, follows many people."""

from collections import Counter

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from bench.stage0.sam2 import person_box, show_a_person
from stages.artifacts.images import list_images, read_image, write_image
from stages.running.stage import VideoError
from stages.stage0_sam2 import propagation
from stages.stage0_sam2.detector import Detection
from stages.stage0_sam2.looks import MOST_FRAMES, STEP, Look, look_step
from stages.stage0_sam2.network import Sam2
from stages.stage0_sam2.pictures import Pictures, _read
from stages.stage0_sam2.propagation import FOLLOWED, Group, follow, looks_back
from stages.stage0_sam2.tracker import LOOKS_FOLLOWED, Tracker
from stages.weights.locate import demo_checkpoint
from stages.weights.sam2 import build_sam2, load_sam2

SIZE = (48, 64)
BOX = person_box(*SIZE)
SIDE = 64
"""Of the pictures of a network that is quick and knows nothing."""


@pytest.fixture(scope="module")
def quick() -> Sam2:
    """The demo's SAM 2, untrained, on small pictures, that always sees somebody in `BOX`."""
    config = OmegaConf.load(demo_checkpoint("sam2") / "config.yaml")
    config.model.image_size = SIDE
    for attention in ("self_attention", "cross_attention"):
        config.model.memory_attention.layer[attention].feat_sizes = [SIDE // 16, SIDE // 16]
    torch.manual_seed(0)
    network = build_sam2(config).eval()
    show_a_person(network)
    return Sam2(network)


@pytest.fixture
def clip(tmp_path):
    """Makes a clip of noise."""

    def write(frames, suffix="png", size=SIZE):
        random = np.random.default_rng(0)
        for number in range(1, frames + 1):
            picture = random.integers(0, 255, (*size, 3), np.uint8)
            write_image(tmp_path / f"{number:05d}.{suffix}", picture)
        return list_images(tmp_path)

    return write


@pytest.fixture
def encoded(quick):
    """How often each picture has gone through the image encoder."""
    seen: Counter = Counter()

    def count(_module, inputs):
        seen.update(picture.numpy().tobytes() for picture in inputs[0])

    hook = quick.network.image_encoder.register_forward_pre_hook(count)
    yield seen
    hook.remove()


def somebody(images, boxes=(BOX,)):
    """What the detector might see in a clip of noise."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    return [Look(picture, [Detection(box, 0.9) for box in boxes]) for _ in images[::STEP]]


def test_every_picture_is_encoded_once(quick, clip, encoded):
    images = clip(2 * STEP + 5)
    tracker = Tracker(Pictures(quick, images), somebody(images))
    found = [ids for segment in tracker.run() for ids in segment.ids]
    assert all((ids == 1).any() for ids in found), "the person is followed"
    assert len(found) == len(encoded) == len(images) and set(encoded.values()) == {1}


@pytest.fixture
def passing(quick, tmp_path):
    """Who is in which frames, of a clip with somebody in red in some of them.

    The network goes on to see somebody where nobody is any more.
    """

    def tracked(frames, there):
        for frame in range(frames):
            picture = np.full((*SIZE, 3), [200, 0, 0] if frame in there else [0, 0, 200], np.uint8)
            write_image(tmp_path / f"{frame + 1:05d}.png", picture)
        images = list_images(tmp_path)

        def look_at(frame):
            found = [Detection(BOX, 0.9)] if frame in there else []
            return Look(read_image(images[frame].path), found)

        looks = [look_at(frame) for frame in range(0, frames, STEP)]
        segments = Tracker(Pictures(quick, images), looks, look_at=look_at).run()
        seen = [np.unique(ids).tolist() for segment in segments for ids in segment.ids]
        assert len(seen) == frames
        assert all(max(ids) <= 1 for ids in seen), "it is one person"
        return [frame for frame, ids in enumerate(seen) if any(ids)]

    return tracked


def test_somebody_who_passes_between_two_looks_is_found_and_only_where_they_are(passing):
    assert passing(30, range(2, 20)) == [*range(2, 20)]


def test_a_mask_does_not_stay_when_somebody_has_left_before_a_look(passing):
    assert passing(2 * STEP, range(14)) == [*range(14)]


def test_a_mask_does_not_stay_when_somebody_has_left_before_the_end(passing):
    assert passing(STEP, range(14)) == [*range(14)]


@pytest.mark.parametrize(
    ("fps", "step"), [(30, 20), (60, 40), (15, 10), (1, 1), (240, MOST_FRAMES)]
)
def test_looks_come_by_time(fps, step):
    assert look_step(np.arange(50) / fps) == step


def test_what_is_held_does_not_grow_with_the_video(quick, clip, monkeypatch):
    held, remembered = [], []
    follow_one = Group.follow

    def watch(group, index):
        found = follow_one(group, index)
        held.append(len(group.pictures.held))
        remembered.append(len(group.outputs[FOLLOWED]))
        return found

    monkeypatch.setattr(Group, "follow", watch)
    images = clip(8 * STEP)
    for _ in Tracker(Pictures(quick, images), somebody(images)).run():
        pass
    assert len(held) > 7 * STEP
    assert max(held) <= 2 * LOOKS_FOLLOWED * STEP
    assert max(held[: 4 * STEP]) == max(held)
    assert max(remembered) <= looks_back(quick.network)


def test_a_dropped_picture_is_not_encoded_again(quick, clip):
    pictures = Pictures(quick, clip(3))
    pictures.features(2)
    pictures.drop_before(2)
    assert list(pictures.held) == [2]
    with pytest.raises(KeyError):
        pictures.features(1)


def test_twenty_people_are_followed(quick, clip):
    images = clip(3)
    boxes = [BOX + shift / 4 for shift in range(20)]
    found = list(follow(Pictures(quick, images), range(3), boxes, []))
    assert [logits.shape[0] for logits in found] == [20, 20, 20]
    tracker = Tracker(Pictures(quick, images), somebody(images, boxes))
    assert len([ids for segment in tracker.run() for ids in segment.ids]) == 3


def test_people_followed_together_are_followed_as_each_alone(quick, clip, monkeypatch):
    images, mask = clip(4), np.zeros(SIZE, bool)
    mask[5:30, 20:40] = True
    boxes = [BOX, BOX + 6, BOX + 12]

    def run(at_once):
        monkeypatch.setitem(propagation.PEOPLE_AT_ONCE, "cpu", at_once)
        found = follow(Pictures(quick, images), range(4), boxes, [mask])
        return torch.stack(list(found))

    assert torch.allclose(run(8), run(1), atol=1e-3)


def test_a_clip_of_two_sizes_is_refused(quick, clip, tmp_path):
    clip(2)
    write_image(tmp_path / "00003.png", np.zeros((50, 64, 3), np.uint8))
    with pytest.raises(VideoError, match=r"00003.png is 64x50 but the first frame is 64x48"):
        Pictures(quick, list_images(tmp_path)).features(2)


@pytest.mark.slow
@pytest.mark.parametrize("backwards", [False, True])
def test_masks_are_those_of_the_official_predictor(clip, tmp_path, backwards):
    network = load_sam2(demo_checkpoint("sam2"), "cpu")
    size = (network.image_size, network.image_size)
    images = clip(4, "jpg", size)
    box = person_box(*size)
    frames = range(3, -1, -1) if backwards else range(4)
    state = network.init_state(str(tmp_path))
    network.add_new_points_or_box(state, frames[0], 7, box=box)
    found = network.propagate_in_video(state, reverse=backwards)
    official = {index: logits[:, 0] for index, _, logits in found}
    ours = follow(Pictures(Sam2(network), images), frames, [box], [])
    for index, logits in zip(frames, ours, strict=True):
        wide = propagation.enlarged(logits, size)
        assert torch.allclose(wide, official[index], atol=1e-4)


@pytest.mark.parametrize("side", [SIDE, 40])
def test_pictures_are_made_square_as_by_the_official_loader_but_for_rounding(clip, side):
    for slot in clip(2, size=(50, 90)):
        batch = torch.zeros((1, 3, side, side), dtype=torch.uint8)
        _read((50, 90), (slot, batch, 0))
        official = Image.open(slot.path).resize((side, side))
        difference = np.abs(batch[0].permute(1, 2, 0).numpy().astype(int) - np.array(official))
        assert difference.max() <= 2 and (difference > 0).mean() < 0.02
