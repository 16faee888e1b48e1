"""A flag is declared once: command, help and recorded parameters follow from it."""

from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from stages.running import ledger
from stages.running.command import stage_command
from stages.running.flags import flag, flags_of
from stages.running.model_flags import body_flag, checkpoint_flag
from tests.running.copy_stage import CopyStage


@dataclass(kw_only=True)
class Networked(CopyStage):
    """With models of every kind."""

    model_checkpoint: object = checkpoint_flag("vitpose", "A checkpoint.")
    body_model: object = body_flag()
    height_m: float | None = flag(None, "Height.", name="--height")


@pytest.fixture
def command(data, monkeypatch):
    monkeypatch.setenv("MIMICMILL_DATA", str(data))
    monkeypatch.setenv("MIMICMILL_WORKERS", "1")

    def invoke(*arguments: str, stage: type = CopyStage):
        return CliRunner().invoke(stage_command(stage), list(arguments))

    return invoke


def test_the_command_runs_with_its_flags_and_the_shared_ones(command, data):
    ran = command("--times", "2", "--pattern", "a")
    assert ran.exit_code == 0, ran.output
    assert (data / "output" / "a.txt").read_text() == "TEXT ATEXT A"
    assert [entry["video"] for entry in ledger.read(data)] == ["a"]


def test_the_help_has_every_flag_with_its_text_and_default(command):
    text = " ".join(command("--help", stage=Networked).output.split())
    for each, about in flags_of(Networked):
        name = about.name.split("/")[0] or f"--{each.name.replace('_', '-')}"
        assert name in text and about.help in text
    assert "[default: ($MIMICMILL_DATA/input)]" in text
    assert "How often. [default: 1]" in text
    assert text.count("--vis") == text.count("--names") == 1
    assert "With models of every kind." in text


def test_parameters_are_the_flags_that_change_results(data):
    stage = Networked(times=3, height_m=1.8)
    assert stage.parameters() == {"times": 3, "ending": ".txt", "height_m": 1.8}


def test_models_are_the_flags_of_files_that_are_given():
    assert list(Networked().models()) == ["model_checkpoint", "body_model"]


def test_chosen_is_what_a_flag_or_the_environment_sets(monkeypatch, data):
    seen = {}

    @dataclass(kw_only=True)
    class Watched(Networked):
        """Says what was chosen."""

        def videos(self) -> list[str]:
            seen["chosen"] = self.chosen
            return []

    def chosen(*arguments: str) -> frozenset[str]:
        CliRunner().invoke(stage_command(Watched), list(arguments))
        return seen["chosen"]

    for variable in ("MIMICMILL_BODY", "MIMICMILL_WEIGHTS"):
        monkeypatch.delenv(variable, raising=False)
    assert chosen() == frozenset()
    assert chosen("--body-model", "b.npz") == {"body_model"}
    monkeypatch.setenv("MIMICMILL_BODY", "own.pkl")
    assert chosen() == {"body_model"}
    monkeypatch.setenv("MIMICMILL_WEIGHTS", str(data))
    assert chosen() == {"body_model", "model_checkpoint"}


def test_the_folder_of_weights_decides_where_a_checkpoint_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("MIMICMILL_WEIGHTS", str(tmp_path))
    assert Networked().model_checkpoint == tmp_path / "vitpose_huge_wholebody.pth"
    (tmp_path / "vitpose_base_wholebody.pth").touch()
    assert Networked().model_checkpoint == tmp_path / "vitpose_base_wholebody.pth"
