"""What a stage reads of a video is among its declared inputs, so that a change of it is noticed."""

from pathlib import Path

import pytest

from stages.running.fingerprints import files_in
from tests.pipeline.commands import CHAIN, REPOSITORY
from tests.pipeline.finished import VIDEO
from tests.test_catalogue import declaration

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ABOUT_THE_RUN = (".done", "logs", "runs.jsonl")


def declared(stage, video: str) -> set[Path]:
    files = [
        file.absolute()
        for item in stage.inputs(video)
        for file in files_in(item.path, item.suffixes)
    ]
    files += [file for path in stage.models().values() for file in files_in(path)]
    files += [file.absolute() for path in stage.outputs(video) for file in files_in(path)]
    return set(files)


@pytest.mark.parametrize("name", CHAIN)
def test_a_stage_reads_what_it_declares_and_nothing_else(chain, name, monkeypatch):
    monkeypatch.setenv("MIMICMILL_DATA", str(chain.data))
    stage = declaration(name)()
    watched = (chain.data, REPOSITORY / "data")
    opened = {
        path
        for path in chain.ran[name].opened
        if any(path.is_relative_to(folder) for folder in watched)
        and not (
            path.is_relative_to(chain.data)
            and path.relative_to(chain.data).parts[0] in ABOUT_THE_RUN
        )
        and not path.name.startswith(".")  # Its own, on their way to their names.
    }
    assert opened <= declared(stage, VIDEO)
    assert opened or name == "stage0-frames"  # FFmpeg opens videos past Python.
