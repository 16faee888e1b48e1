"""One camera and its pose in every frame of a video."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pycolmap
from jaxtyping import Bool, Float

from stages.cameras.frames import Frames
from stages.running import VideoError
from stages.stage1_sfm.cuts import require_one_place
from stages.stage1_sfm.evidence import keypoints_straightened, misfit
from stages.stage1_sfm.features import (
    PEOPLE_MARGIN_SHARE,
    SEED,
    CameraPrior,
    extract_features,
    grown,
    image_names,
    match_along_the_video,
    write_feature_masks,
)
from stages.stage1_sfm.lens import Lens, StraightFrames
from stages.stage1_sfm.mapping import PLAUSIBLE_FOCAL_SHARES, SparseScene, build_map
from stages.stage1_sfm.parallax import PairParallax, measure_pairs
from stages.stage1_sfm.registration import (
    KeyView,
    guessed_pose,
    projected,
    register_between,
)

KEY_FRAMES = 20
"""About so many frames are mapped; the others are registered to them."""
MAX_KEY_STEP = 6
"""Frames between key frames at most: points are followed no farther."""
MIN_FRAMES = 8
MIN_PARALLAX_SHARE = 0.006
"""Parallax that one match in ten must show in some pair, as a share of the long side."""
MAX_GAP = 5
"""So many frames in a row may stay without a measured pose."""
MAX_LENS_ROUNDS = 4
"""Each explains most of what the one before left."""
MEDIAN_DEPTH = 3.0
"""What the world is scaled to. People are filmed from some 3 m: the later scale is near 1."""
WALK = "film while walking a few steps around or along with the person, or use another world method"


class NoParallaxError(VideoError):
    """The camera moves too little for depth to show."""


@dataclass(frozen=True)
class SolvedCameras:
    """The camera's path through a static scene, up to scale; the world is camera 0's frame."""

    focal_px: float
    """In pixels of the original images."""
    Ts_camera_world: Float[np.ndarray, "T 4 4"]
    registered: Bool[np.ndarray, " T"]
    """False where the pose was only interpolated."""
    points: Float[np.ndarray, "N 3"]
    keys: list[int]
    """Frames that were mapped together."""
    reprojection_px: float
    lens: Lens | None = None
    """What the frames' camera is beyond one pinhole; all else here is of that pinhole."""
    kinds: tuple[str, ...] = ()
    """What that is, in words."""
    doubt: str = ""
    """What no camera that is known here explains."""


def key_frames(frames: int) -> list[int]:
    """The frames that are mapped: evenly spaced, the last one always among them."""
    step = min(MAX_KEY_STEP, max(1, round(frames / KEY_FRAMES)))
    keys = list(range(0, frames, step))
    return keys if keys[-1] == frames - 1 else [*keys, frames - 1]


def solve_cameras(frames: Frames, workspace: Path, threads: int) -> SolvedCameras:
    """Finds focal length and poses.

    Args:
        frames: the video.
        workspace: an empty folder for intermediate files.

    Raises:
        VideoError: too few frames, too little texture or parallax, or no path through them all.
    """
    if len(frames) < MIN_FRAMES:
        raise VideoError(
            f"{frames.folder} gives {len(frames)} frames, structure from motion needs at least "
            f"{MIN_FRAMES}; use a longer video or a smaller --stride"
        )
    pycolmap.logging.minloglevel = int(pycolmap.logging.ERROR)
    pycolmap.logging.alsologtostderr = False
    pycolmap.logging.stderrthreshold = int(pycolmap.logging.FATAL)
    pycolmap.set_random_seed(SEED)
    prior = CameraPrior(frames.width, frames.height)
    keys = key_frames(len(frames))
    names = [frames.file_names[key] for key in keys]
    database, masks = workspace / "features.db", workspace / "masks"
    write_feature_masks(masks, names, [frames.people(key) for key in keys])
    extract_features(database, frames.folder, names, masks, prior, threads)
    match_along_the_video(database, prior)
    pairs = measure_pairs(database, max(frames.width, frames.height), prior.max_error_px)
    place_of = {number: names.index(name) for number, name in image_names(database).items()}
    linked = [(place_of[pair.first], place_of[pair.second]) for pair in pairs]
    require_one_place(frames, keys, linked)
    require_parallax(pairs, max(frames.width, frames.height))
    frame_of = dict(zip(names, keys, strict=True))

    def mapped() -> SparseScene | None:
        return build_map(database, frames.folder, workspace, pairs, len(keys), prior, threads)

    scene, found = straightened_map(mapped, database, frame_of, frames)
    if scene is None:
        raise NoParallaxError(
            "no map could be built from any pair of frames although there is parallax of "
            f"{pairs[0].residual_px:.1f} px; {WALK}"
        )
    low, high = PLAUSIBLE_FOCAL_SHARES
    share = scene.focal_px / max(frames.width, frames.height)
    if not low <= share <= high:
        raise NoParallaxError(
            f"the focal length came out as {share:.2f} of the image's long side, which no phone "
            f"has ({low} to {high}): the camera moves too little to tell; {WALK}"
        )
    views = _key_views(scene, frame_of)
    seen = frames if found.lens is None else StraightFrames(**vars(frames), lens=found.lens)
    Ts, registered = register_all(seen, views, scene.focal_px, prior.max_error_px)
    require_short_gaps(registered, frames)
    solved = _normalised(scene, views, Ts, registered)
    return replace(solved, lens=found.lens, kinds=found.kinds, doubt=found.doubt)


@dataclass(frozen=True)
class Explained:
    """What a video's camera is beyond one pinhole, if anything; see `SolvedCameras`."""

    lens: Lens | None = None
    kinds: tuple[str, ...] = ()
    doubt: str = ""


