"""Time is counted once, for the kind of work that took it."""

import time
from types import SimpleNamespace

import pytest

from glasscreep.tasks.timers import Timers, age_s


@pytest.fixture
def passes(monkeypatch):
    """Give `passes(seconds)`, which is all that moves the clock."""
    now = [100.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr("glasscreep.tasks.timers.time", clock)

    def move(seconds):
        now[0] += seconds

    return move


def test_what_is_inside_counts_for_its_own_kind(passes):
    timers = Timers()
    for _ in range(2):
        with timers.measuring("outer"):
            passes(1)
            with timers.measuring("inner"):
                passes(2)
                with timers.measuring("innermost"):
                    passes(4)
            passes(8)
        passes(16)
    assert timers.seconds == {"outer": 18, "inner": 4, "innermost": 8}


def test_a_whole_takes_what_is_inside(passes):
    timers = Timers()
    with timers.measuring("whole", whole=True), timers.measuring("inner"):
        passes(1)
    with timers.measuring("inner"):
        passes(2)
    assert timers.seconds == {"whole": 1, "inner": 2}


def test_time_up_to_an_error_counts(passes):
    timers = Timers()

    def fail():
        with timers.measuring("failing", whole=True):
            passes(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with timers.measuring("next"):
        passes(2)
    assert timers.seconds == {"failing": 1, "next": 2}


def test_the_age_of_a_process_grows_with_it():
    before, start = age_s(), time.perf_counter()
    while time.perf_counter() < start + 0.1:
        pass
    assert before > 0.05
    assert age_s() - before >= 0.08
