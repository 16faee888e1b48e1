"""`python -m driver VERB`: what make calls, with its variables in the environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from driver import chain, people, processes, setup, worlds
from driver.checks import runners
from driver.checks.check import require
from driver.commands import VERDICTS, environment, image, reader_command
from driver.doctor import doctor, require_all
from driver.help import help_lines
from driver.images import build, make_sif_files
from driver.settings import WEIGHTS, Settings, UsageError, read
from driver.slurm import submit
from driver.status import status
from driver.videos import choose
from stages import catalogue
from stages.artifacts import layout
from stages.catalogue import Entry

INTERRUPTED = 130
OF_MAKE = ("MAKEFLAGS", "GNUMAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS")
"""What a make that is started by what make starts must not take over."""


def main(arguments: list[str]) -> int:
    """Exit code: 0 all well, 1 a video failed, 2 wrong usage, 130 interrupted; of a killed stage
    that of its signal.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # Both are text.
    verb, *rest = arguments or ["help"]
    try:
        if verb not in VERBS:
            raise UsageError(f"no verb {verb!r}; there are: {' '.join(VERBS)}")
        return VERBS[verb](read(os.environ), rest)
    except UsageError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # Whoever read what was printed has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _help(_settings: Settings, _rest: list[str]) -> int:
    print("\n".join(help_lines(Path("Makefile"))))
    return 0


def _doctor(settings: Settings, _rest: list[str]) -> int:
    settings = _decided(settings)
    stages = _chain(settings)
    return doctor(_with_runner(settings, stages), stages)


def _decided(settings: Settings, rendered: bool = False) -> Settings:
    """With the methods and the body that are taken where nobody names them."""
    return worlds.decided(people.decided(settings, rendered))


def _setup(settings: Settings, _rest: list[str]) -> int:
    setup.set_up(settings)
    setup.bring_weights(settings)
    return 0


def _weights(settings: Settings, rest: list[str]) -> int:
    """Fetches or checks checkpoints, in WEIGHTS if it is set."""
    setup.set_up(settings)
    command = [*setup.fetch_command(settings), *rest, *settings.checkpoints]
    command += ["--root", str(settings.weights or WEIGHTS)]
    if settings.accept_licenses and not rest:
        command += ["--accept-licenses", " ".join(settings.accept_licenses)]
    if settings.commercial and not rest:
        command.append("--commercial")
    if settings.bundle and not rest:
        command += ["--bundle", str(settings.bundle)]
    return _shown_or_run(settings, command)


def _images(settings: Settings, _rest: list[str]) -> int:
    return build(settings, _with_images(settings))


def _sif(settings: Settings, _rest: list[str]) -> int:
    return make_sif_files(settings, _with_images(settings))


def _dataset(settings: Settings, _rest: list[str]) -> int:
    settings = _decided(settings)
    return _run(settings, _chain(settings), is_whole=True)


def _stage(settings: Settings, rest: list[str]) -> int:
    stages = [_entry(name) for name in rest]
    for stage in stages:
        settings = replace(settings, people=stage.people or settings.people)
    return _run(_decided(settings), stages)


def _status(settings: Settings, _rest: list[str]) -> int:
    settings = _decided(settings)
    return status(settings, _chain(settings))


def _venv(settings: Settings, rest: list[str]) -> int:
    """Runs a command of the virtual environment, with ARGS."""
    setup.set_up(settings)
    program, *flags = rest
    if program == "pytest":
        try:
            setup.bring_weights(settings)
        except setup.SetupError as error:  # Tests that need them are left out.
            print(error, flush=True)
    return _shown_or_run(settings, [str(settings.bin / program), *flags, *settings.args])


def _shown_or_run(settings: Settings, command: list[str]) -> int:
    """Runs a command of the virtual environment; under `make -n` shows it."""
    if settings.dry_run:
        processes.show(command)
        return 0
    inherited = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    return processes.run(command, {**inherited, **environment(settings)})


def _evaluate(settings: Settings, then: list[str]) -> int:
    """Compares results with ground truth, or does another thing; first renders and processes the
    scenes of SEEDS.
    """
    flags, settings = settings.args, replace(settings, args=())
    if settings.seeds:
        settings = replace(settings, data=settings.data.resolve().parent / "evaluation")
        seeds = ["-m", "tools.footage.seeds", settings.seeds, "--out", str(settings.data)]
        if code := _venv(settings, ["python", *seeds]):
            return code
        settings = _decided(settings, rendered=True)
        if (code := _run(settings, _chain(settings))) > 1:
            return code
    compare = replace(settings, args=flags)
    command = then or ["evaluation", *["--curated"] * settings.curated]
    return _venv(compare, [*command, "--data-dir", str(settings.data)])


def _report(settings: Settings, _rest: list[str]) -> int:
    if code := _read(replace(settings, args=()), VERDICTS, []):
        return code
    return _read(settings, "report", ["--pattern", settings.pattern] if settings.pattern else [])