def straightened_map(
    mapped: Callable[[], SparseScene | None],
    database: Path,
    frame_of: dict[str, int],
    frames: Frames,
) -> tuple[SparseScene | None, Explained]:
    """A map of pinhole pictures. Where they are none, features are put where they would be in such.

    Args:
        mapped: makes a map of the features in the database.
        frame_of: frames of the video by name of the key image.
    """
    scene, lens = mapped(), None
    kinds: list[str] = []
    named = image_names(database)
    with pycolmap.Database.open(database) as opened:
        found = {number: (name, opened.read_keypoints(number)) for number, name in named.items()}
    for round_ in range(MAX_LENS_ROUNDS + 1):
        if scene is None:
            break
        last = round_ == MAX_LENS_ROUNDS
        left = misfit(scene.model, frame_of, len(frames), () if last else kinds)
        if left is None:
            return scene, Explained(lens, tuple(dict.fromkeys(kinds)))
        if last:
            break
        lens = left.lens if lens is None else lens.then(left.lens)
        kinds.append(left.kind)
        size = frames.height, frames.width
        with pycolmap.Database.open(database) as opened:
            for number, (name, keypoints) in found.items():
                moved = keypoints_straightened(keypoints, lens, frame_of[name], size)
                opened.update_keypoints(number, moved.astype(np.float32))
        scene = mapped()
    doubt = "neither a zoom nor a bent lens nor a cut-off side explains the pictures"
    return scene, Explained(lens, tuple(dict.fromkeys(kinds)), doubt)


def require_parallax(pairs: list[PairParallax], long_side_px: int) -> None:
    """Refuses a video in which no pair of frames shows depth.

    Raises:
        VideoError: says what was measured and what to do.
    """
    if not pairs:
        raise VideoError(
            "no two frames have enough matching features outside people: blurred, dark or "
            "without texture; film a place with visible texture, in light"
        )
    most = max(pair.residual_px for pair in pairs)
    needed = MIN_PARALLAX_SHARE * long_side_px
    if most < needed:
        raise NoParallaxError(
            f"the camera does not move enough: between no two frames do near things shift by more "
            f"than {most:.1f} px against far ones, {needed:.1f} px are needed; {WALK}"
        )


def _key_views(scene: SparseScene, frame_of: dict[str, int]) -> list[KeyView]:
    views = [
        KeyView(frame_of[name], T, scene.points[scene.tracks[name][0]], scene.tracks[name][1])
        for name, T in scene.Ts_camera_world.items()
    ]
    return sorted(views, key=lambda view: view.frame)


def register_all(
    frames: Frames, views: list[KeyView], focal_px: float, max_error_px: float
) -> tuple[Float[np.ndarray, "T 4 4"], Bool[np.ndarray, " T"]]:
    """Poses of all frames from those of the key views, and which of them were measured."""
    intrinsic = np.array(
        [[focal_px, 0, (frames.width - 1) / 2], [0, focal_px, (frames.height - 1) / 2], [0, 0, 1]]
    )
    margin = round(PEOPLE_MARGIN_SHARE * max(frames.width, frames.height))
    grey = lru_cache(maxsize=8)(frames.grey)

    def people(frame: int) -> Bool[np.ndarray, "H W"]:
        return grown(frames.people(frame), margin) | frames.outside(frame)

    Ts = np.tile(np.eye(4), (len(frames), 1, 1))
    registered = np.zeros(len(frames), bool)
    known = {view.frame: view for view in views}
    for frame in range(len(frames)):
        if frame in known:
            Ts[frame], registered[frame] = known[frame].T_camera_world, True
            continue
        neighbours = _around(frame, views)
        found = register_between(frame, neighbours, intrinsic, grey, people, max_error_px)
        Ts[frame] = guessed_pose(frame, neighbours) if found is None else found
        registered[frame] = found is not None
    return Ts, registered


def _around(frame: int, views: list[KeyView]) -> list[KeyView]:
    """The last view before a frame and the first one after it, as far as there are any."""
    before = [view for view in views if view.frame < frame][-1:]
    after = [view for view in views if view.frame > frame][:1]
    return before + after


def require_short_gaps(registered: Bool[np.ndarray, " T"], frames: Frames) -> None:
    """Refuses a path with a long stretch of guessed poses.

    Raises:
        VideoError: names the longest stretch.
    """
    start = length = 0
    run = 0
    for frame, measured in enumerate(registered):
        run = 0 if measured else run + 1
        if run > length:
            start, length = frame - run + 1, run
    if length > MAX_GAP:
        first, last = frames.images[start].name, frames.images[start + length - 1].name
        raise VideoError(
            f"frames {first} to {last} could not be registered to the others ("
            f"{int(registered.sum())} of {len(registered)} were): blurred, or people fill them; "
            "leave them out by --start-frame and --end-frame"
        )


def _normalised(
    scene: SparseScene, views: list[KeyView], Ts: np.ndarray, registered: np.ndarray
) -> SolvedCameras:
    """The same cameras and points in camera 0's frame, scaled to the usual distance."""
    depths = np.concatenate(
        [projected(view.points, view.T_camera_world, np.eye(3))[1] for view in views]
    )
    scale = MEDIAN_DEPTH / float(np.median(depths))
    first = Ts[0]
    points = (scene.points @ first[:3, :3].T + first[:3, 3]) * scale
    moved = Ts @ np.linalg.inv(first)
    moved[:, :3, 3] *= scale
    return SolvedCameras(
        scene.focal_px,
        moved,
        registered,
        points,
        [view.frame for view in views],
        scene.reprojection_px,
    )
