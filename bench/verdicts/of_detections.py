"""Errors of stage 0: tracks that are lost or of somebody else, a mirrored film."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bench.verdicts.clips import changed
from stages.artifacts.masks import PersonLabel
from stages.body.joint_names import flip_order
from stages.evaluation.plausibility.clip import Clip


def lost_track(start: float, end: float) -> Callable[[Clip], Clip]:
    """Stage 0 has nobody for a part of the clip; later stages went on through it."""

    def change(clip: Clip) -> Clip:
        gone = range(int(start * len(clip.frames)), int(end * len(clip.frames)))
        labels = [{} if row in gone else each for row, each in enumerate(clip.labels)]
        names = {clip.frames[row] for row in gone}
        keypoints = {name: {} if name in names else k for name, k in clip.keypoints.items()}
        return changed(clip, labels=labels, keypoints=keypoints)

    return change


def other_person(start: float) -> Callable[[Clip], Clip]:
    """From some frame on, masks and keypoints are of somebody two widths aside."""

    def change(clip: Clip) -> Clip:
        begin = int(start * len(clip.frames))
        labels, keypoints = [], dict(clip.keypoints)
        for row, (name, frame) in enumerate(zip(clip.frames, clip.labels, strict=True)):
            if row < begin:
                labels.append(frame)
                continue
            aside = {who: 2 * (label.box[2] - label.box[0]) for who, label in frame.items()}
            labels.append({who: _aside(label, aside[who]) for who, label in frame.items()})
            keypoints[name] = {
                who: replace(each, keypoints=each.keypoints + np.array([aside.get(who, 100), 0, 0]))
                for who, each in clip.keypoints[name].items()
            }
        return changed(clip, labels=labels, keypoints=keypoints)

    return change


def _aside(label: PersonLabel, by: int) -> PersonLabel:
    x1, y1, x2, y2 = label.box
    return replace(label, box=(x1 + by, y1, x2 + by, y2))


def mirrored(clip: Clip) -> Clip:
    """Keypoints are those of the mirrored film."""
    width = (
        2 * clip.views.intrinsics[0, 0, 2] * clip.views.affine_original_from_reconstruction[0, 0]
    )
    order = list(flip_order())
    keypoints = {
        name: {
            who: replace(each, keypoints=each.keypoints[order] * [-1, 1, 1] + [width, 0, 0])
            for who, each in people.items()
        }
        for name, people in clip.keypoints.items()
    }
    return changed(clip, keypoints=keypoints)
