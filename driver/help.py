"""What `make help` prints: targets with their words in the Makefile, stages and variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from driver.settings import Settings
from stages import catalogue


def help_lines(makefile: Path) -> Iterator[str]:
    yield "make TARGET [VARIABLE=value ...]"
    yield ""
    for name, text in re.findall(r"^([a-z-]+):.*## (.*)$", makefile.read_text(), re.MULTILINE):
        yield f"  {name:<20} {text}"
    yield ""
    yield "Stages, one at a time:"
    for stage in catalogue.STAGES:
        yield f"  {stage.name:<20} {stage.help}"
    yield ""
    yield "Variables:"
    for each in fields(Settings):
        if each.metadata:
            shown = f"{each.name.upper()}={each.metadata['default']}"
            yield f"  {shown:<20} {each.metadata['help']}"
