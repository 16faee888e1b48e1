"""Where a motion comes from: methods, the weights that were used, and the licences of these."""

from pathlib import Path
from typing import Any

from stages import catalogue
from stages.artifacts.layout import WorldName
from stages.running.people_method import people_method
from stages.running.stamps import read_stamp, stamp_path
from stages.weights.licences import licence_of

_SETTINGS = (".json", ".yaml", ".txt")
"""Beside weights, in a network's folder."""


def origin(data: Path, name: WorldName) -> dict[str, Any]:
    """Facts about the result of a reconstruction, as stages noted them."""
    people = people_method(data, name.video)
    weights = [
        {"stage": entry.name, **used}
        for entry in catalogue.chain(people, name.method)
        for used in _weights(data, entry.name, name)
    ]
    return {
        "video": name.video,
        "world_method": name.method,
        "people_method": people,
        "frames": [name.start, name.end, name.stride],
        "weights": weights,
    }


def _weights(data: Path, stage: str, name: WorldName) -> list[dict[str, str]]:
    """Files of networks and bodies that a stage noted, with licences."""
    stamps = (
        read_stamp(stamp_path(data, stage, name.video, variant)) for variant in (name.method, "")
    )
    stamp = next((each for each in stamps if each is not None), None)
    if stamp is None:
        return []
    found = []
    for key, fingerprint in stamp.models.items():
        field, _, member = key.partition("/")
        called = "/".join(filter(None, [stamp.model_names.get(field, field), member]))
        if Path(called).suffix not in _SETTINGS:
            licence = licence_of(fingerprint.sha256)
            found.append({"file": called, "sha256": fingerprint.sha256, "licence": licence})
    return found
