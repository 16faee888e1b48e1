"""Threads beside a network keep order, bounds and errors."""

import threading
import time

import pytest

from stages.running import overlap
from stages.running.overlap import ahead, behind, started_early


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(overlap, "cores", lambda: 2)


def test_results_come_in_the_items_order_whichever_is_ready_first():
    def slow_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return 10 * item

    assert list(ahead(slow_first, range(20), 4)) == [10 * item for item in range(20)]


def test_items_are_worked_on_while_the_consumer_is_busy_but_no_more_than_it_may_hold():
    begun: list[int] = []
    results = ahead(begun.append, range(100), 4)
    next(results)
    time.sleep(0.05)
    assert len(begun) == 1 + 4
    next(results)
    time.sleep(0.05)
    assert len(begun) == 2 + 4


def test_an_error_comes_where_its_result_would_have_come():
    def fails_at_two(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    results = ahead(fails_at_two, range(9), 4)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_nothing_goes_on_after_a_consumer_that_stops():
    before = threading.active_count()
    results = ahead(str, range(100), 4)
    next(results)
    results.close()
    assert threading.active_count() == before


def test_the_next_item_is_started_before_the_one_before_is_given_out():
    started: list[str] = []

    def start(item: str) -> str:
        started.append(item)
        return item.upper()

    items = started_early(start, "abc")
    assert next(items) == ("a", "A") and started == ["a", "b"]
    assert list(items) == [("b", "B"), ("c", "C")]
    assert list(started_early(start, "")) == []


def test_all_is_written_by_the_end_of_the_block():
    written: list[int] = []

    def slowly(item: int) -> None:
        time.sleep(0.01)
        written.append(item)

    with behind(slowly) as write:
        for item in range(20):
            write(item)
    assert sorted(written) == list(range(20))


def test_a_call_that_fails_is_not_silent():
    def fails(item: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), behind(fails) as write:
        write(1)
