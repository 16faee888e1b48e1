"""What the pages say of checkpoints is what the list says."""

import re
from pathlib import Path

from stages.weights.manifest import read_manifest

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> dict[str, tuple[str, ...]]:
    """The other cells, by each key in the first cell of a row."""
    found: dict[str, tuple[str, ...]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            for key in re.findall("`([^`]+)`", cells[0]):
                assert key not in found, f"{key} is there twice"
                found[key] = tuple(cells[1:])
    return found


def test_the_table_of_licences_is_that_of_the_list() -> None:
    page = (DOCS / "methods.md").read_text()
    assert rows(page) == {
        each.key: (each.code, each.weights, f"`{each.accept}`" if each.accept else "–")
        for each in read_manifest().values()
    }


def test_keys_and_licences_that_the_pages_name_are_known() -> None:
    known = read_manifest()
    licences = {each.accept for each in known.values()}
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        text = page.read_text()
        for keys in re.findall(r'CHECKPOINTS=("[^"]+"|[\w-]+)', text):
            assert set(keys.strip('"').split()) <= set(known), page.name
        for names in re.findall(r'ACCEPT_LICENSES=("[^"]+"|[\w-]+)', text):
            assert set(names.strip('"').split()) <= licences, page.name
