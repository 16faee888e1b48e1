"""`make weights`: says what it will fetch and under which licences, brings, checks, packs it."""

import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click

from stages.weights.bring import PARTIAL, bring, fault
from stages.weights.bundle import read_bundle, write_bundle
from stages.weights.download import size_text
from stages.weights.errors import WeightsError
from stages.weights.locate import FOLDER_VARIABLE, ROOT, fetched
from stages.weights.manifest import MANIFEST, Checkpoint, read_manifest
from stages.weights.remedy import command

REPORT_S = 10.0
"""Between two lines on how far a download is, where no terminal can be written over."""


class Progress:
    """Says how far a download is: over and over in one line on a terminal, else now and then."""

    def __init__(self, name: str) -> None:
        self.name, self.last, self.is_terminal = name, time.monotonic(), sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last < (0.5 if self.is_terminal else REPORT_S):
            return
        self.last = now
        share = f" of {size_text(total)}, {100 * done / total:.0f} %" if total else ""
        end = "  \r" if self.is_terminal else "\n"
        click.echo(f"{self.name}: {size_text(done)}{share}{end}", nl=False, err=True)


def words(text: str) -> list[str]:
    """Words, with commas or blanks between them."""
    return text.replace(",", " ").split()


@click.command()
@click.argument("keys", nargs=-1)
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of weights; without it data/weights of the repository, and with --check the one"
    f" that {FOLDER_VARIABLE} names, if it has them.",
)
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=MANIFEST,
    help="Another list of weights; what it does not know of them is noted in a file beside it.",
)
@click.option("--check", is_flag=True, help="Bring nothing; exit code 1 if a file is not whole.")
@click.option("--accept-licenses", default="", help="Names of non-commercial licences, accepted.")
@click.option("--commercial", is_flag=True, help="Only what allows commercial use.")
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    help="An archive of all that is here; if there is one, it is read in.",
)
def main(
    keys: tuple[str, ...],
    root: Path | None,
    manifest: Path,
    check: bool,
    accept_licenses: str,
    commercial: bool,
    bundle: Path | None,
) -> None:
    """Bring the weights of these KEYS of the manifest, without any those of the official stages;
    what is there already stays.
    """
    try:
        known = read_manifest(manifest)
        if unknown := [key for key in keys if key not in known]:
            raise click.UsageError(f"no weights {unknown[0]!r}; there are {', '.join(known)}")
        accepted = _accepted(accept_licenses, known.values())
        if check:
            whole = _check(keys, root, manifest)
        elif bundle is not None and bundle.exists():
            whole = _read(bundle, root or ROOT, manifest)
        else:
            named = [known[key] for key in keys] or [c for c in known.values() if c.default]
            whole = _bring(named, root or ROOT, manifest, accepted, commercial)
            if bundle is not None:
                _write(bundle, root or ROOT, manifest, commercial)
    except WeightsError as error:
        raise click.ClickException(str(error)) from None
    if not whole:
        raise SystemExit(1)


def _accepted(text: str, known: Iterable[Checkpoint]) -> list[str]:
    """The names of licences that are accepted, all of them known."""
    licences = sorted({each.accept for each in known if each.accept})
    accepted = words(text)
    if wrong := [each for each in accepted if each not in licences]:
        raise click.UsageError(f"no licence {wrong[0]!r} to accept; there are {' '.join(licences)}")
    return accepted


def _bring(
    named: list[Checkpoint], root: Path, manifest: Path, accepted: Iterable[str], commercial: bool
) -> bool:
    """Says what is to come, then brings it. Returns whether nothing failed."""
    wanted = []
    for checkpoint in named:
        what = (
            f"{checkpoint.key}: {checkpoint.title}; {_size(checkpoint)}; "
            f"code {checkpoint.code}, weights {checkpoint.weights}"
        )
        state = _state(checkpoint, root, manifest, accepted, commercial)
        how = "to be placed by hand" if checkpoint.content else "to be fetched"
        click.echo(f"{what}: {state or how}")
        if not state:
            wanted.append(checkpoint)
    by_hand = [c for c in wanted if c.content]
    if coming := [c for c in wanted if c not in by_hand]:
        place = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
        free = size_text(shutil.disk_usage(place).free)
        click.echo(f"to be fetched: {_sizes(coming, root)} into {root}, {free} free there")
    failed = []
    for checkpoint in sorted(wanted, key=lambda each: each in by_hand):
        try:
            new = bring(checkpoint, root, Progress(checkpoint.key), manifest)
        except WeightsError as error:
            if checkpoint not in by_hand:
                failed.append(str(error))
            click.echo(f"{'by hand' if checkpoint in by_hand else 'failed'}: {error}")
            continue
        state = "written to" if new else "there already, whole, in"
        click.echo(f"{checkpoint.key}: {state} {root / checkpoint.folder}")
    if failed:
        click.echo(f"not brought: {'; '.join(failed)}: run again, what has come is kept", err=True)
    return not failed


