"""The run of a stage: models load once, videos follow one another, none stops the others.

On several GPUs or cores a few such runs go side by side and share the videos out.
"""

import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from stages import catalogue
from stages.artifacts import layout
from stages.running import ledger, machine
from stages.running.failures import is_expected, one_line, shown
from stages.running.fingerprints import files_in
from stages.running.ledger import Entry
from stages.running.listing import listing
from stages.running.locking import LockedError, held
from stages.running.options import RunOptions
from stages.running.resume import Resume
from stages.running.selection import SelectionError, choose
from stages.running.stage import DeclinedError, Processed, Stage, VideoError, check_inputs
from stages.running.stamps import unfinished
from stages.running.workers import KilledWorker, WorkerPool, Workers, plan

USAGE, INTERRUPTED = 2, 130


def run(stage: Stage, options: RunOptions, console: Console | None = None) -> int:
    """Runs a stage over the chosen videos and returns the exit code.

    Several workers are forks: the process must not have computed anything with JAX or torch
    before, whose threads do not survive a fork.

    Returns:
        0 if every video is done or skipped, 1 if one failed, 2 if none matches, 130 if
        interrupted.
    """
    # What `--list` prints is read by programs: all else that there is to say goes beside it.
    console = console or Console(
        stderr=options.list_only, soft_wrap=True, highlight=False, markup=False
    )
    say = _saying(console)
    present = stage.videos()
    passed_over = stage.passed_over() if options.names is None else {}
    for name, reason in passed_over.items():
        say(f"{stage.name}: {name} is left out: {reason}")
    try:
        chosen = choose(present, stage.refused(), options, stage.videos_folder)
        workers = _workers(stage, options, len(chosen.videos))
    except (SelectionError, ValueError) as error:
        say(f"{stage.name}: {error}")
        return USAGE
    for name, reason in chosen.refused.items():
        say(f"{stage.name}: {name} is left out: {reason}")
    for name in chosen.unknown:
        say(f"{stage.name}: there is no video {name!r} in {stage.videos_folder}")
    if options.list_only:
        for line in listing(stage, chosen.videos, options.skip_existing):
            print(line, flush=True)
        return 1 if chosen.unknown or chosen.refused else 0
    gone = sorted(set(stage.videos_with_input()) - set(present))
    if gone and options.names is None:
        say(f"{stage.name}: {', '.join(gone)} left as is: no longer in {stage.videos_folder}")
    if stage.notice():
        say(f"{stage.name}: {stage.notice()}")
    data_folder = stage.data_folder
    try:
        stage.output_base_dir.mkdir(parents=True, exist_ok=True)
        (data_folder / layout.LEDGER).touch()
    except OSError as error:
        say(f"{stage.name}: {one_line(error)}")
        return 1
    run_ = _Run(stage, chosen.videos, options.skip_existing, workers, console)
    entries = run_.entries()
    _print_table(console, stage, entries)
    if run_.interrupted:
        return INTERRUPTED
    wrong = chosen.refused or chosen.unknown
    return 1 if wrong or any(entry.outcome == "failed" for entry in entries) else 0


def _workers(stage: Stage, options: RunOptions, videos: int) -> Workers:
    entry = stage.entry()
    weights = sum(
        file.stat().st_size for path in stage.models().values() for file in files_in(path)
    )
    need_mb = entry.memory_mb + catalogue.WEIGHTS_IN_MEMORY * weights / 2**20
    return plan(max(1, videos), options.workers, entry.gpu, options.gpus, need_mb)


