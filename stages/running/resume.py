"""Which videos a stage has done already, by the same parameters, inputs and models.

Same means: of the same content, in the same role. Where files lie and when they were written says
nothing: a folder that was moved, or is seen under another name in a container, is the same.
"""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stages import catalogue
from stages.artifacts.atomic import remove_leftovers
from stages.artifacts.errors import ArtifactError
from stages.artifacts.soundness import damage
from stages.running import fingerprints, machine
from stages.running.fingerprints import Fingerprint, Fingerprints
from stages.running.overlap import ahead
from stages.running.stage import Stage, VideoError
from stages.running.stamps import Stamp, read_stamp, stamp_path, write_stamp


@dataclass(frozen=True)
class State:
    """What is to be done about a video.

    reason: why it is skipped or done again; empty for a video never seen.
    refused: why it must not be done again as the command is now; empty if it may.
    """

    skip: bool
    reason: str
    refused: str = ""


class Resume:
    """Compares a video with its stamp, and writes stamps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._models: Fingerprints | None = None

    def models(self, known: list[Fingerprint] | None = None) -> Fingerprints:
        """Fingerprints of the stage's models, read once: `<field>`, or `<field>/<file>`."""
        if self._models is None:
            files = {}
            for role, path in self._stage.models().items():
                for file in fingerprints.files_in(path):
                    inside = file.relative_to(path).as_posix()
                    files[role if file == path else f"{role}/{inside}"] = file
            self._models = fingerprints.take(files, known or [])
        return self._models

    def _flaw(self, video: str) -> str:
        """What is wrong with results that no stamp speaks for; empty for nothing."""
        with suppress(ArtifactError, VideoError):  # Its frames may be gone: then nothing is known.
            if lacks := self._stage.lacks(video):
                return lacks
        outputs = self._stage.outputs(video)
        files = [file for output in outputs for file in fingerprints.files_in(output)]
        return next(filter(None, ahead(damage, files, 2 * machine.cores())), "")

    def path(self, video: str) -> Path:
        """Of the video's stamp."""
        return self._path_of(self._stage.name, video)

    def _path_of(self, stage: str, video: str) -> Path:
        return stamp_path(self._stage.data_folder, stage, video, self._stage.variant(video))

    def _of_other_makers(self, video: str) -> dict[str, Stamp]:
        """What other stages that make the same kinds of results noted about the video."""
        kinds = self._stage.entry().makes
        names = {name for kind in kinds for name in catalogue.makers(kind)} - {self._stage.name}
        stamps = {name: read_stamp(self._path_of(name, video)) for name in sorted(names)}
        return {name: stamp for name, stamp in stamps.items() if stamp is not None}

    def state(self, video: str) -> State:
        """Whether the video is done."""
        path = self.path(video)
        stamp = read_stamp(path)
        if stamp is None:
            if path.exists():
                return State(False, "the record of an earlier run cannot be read")
            if maker := next(iter(self._of_other_makers(video)), ""):
                return State(False, f"{maker} made it")
            if all(fingerprints.files_in(output) for output in self._stage.outputs(video)):
                if flaw := self._flaw(video):
                    return State(False, f"it was made elsewhere and is not whole: {flaw}")
                return State(True, "made elsewhere; --no-skip-existing replaces it")
            return State(False, "")
        known = stamp.fingerprints()
        models = self.models(known)
        others = _roles_that_differ(stamp.models, models)
        kept = [role for role in others if self._is_kept(role, stamp)]
        changed = "" if stamp.finished else "an earlier run did not finish"
        changed = changed or _changed_parameter(stamp.parameters, self._parameters(video))
        changed = changed or fingerprints.difference(stamp.inputs, self._inputs(video, known))
        if not changed:
            outputs_now = self._outputs(video, known)
            changed = fingerprints.difference(stamp.outputs, outputs_now)
        if not changed and len(others) > len(kept):
            other = next(role for role in others if role not in kept)
            changed = f"{other} changed from {stamp.model_names.get(other, 'none')}"
        if not changed and not stamp.outputs:
            if self._stage.may_decline:
                return State(True, "declined already")
            changed = "another stage was to do it"
        if changed and kept:
            return State(False, changed, f"it was made with another {self._named(stamp, kept[0])}")
        if changed:
            return State(False, changed)
        if kept:
            return State(True, f"done with another {self._named(stamp, kept[0])}")
        return State(True, "done already")

    def begin(self, video: str) -> Stamp:
        """Notes that work on a video begins, from inputs as they are now.

        Nobody else may be at work on it: what a killed run left of its outputs goes. Stages that
        make the same by another method have to do it again, should they be asked to.
        """
        for output in self._stage.outputs(video):
            remove_leftovers(output)
        before = read_stamp(self.path(video))
        known = before.fingerprints() if before else []
        stamp = Stamp(
            False,
            self._parameters(video),
            self._inputs(video, known),
            self.models(known),
            self._model_names,
            sorted(self._stage.chosen & self._model_names.keys()),
            before.outputs if before else {},
        )
        write_stamp(self.path(video), stamp)
        for other, theirs in self._of_other_makers(video).items():
            nothing_left = replace(theirs, finished=True, outputs={})
            write_stamp(self._path_of(other, video), nothing_left)
        return stamp

    def finish(self, video: str, begun: Stamp) -> list[str]:
        """Notes that a video is done. Returns what it made before under other names: removed."""
        outputs = self._outputs(video, [])
        data = self._stage.data_folder
        superseded = [place for place in begun.outputs if place not in outputs]
        superseded = [place for place in superseded if (data / place).exists()]
        for place in superseded:
            _remove(data / place)
        write_stamp(self.path(video), replace(begun, finished=True, outputs=outputs))
        return superseded

    def finish_without(self, video: str, begun: Stamp) -> None:
        """Notes that a video is left to another stage; what was made of it before goes."""
        for place in begun.outputs:
            _remove(self._stage.data_folder / place)
        write_stamp(self.path(video), replace(begun, finished=True, outputs={}))

    def _parameters(self, video: str) -> dict[str, Any]:
        given = {**self._stage.parameters(), **self._stage.decided(video)}
        return json.loads(json.dumps(given, default=str))

    @cached_property
    def _model_names(self) -> dict[str, str]:
        return {role: path.name for role, path in self._stage.models().items()}

    def _inputs(self, video: str, known: list[Fingerprint]) -> Fingerprints:
        data = self._stage.data_folder
        files = {
            f"{item.name}/{fingerprints.place(file, data)}": file
            for item in self._stage.inputs(video)
            for file in fingerprints.files_in(item.path, item.suffixes)
        }
        return fingerprints.take(files, known)

    def _outputs(self, video: str, known: list[Fingerprint]) -> Fingerprints:
        data = self._stage.data_folder
        files = {
            fingerprints.place(file, data): file
            for output in self._stage.outputs(video)
            for file in fingerprints.files_in(output)
        }
        return fingerprints.take(files, known)

    def _named(self, stamp: Stamp, role: str) -> str:
        ours, before = self._model_names.get(role, "none"), stamp.model_names.get(role, "none")
        return (
            f"{role} ({before}) than the default ({ours}), and kept; name the one that you want, or"
            " say --no-skip-existing"
        )

    def _is_kept(self, role: str, stamp: Stamp) -> bool:
        """Whether a model's result stays although the one in use differs: a default replaces what
        it made itself, nothing that was asked for, nor what another default made.
        """
        same_name = stamp.model_names.get(role) == self._model_names.get(role)
        return role not in self._stage.chosen and (role in stamp.chosen or not same_name)


def _roles_that_differ(old: Fingerprints, new: Fingerprints) -> list[str]:
    def by_role(prints: Fingerprints) -> dict[str, dict[str, str]]:
        roles: dict[str, dict[str, str]] = {}
        for key, each in prints.items():
            role, _, inside = key.partition("/")
            roles.setdefault(role, {})[inside] = each.sha256
        return roles

    before, now = by_role(old), by_role(new)
    return sorted(role for role in before.keys() | now.keys() if before.get(role) != now.get(role))


def _changed_parameter(old: dict[str, Any], new: dict[str, Any]) -> str:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            return f"{name} changed from {old.get(name)} to {new.get(name)}"
    return ""


def _remove(file: Path) -> None:
    """Removes a result, and its folder where nothing but pictures is left in it."""
    file.unlink(missing_ok=True)
    folder = file.parent
    if folder.is_dir() and all(rest.name == fingerprints.PICTURES for rest in folder.iterdir()):
        shutil.rmtree(folder)
