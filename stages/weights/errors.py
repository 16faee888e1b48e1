"""The one error about weights, and how it names files and keys within one line."""

from pathlib import Path

LONGEST_LINE = 199
LONGEST_PATH = 46
LONGEST_KEY = 78
"""Of a tensor; with the rest of a message a line stays under 200 characters."""
LONGEST_OF_TWO = 38
"""Of a tensor, where a message names two."""


class WeightsError(Exception):
    """Weights are missing, damaged or not to be had. One line: what is wrong; what to do."""


def shown(path: Path | str) -> str:
    """A path; of a long one the end, which has the name."""
    text = str(path)
    return text if len(text) <= LONGEST_PATH else "…" + text[-LONGEST_PATH + 1 :]


def shown_key(key: object, longest: int = LONGEST_KEY) -> str:
    """The name of a tensor; of a long one both ends: the first has the part, the last the kind."""
    text, half = " ".join(str(key).split()), longest // 2
    return text if len(text) <= longest else f"{text[: half - 1]}…{text[-half:]}"


def shown_text(text: object, longest: int) -> str:
    """What somebody else said, as the part of a line."""
    line = " ".join(str(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