class _Run:
    """State of one run: what is loaded, and the videos' outcomes."""

    def __init__(
        self,
        stage: Stage,
        videos: list[str],
        skip: bool,
        workers: Workers,
        console: Console,
    ) -> None:
        self.stage, self.skip, self.workers = stage, skip, workers
        self.console, self.data_folder = console, stage.data_folder
        self.videos = sorted(videos, key=lambda video: (stage.bucket(video), video))
        self.resume = Resume(stage)
        self.loaded = False
        self.load_failure: Exception | None = None
        self.say = _saying(console)
        self.interrupted = False

    def entries(self) -> list[Entry]:
        """Processes all videos; entries in the order in which they end."""
        entries: list[Entry] = []
        with _progress(self.console, self.stage.name, len(self.videos)) as advance:
            several = self.workers.number > 1
            for entry in self._side_by_side() if several else self._in_turn(self.videos):
                entries.append(entry)
                advance()
                self.say(
                    f"{self.stage.name} [{len(entries)}/{len(self.videos)}] {entry.video}: "
                    f"{entry.outcome} in {entry.seconds:.1f} s"
                    + (f": {entry.reason}" if entry.reason else "")
                )
        return entries

    def _in_turn(self, videos: Iterable[str]) -> Iterator[Entry]:
        for video in videos:
            with _handling(_stop, signal.SIGTERM):
                entry = self._one(video)
            self.interrupted = entry.outcome == "interrupted"
            yield entry
            if self.interrupted:
                break

    def _side_by_side(self) -> Iterator[Entry]:
        pool = WorkerPool(self._in_a_worker, self.workers)
        with _handling(pool.interrupt, signal.SIGINT, signal.SIGTERM):
            for item in pool.run(self.videos):
                if isinstance(item, str):
                    self.say(item)
                else:
                    yield self._of_a_killed_one(item) if isinstance(item, KilledWorker) else item
        self.interrupted = pool.interrupted
        if not self.interrupted:
            yield from self._in_turn(pool.left)

    def _in_a_worker(self, video: str, say: Callable[[str], None]) -> Entry:
        self.say = say
        with _handling(_stop, signal.SIGTERM):
            return self._one(video)

    def _of_a_killed_one(self, killed: KilledWorker) -> Entry:
        reason = (
            f"its process was killed ({killed.cause}), perhaps out of memory; "
            "run again, with --workers 1 if that was it"
            if killed.cause == "SIGKILL"
            else f"its process ended ({killed.cause}), its last words are above; run again"
        )
        return self._write_down(killed.video, "failed", reason, 0.0, ledger.now())

    def _one(self, video: str) -> Entry:
        started, clock = ledger.now(), time.monotonic()
        machine.reset_peak_memory()
        details: dict = {}
        try:
            outcome, result = self._process(video)
            reason, details = result.note, result.details
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

    def _process(self, video: str) -> tuple[str, Processed]:
        stage = self.stage
        items = stage.inputs(video)
        check_inputs(items)
        variant = stage.variant(video)
        for item in items:
            if half := unfinished(self.data_folder, item.made_by, video, variant):
                raise VideoError(f"{half} has not finished {item.path}; run it again first")
        # What was made of what is being made anew is as old as that.
        earlier = catalogue.earlier(stage.name, variant)
        if half := unfinished(self.data_folder, earlier, video, variant):
            raise VideoError(f"{half} has not finished {video}; run it and what follows it first")
        owner = f"process {os.getpid()} on {socket.gethostname()} since {ledger.now()}"
        try:
            with held(self.resume.path(video).with_suffix(".lock"), owner):
                return self._process_alone(video)
        except LockedError as other:
            raise VideoError(
                f"{stage.name} is at work on {video} already ({other}); "
                "run again when that has ended"
            ) from other

    def _process_alone(self, video: str) -> tuple[str, Processed]:
        stage = self.stage
        if self.skip:
            state = self.resume.state(video)
            if state.refused:
                raise VideoError(f"to be done again, because {state.reason}; {state.refused}")
            if state.skip:
                self._draw(video)
                return "skipped", Processed(state.reason)
            if state.reason:
                self.say(f"{stage.name} {video}: again, because {state.reason}")
        self._load()
        begun = self.resume.begin(video)
        try:
            result = stage.process(video, check_inputs(stage.inputs(video)))
        except DeclinedError as declined:
            self.resume.finish_without(video, begun)
            return "declined", Processed(str(declined))
        if removed := self.resume.finish(video, begun):
            more = f" and {len(removed) - 1} more" if len(removed) > 1 else ""
            self.say(f"{stage.name} {video}: removed {removed[0]}{more}, made before")
        self._draw(video)
        return "done", result

    def _draw(self, video: str) -> None:
        """Pictures, if asked for; without them the results are as good."""
        if not self.stage.vis:
            return
        try:
            self.stage.draw(video, check_inputs(self.stage.inputs(video)))
        except Exception as error:
            where = "" if is_expected(error) else self._log(video, error)
            self.say(f"{self.stage.name} {video}: no pictures: {one_line(error)}{where}")

    def _load(self) -> None:
        if self.load_failure is not None:
            raise self.load_failure
        if not self.loaded:
            try:
                with ThreadPoolExecutor(1) as pool:
                    # What says which files they are reads them to the end, as loading does.
                    read = pool.submit(self.resume.models)
                    self.stage.load()
                read.result()
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
        return {role: print_.sha256 for role, print_ in self.resume.models().items()}


def _saying(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(shown(text))


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
        table.add_row(shown(entry.video), entry.outcome, f"{entry.seconds:.1f}", memory)
    console.print(table)
