"""Work beside a network: reading ahead of it, starting it early, writing behind it.

Decoding, resizing and writing leave Python's lock alone for most of their time, so threads do.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import cv2

from stages.running.machine import cores

T = TypeVar("T")
R = TypeVar("R")

MOST_THREADS = 16
CALLS_WAITING = 32


def ahead(function: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
    """Results in the items' order, made on threads shortly before they are asked for.

    What the function raises is raised where its result would have come.

    Args:
        most: results that may wait, and so what they take of memory. Of a network two batches:
            while it has one, the next is read.
    """
    threads = min(cores(), MOST_THREADS)
    waiting: deque[Future[R]] = deque()
    todo = iter(items)
    with ThreadPoolExecutor(threads, "ahead", _on_one_core) as pool:
        try:
            for item in islice(todo, max(most, 1)):
                waiting.append(pool.submit(function, item))
            while waiting:
                result = waiting.popleft().result()
                for item in islice(todo, 1):
                    waiting.append(pool.submit(function, item))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


def _on_one_core() -> None:
    """OpenCV's own threads, which are shared by all that call it, would only be waited for."""
    cv2.setNumThreads(1)


def started_early(start: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
    """Every item and what its start gave, one item late.

    On a GPU a start only queues the work: the next batch is computed while the results of this
    one are fetched.
    """
    started: tuple[T, R] | None = None
    for item in items:
        before, started = started, (item, start(item))
        if before is not None:
            yield before
    if started is not None:
        yield started


@contextmanager
def behind(function: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """A function whose calls are carried out on threads, all of them by the end of the block.

    The first call that fails raises, at a later call or at the end.
    """
    threads = min(cores(), MOST_THREADS)
    waiting: deque[Future[None]] = deque()

    def call(*arguments: object) -> None:
        while len(waiting) >= CALLS_WAITING or (waiting and waiting[0].done()):
            waiting.popleft().result()
        waiting.append(pool.submit(function, *arguments))

    with ThreadPoolExecutor(threads, "behind") as pool:
        try:
            yield call
            while waiting:
                waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
