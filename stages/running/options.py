"""The flags that every stage has, and the data folder that their defaults point into."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stages.running.selection import Selection


def data_folder() -> Path:
    """`MIMICMILL_DATA`, else `data/demo` below the working directory."""
    return Path(os.environ.get("MIMICMILL_DATA") or "data/demo")


def folder_option(flag: str, below: str, text: str) -> Callable:
    """A flag for a folder whose default lies in the data folder.

    Args:
        flag: such as `--video-base-dir`.
        below: the default's place below the data folder.
        text: the flag's help.
    """
    return click.option(
        flag,
        type=click.Path(file_okay=False, path_type=Path),
        default=lambda: data_folder() / below,
        show_default=f"$MIMICMILL_DATA/{below}",
        help=text,
    )


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--pattern --start-idx --end-idx --names --list --skip-existing --workers --vis`.

    The command receives `selection` (Selection), `skip_existing`, `workers` and `vis`.
    """

    def with_selection(
        pattern: str, start_idx: int, end_idx: int, names: Any, list_only: bool, **rest: Any
    ) -> Any:
        named = frozenset(line.strip() for line in names) if names else None
        return command(selection=Selection(pattern, start_idx, end_idx, named, list_only), **rest)

    with_selection.__doc__ = command.__doc__
    with_selection.__name__ = command.__name__
    with_selection.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined] # click keeps the flags of a function there
    for option in (
        click.option("--vis", is_flag=True, help="Also write pictures; numbers stay the same."),
        click.option(
            "--workers",
            type=click.IntRange(min=0),
            default=0,
            envvar="MIMICMILL_WORKERS",
            show_default="$MIMICMILL_WORKERS, else one a core, one in all with a GPU",
            help="Videos side by side, each with models of its own.",
        ),
        click.option(
            "--skip-existing/--no-skip-existing",
            default=True,
            show_default=True,
            help="Skip videos done by the same parameters, inputs and weights.",
        ),
        click.option(
            "--list",
            "list_only",
            is_flag=True,
            help="Process nothing; a line a video: name, length, done or missing, and why.",
        ),
        click.option(
            "--names",
            type=click.File(encoding="utf-8"),
            help="Only videos named in this file, one a line.",
        ),
        click.option(
            "--end-idx",
            default=-1,
            show_default=True,
            help="Stop before this place in the sorted list; -1 for all.",
        ),
        click.option(
            "--start-idx",
            default=0,
            show_default=True,
            help="Begin at this place in the sorted list of matching videos.",
        ),
        click.option(
            "--pattern", default="", help="Only videos whose name contains this, in any case."
        ),
    ):
        with_selection = option(with_selection)
    return with_selection


def people_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--multihuman` and `--top-k`."""
    command = click.option(
        "--top-k",
        default=0,
        show_default=True,
        help="With --multihuman: only the k largest people by average area; 0 for all.",
    )(command)
    return click.option(
        "--multihuman/--no-multihuman",
        default=False,
        show_default=True,
        help="Follow several people, not only the largest.",
    )(command)


DEMO_BODY = Path(__file__).resolve().parents[2] / "data" / "bodies" / "demo_body.npz"


def body_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--body-model`, whose default is `MIMICMILL_BODY`, else the demo's CC0 body."""
    return click.option(
        "--body-model",
        type=click.Path(dir_okay=False, path_type=Path),
        default=lambda: Path(os.environ.get("MIMICMILL_BODY") or DEMO_BODY),
        show_default="$MIMICMILL_BODY, else the demo's CC0 body",
        help="A body in SMPL's file layout: SMPL_MALE.pkl under your own licence, or an .npz.",
    )(command)