def _state(
    checkpoint: Checkpoint, root: Path, manifest: Path, accepted: Iterable[str], commercial: bool
) -> str:
    """Why a checkpoint is not to be fetched; empty if it is."""
    if commercial and checkpoint.accept:
        return "left out, it forbids commercial use"
    if not fault(checkpoint, root):
        bring(checkpoint, root, manifest=manifest)  # Notes checksums that nobody knew before.
        return f"there already, whole, in {root / checkpoint.folder}"
    if checkpoint.accept and not checkpoint.content and checkpoint.accept not in accepted:
        return f"left out, ACCEPT_LICENSES={checkpoint.accept} says that you accept its licence"
    return ""


def _check(keys: tuple[str, ...], root: Path | None, manifest: Path) -> bool:
    """Checks those that are named, else all that are here. Returns whether they are whole."""
    whole = True
    for key, checkpoint in read_manifest(manifest).items():
        folder = root / checkpoint.folder if root else fetched(key)
        is_here = any((folder / file.name).exists() for file in checkpoint.files)
        if keys and key not in keys:
            continue
        brings = command(checkpoint, root or ROOT)
        if not keys and not is_here:
            click.echo(f"{key}: not here; `{brings}`")
            continue
        wrong = fault(checkpoint, root) if root else checkpoint.fault(folder)
        unknown = "" if all(f.sha256 for f in checkpoint.files) else ", without a known checksum"
        click.echo(f"{wrong}: `{brings}`" if wrong else f"{key}: whole{unknown}, in {folder}")
        whole = whole and not wrong
    return whole


def _read(bundle: Path, root: Path, manifest: Path) -> bool:
    places = read_bundle(bundle, root, manifest)
    click.echo(f"{bundle} is there and was read in, for it to be made anew remove it:")
    for place in places:
        click.echo(f"  {root / place}")
    return True


def _write(bundle: Path, root: Path, manifest: Path, commercial: bool) -> None:
    here = [
        checkpoint
        for checkpoint in read_manifest(manifest).values()
        if not (commercial and checkpoint.accept) and not fault(checkpoint, root)
    ]
    if not here:
        raise WeightsError(f"{root} has no weights to put into {bundle}")
    places = write_bundle(bundle, here, root)
    size = size_text(bundle.stat().st_size)
    click.echo(f"{bundle}: {size}, {len(places)} files of {', '.join(c.key for c in here)}")


def _size(checkpoint: Checkpoint) -> str:
    """Of all files of a checkpoint, as far as anybody knows."""
    if not checkpoint.size:
        return "size unknown"
    about = "" if all(file.size for file in checkpoint.files) else "about "
    return about + size_text(checkpoint.size)


def _sizes(coming: list[Checkpoint], root: Path) -> str:
    """Of what an earlier run has not brought yet."""
    rest = size_text(sum(max(each.size - _held(each, root), 0) for each in coming))
    about = "" if all(file.size for each in coming for file in each.files) else "about "
    unknown = [each.key for each in coming if not each.size]
    return f"{about}{rest}" + (f" and {', '.join(unknown)}" if unknown else "")


def _held(checkpoint: Checkpoint, root: Path) -> int:
    """Bytes of it that an earlier run has brought, of the source that it got furthest with."""
    sources = (root / PARTIAL / checkpoint.key).glob("*")
    return max(
        (
            sum(part.stat().st_size for part in source.glob("*"))
            for source in sources
            if source.is_dir()
        ),
        default=0,
    )


if __name__ == "__main__":
    main()
