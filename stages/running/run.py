"""The run of a stage: models load once, videos follow one another, none stops the others.

On several cores without a GPU a few such runs go side by side and share the videos out.
"""

import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from stages.artifacts import layout
from stages.running import ledger, machine
from stages.running.failures import is_expected, one_line
from stages.running.ledger import Entry
from stages.running.listing import listing
from stages.running.locking import LockedError, held
from stages.running.resume import Resume, lock_path, unfinished
from stages.running.selection import Selection, SelectionError, choose
from stages.running.stage import Stage, VideoError
from stages.running.workers import Lost, Team, usual_number

USAGE, INTERRUPTED = 2, 130


def run(
    stage: Stage,
    names: list[str],
    selection: Selection,
    where: Path,
    skip_existing: bool = True,
    workers: int = 1,
    console: Console | None = None,
) -> int:
    """Runs a stage over the chosen videos and returns the exit code.

    Args:
        names: every video there is.
        where: the folder that the names come from.
        workers: how many videos are processed side by side; 0 for as many as the machine allows.
            More than one are forks: the process must not have computed anything with JAX or torch
            before, whose threads do not survive a fork.

    Returns:
        0 if every video is done or skipped, 1 if one failed, 2 if none matches, 130 if
        interrupted.
    """
    console = console or Console(stderr=False, soft_wrap=True, highlight=False, markup=False)
    if selection.list_only:
        for line in listing(stage, names, selection, where, skip_existing):
            print(line, flush=True)
        return 0
    try:
        videos = choose(names, selection, where)
    except SelectionError as error:
        console.print(f"{stage.name}: {error}")
        return USAGE
    if workers > 1 and machine.has_gpu():
        console.print(f"{stage.name}: a GPU has room for one set of models; use --workers 1")
        return USAGE
    if stage.notice():
        console.print(f"{stage.name}: {stage.notice()}")
    data_folder = stage.output_base_dir.parent
    try:
        stage.output_base_dir.mkdir(parents=True, exist_ok=True)
        ledger_probe = data_folder / layout.LEDGER
        ledger_probe.touch()
    except OSError as error:
        console.print(f"{stage.name}: {one_line(error)}")
        return 1
    workers = min(workers or usual_number(len(videos)), len(videos))
    run_ = _Run(stage, videos, skip_existing, workers, console, data_folder)
    entries = run_.entries()
    _print_table(console, stage, entries)
    outcomes = {entry.outcome for entry in entries}
    if run_.interrupted:
        return INTERRUPTED
    return 1 if "failed" in outcomes else 0


