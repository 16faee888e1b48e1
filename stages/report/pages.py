"""Jinja templates of the report: pages that need nothing but themselves and their folder."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).with_name("templates")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def rendered(template: str, **values: Any) -> str:
    """A page of a template."""
    return _environment().get_template(template).render(**values)
