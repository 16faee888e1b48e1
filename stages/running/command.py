"""The command of a stage, made from its declaration."""

import os
from dataclasses import fields
from inspect import cleandoc
from typing import Any

import click
from click.core import ParameterSource

from stages.running.flags import flags_of, options_of
from stages.running.options import RunOptions
from stages.running.run import run
from stages.running.stage import Stage, VideoError


def stage_command(declaration: type[Stage]) -> click.Command:
    """A command with the flags of a stage and those that all share."""

    def main(**given: Any) -> None:
        shared = {each.name: given.pop(each.name) for each in fields(RunOptions)}
        context = click.get_current_context()
        try:
            stage = declaration(**given)
        except VideoError as error:
            raise click.UsageError(str(error)) from None
        stage.chosen = frozenset(
            each.name
            for each, about in flags_of(declaration)
            if os.environ.get(about.set_by)
            or context.get_parameter_source(each.name) != ParameterSource.DEFAULT
        )
        raise SystemExit(run(stage, RunOptions(**shared)))

    return click.Command(
        declaration.name,
        params=[*options_of(declaration), *options_of(RunOptions)],
        callback=main,
        help=cleandoc(declaration.__doc__ or ""),
    )