def _export(settings: Settings, _rest: list[str]) -> int:
    flags = [part for name in settings.format for part in ("--format", name)]
    flags += ["--pattern", settings.pattern] if settings.pattern else []
    flags += ["--robot", settings.robot] if settings.robot else []
    flags += ["--world", settings.world] if settings.world != catalogue.AUTO else []
    return _read(settings, "exporter", [*flags, *["--curated"] * settings.curated])


def _retarget(settings: Settings, _rest: list[str]) -> int:
    """Takes motions of other sources in, then makes them the robot's; ARGS are of the first."""
    if len(settings.format) != 1 or not settings.motions:
        raise UsageError("name the motions and what they are: MOTIONS=walk.npz FORMAT=smpl")
    mesh = ["--mesh", str(settings.mesh)] if settings.mesh else []
    flags = ["--format", *settings.format, *mesh]
    local = replace(settings, runner="local")
    taken = _read(local, "importer", [*flags, *settings.motions])
    if taken > 1:
        return taken
    return max(taken, _read(replace(local, args=()), "stage4-retarget", []))


def _viewer(settings: Settings, _rest: list[str]) -> int:
    return _read(settings, "viewer", ["--pattern", settings.pattern] if settings.pattern else [])


def _read(settings: Settings, name: str, flags: list[str]) -> int:
    """Runs a reader on the data folder, with ARGS: by the virtual environment, or as RUNNER says
    in its image. A cluster's login node needs no job for it.
    """
    if settings.runner == "slurm":
        settings = replace(settings, runner="apptainer")
    if settings.runner in ("", "local"):
        settings = replace(settings, runner="local")
        setup.set_up(settings)
    elif not settings.dry_run:
        require(runners.needs(settings, [name]))
    command = reader_command(settings, name, flags)
    if settings.dry_run:
        processes.show(command)
        return 0
    return processes.run(command)


VERBS: dict[str, Callable[[Settings, list[str]], int]] = {
    "help": _help,
    "doctor": _doctor,
    "setup": _setup,
    "weights": _weights,
    "images": _images,
    "sif": _sif,
    "dataset": _dataset,
    "stage": _stage,
    "status": _status,
    "evaluate": _evaluate,
    "report": _report,
    "viewer": _viewer,
    "export": _export,
    "retarget": _retarget,
    "venv": _venv,
}


def _run(settings: Settings, stages: list[Entry], is_whole: bool = False) -> int:
    """Runs or submits stages on the chosen videos; of a whole chain the results are judged."""
    settings = _with_runner(settings, stages)
    if settings.dry_run:
        show = submit.show_submission if settings.runner == "slurm" else chain.show_chain
        return show(settings, stages)
    chosen = choose(settings)
    for note in chosen.notes:
        print(note)
    for name, reason in chosen.refused.items():
        print(f"failed: {name}: {reason}")
    if not chosen.names:
        return 1
    if chosen.only_frames:
        stages = [stage for stage in stages if layout.IMAGES not in stage.makes]
    if settings.runner == "local":
        setup.set_up(settings)
        if any(stage.people == catalogue.BLAZEPOSE for stage in stages):
            setup.bring_weights(settings)
    chain.write_choice(settings, stages)
    require_all(settings, stages)
    process = submit.submit_missing if settings.runner == "slurm" else chain.run_chain
    code = process(settings, stages, chosen)
    if is_whole and code <= 1 and settings.runner != "slurm":
        chain.judge(settings, chosen)
    return code


def _with_runner(settings: Settings, stages: list[Entry]) -> Settings:
    """Settings with the runner that is asked for, else Docker where all images are, else local; it
    is printed.
    """
    runner, why = settings.runner, ""
    if not runner:
        has_docker = shutil.which("docker") is not None
        there = runners.engine_has() if has_docker else set()
        has_images = all(image(settings, stage.name) in there for stage in stages)
        runner = "docker" if has_images else "local"
        why = ", for its images are here" if has_images else ", for no Docker engine has the images"
    method = f"PEOPLE={settings.people}{settings.people_why}"
    body = f"; BODY={settings.body}{settings.body_why}" if settings.body_why else ""
    print(
        f"RUNNER={runner}{why}; {method}; WORLD={settings.world}{settings.world_why}{body}",
        flush=True,
    )
    return replace(settings, runner=runner)


def _chain(settings: Settings) -> list[Entry]:
    return list(catalogue.chain(settings.people, settings.world))


def _with_images(settings: Settings) -> list[str]:
    """The stages and readers that STAGES names, else all that have images."""
    for name in settings.stages:
        if name not in catalogue.IMAGES:
            _entry(name)
    return list(settings.stages or catalogue.IMAGES)


def _entry(name: str) -> Entry:
    try:
        return catalogue.entry_of(name)
    except KeyError as error:
        raise UsageError(error.args[0]) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
