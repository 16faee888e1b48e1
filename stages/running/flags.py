"""Fields of stages that are flags of their command: declared once, as a field.

From the declaration come the flag, its help, its default, and whether its value is recorded as one
that results depend on.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

import click

METADATA_KEY = "flag"


@dataclass(frozen=True)
class Flag:
    """help: for somebody who has never seen the original. Flags are named after their fields.

    changes_results: another value makes finished results stale.
    kind: of click; that of the field's type if None.
    """

    help: str
    name: str = ""
    kind: Any = None
    changes_results: bool = True
    shown_default: str | bool = True
    variable: str = ""
    """Environment variable that sets it."""
    is_output: bool = False
    """The folder that results go to."""
    is_model: bool = False
    """A file of a model that is in use whatever the video: weights, a body, a robot."""
    set_by: str = ""
    """Environment variable that decides its default."""


def flag(
    default: Any,
    text: str,
    *,
    name: str = "",
    kind: Any = None,
    changes_results: bool = True,
    shown_default: str | bool = True,
    variable: str = "",
) -> Any:
    """A field that is a flag."""
    about = Flag(text, name, kind, changes_results, shown_default, variable)
    return field(default=default, metadata={METADATA_KEY: about})


def folder(below: str, text: str, *, name: str = "", is_output: bool = False) -> Any:
    """A field that is a flag for a folder; its default lies in the data folder."""
    about = Flag(
        text,
        name,
        kind=click.Path(file_okay=False, path_type=Path),
        changes_results=False,
        shown_default=f"$MIMICMILL_DATA/{below}",
        is_output=is_output,
    )
    return field(default_factory=lambda: data_folder() / below, metadata={METADATA_KEY: about})


def model_file(
    default: Callable[[], Path | None],
    text: str,
    *,
    shown_default: str,
    name: str = "",
    variable: str = "",
    set_by: str = "",
) -> Any:
    """A field that is a flag for a file or folder of a model: what counts is its content."""
    about = Flag(
        text,
        name,
        click.Path(path_type=Path),
        changes_results=False,
        shown_default=shown_default,
        variable=variable,
        is_model=True,
        set_by=set_by,
    )
    return field(default_factory=default, metadata={METADATA_KEY: about})


def data_folder() -> Path:
    """`MIMICMILL_DATA`, else `data/demo` below the working directory."""
    return Path(os.environ.get("MIMICMILL_DATA") or "data/demo")


def flags_of(declaration: Any) -> list[tuple[Field, Flag]]:
    """The fields of a dataclass, or of an instance, that are flags; those of bases last."""
    declared = [each for each in fields(declaration) if METADATA_KEY in each.metadata]
    kind = declaration if isinstance(declaration, type) else type(declaration)
    inherited = {each.name for base in kind.__mro__[1:] for each in _own_fields(base)}
    declared.sort(key=lambda each: each.name in inherited)
    return [(each, each.metadata[METADATA_KEY]) for each in declared]


def options_of(declaration: type) -> Sequence[click.Option]:
    """The flags of a dataclass as options of click."""
    types = get_type_hints(declaration)
    return [_option(each, about, types[each.name]) for each, about in flags_of(declaration)]


def _own_fields(base: type) -> list[Field]:
    return list(base.__dict__.get("__dataclass_fields__", {}).values())


def _option(each: Field, about: Flag, annotated: Any) -> click.Option:
    dashed = each.name.replace("_", "-")
    switch = annotated is bool
    name = about.name or (f"--{dashed}/--no-{dashed}" if switch else f"--{dashed}")
    kind = about.kind
    if kind is None and not switch:
        kind = next(
            one for one in (float, int, str) if one is annotated or one in _parts(annotated)
        )
    return click.Option(
        [name, each.name],
        type=kind,
        is_flag=switch or None,
        default=each.default if each.default is not MISSING else each.default_factory,
        show_default=about.shown_default,
        envvar=about.variable or None,
        help=about.help,
    )


def _parts(annotated: Any) -> tuple[Any, ...]:
    return getattr(annotated, "__args__", ())