class _Run:
    """State of one run: what is loaded, and the videos' outcomes."""

    def __init__(
        self,
        stage: Stage,
        videos: list[str],
        skip: bool,
        workers: int,
        console: Console,
        data_folder: Path,
    ) -> None:
        self.stage, self.skip, self.workers = stage, skip, workers
        self.console, self.data_folder = console, data_folder
        self.videos = sorted(videos, key=lambda video: (stage.bucket(video), video))
        self.resume = Resume(stage)
        self.loaded = False
        self.load_failure: Exception | None = None
        self.say: Callable[[str], None] = console.print
        self.interrupted = False

    def entries(self) -> list[Entry]:
        """Processes all videos; entries in the order in which they end."""
        entries: list[Entry] = []
        with _progress(self.console, self.stage.name, len(self.videos)) as advance:
            for entry in self._side_by_side() if self.workers > 1 else self._in_turn():
                entries.append(entry)
                advance()
                self.console.print(
                    f"{self.stage.name} [{len(entries)}/{len(self.videos)}] {entry.video}: "
                    f"{entry.outcome} in {entry.seconds:.1f} s"
                    + (f": {entry.reason}" if entry.reason else "")
                )
        return entries

    def _in_turn(self) -> Iterator[Entry]:
        for video in self.videos:
            with _handling(_stop, signal.SIGTERM):
                entry = self._one(video)
            self.interrupted = entry.outcome == "interrupted"
            yield entry
            if self.interrupted:
                break

    def _side_by_side(self) -> Iterator[Entry]:
        team = Team(self._in_a_worker, self.workers)
        with _handling(team.interrupt, signal.SIGINT, signal.SIGTERM):
            for item in team.run(self.videos):
                if isinstance(item, str):
                    self.console.print(item)
                else:
                    yield self._of_a_lost_one(item) if isinstance(item, Lost) else item
        self.interrupted = team.interrupted

    def _in_a_worker(self, video: str, say: Callable[[str], None]) -> Entry:
        self.say = say
        with _handling(_stop, signal.SIGTERM):
            return self._one(video)

    def _of_a_lost_one(self, lost: Lost) -> Entry:
        reason = (
            f"its process was killed ({lost.cause}), perhaps for want of memory; "
            "run again, with --workers 1 if that was it"
            if lost.cause == "SIGKILL"
            else f"its process ended ({lost.cause}), its last words are above; run again"
        )
        return self._write_down(lost.video, "failed", reason, 0.0, ledger.now())

    def _one(self, video: str) -> Entry:
        started, clock = ledger.now(), time.monotonic()
        machine.reset_peak_memory()
        details: dict = {}
        try:
            outcome, reason = self._process(video)
            if outcome == "done":
                details = self.stage.run_details()
        except KeyboardInterrupt:
            outcome, reason = "interrupted", "stopped; run again to go on from here"
        except Exception as error:
            outcome, reason = "failed", one_line(error)
            if not is_expected(error):
                reason += self._log(video, error)
        seconds = time.monotonic() - clock
        return self._write_down(video, outcome, reason, seconds, started, details)

    def _write_down(
        self,
        video: str,
        outcome: str,
        reason: str,
        seconds: float,
        started: str,
        details: dict | None = None,
    ) -> Entry:
        entry = Entry(
            stage=self.stage.name,
            video=video,
            outcome=outcome,
            reason=reason,
            seconds=round(seconds, 3),
            peak_memory_mb=round(machine.peak_memory_mb(), 1),
            started=started,
            command=shlex.join(sys.argv),
            device=machine.device(),
            versions=machine.versions(),
            weights_sha256=self._weights_sha256(),
            details=details or {},
        )
        try:
            ledger.append(self.data_folder, entry)
        except OSError as error:
            self.say(f"{self.stage.name}: ledger not written: {one_line(error)}")
        return entry

    def _process(self, video: str) -> tuple[str, str]:
        stage = self.stage
        for item in stage.inputs(video):
            if not item.path.exists():
                if not item.required:
                    continue
                raise VideoError(f"{item.path} is missing; run {item.made_by} first")
            if half := unfinished(self.data_folder, item, video):
                raise VideoError(f"{half} has not finished {item.path}; run it again first")
        owner = f"process {os.getpid()} on {socket.gethostname()} since {ledger.now()}"
        try:
            with held(lock_path(stage, video), owner):
                return self._process_alone(video)
        except LockedError as other:
            raise VideoError(
                f"{stage.name} is at work on {video} already ({other}); "
                "run again when that has ended"
            ) from other

    def _process_alone(self, video: str) -> tuple[str, str]:
        stage = self.stage
        if self.skip:
            state = self.resume.state(video)
            if state.skip:
                return "skipped", state.reason
            if state.reason:
                self.say(f"{stage.name} {video}: again, because {state.reason}")
        self._load()
        begun = self.resume.begin(video)
        note = stage.process(video)
        self.resume.finish(video, begun)
        return "done", note

    def _load(self) -> None:
        if self.load_failure is not None:
            raise self.load_failure
        if not self.loaded:
            try:
                self.stage.load()
            except Exception as error:
                self.load_failure = error
                raise
            self.loaded = True

    def _log(self, video: str, error: Exception) -> str:
        try:
            return f" ({ledger.log_failure(self.data_folder, self.stage.name, video, error)})"
        except OSError as log_error:
            return f" (no log: {one_line(log_error)})"

    def _weights_sha256(self) -> dict[str, str]:
        if not self.loaded:
            return {}
        return {file: print_.digest for file, print_ in self.resume.weights().items()}


@contextmanager
def _progress(console: Console, name: str, total: int) -> Iterator:
    """A bar with the time left on a terminal; nothing elsewhere, where each video has a line."""
    if not console.is_terminal:
        yield lambda: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=total)
        yield lambda: progress.advance(task)


def _stop(_signal: int, _frame: object) -> None:
    """A polite kill ends a video as Ctrl-C does: the ledger gets its line."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # A second one would end the ending.
    raise KeyboardInterrupt


@contextmanager
def _handling(handler: Callable[[int, object], None], *kinds: signal.Signals) -> Iterator[None]:
    try:
        previous = {kind: signal.signal(kind, handler) for kind in kinds}
    except ValueError:  # Only the main thread may set handlers.
        yield
        return
    try:
        yield
    finally:
        for kind, before in previous.items():
            signal.signal(kind, before)


def _print_table(console: Console, stage: Stage, entries: list[Entry]) -> None:
    table = Table(title=stage.name, title_justify="left")
    for header in ("video", "outcome", "seconds", "peak MB"):
        table.add_column(header, justify="left" if header in ("video", "outcome") else "right")
    for entry in entries:
        memory = f"{entry.peak_memory_mb:.0f}"
        table.add_row(entry.video, entry.outcome, f"{entry.seconds:.1f}", memory)
    console.print(table)
