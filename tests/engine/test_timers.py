"""Time is counted once, for the kind of work that took it."""

import time

import pytest

from glasscreep.tasks.timers import Timers

PAUSE_S = 0.02


def test_what_is_inside_counts_for_its_own_kind():
    timers, start = Timers(), time.perf_counter()
    for _ in range(2):
        with timers.measuring("outer"):
            time.sleep(PAUSE_S)
            with timers.measuring("inner"):
                time.sleep(2 * PAUSE_S)
    spent = time.perf_counter() - start
    assert timers.seconds["outer"] >= 2 * PAUSE_S
    assert timers.seconds["inner"] >= 4 * PAUSE_S
    assert sum(timers.seconds.values()) == pytest.approx(spent, abs=PAUSE_S / 4)


def test_a_whole_takes_what_is_inside():
    timers = Timers()
    with timers.measuring("whole", whole=True), timers.measuring("inner"):
        time.sleep(PAUSE_S)
    with timers.measuring("inner"):
        pass
    assert timers.seconds["whole"] >= PAUSE_S
    assert timers.seconds["inner"] < PAUSE_S


def test_time_up_to_an_error_counts():
    timers = Timers()
    with pytest.raises(ZeroDivisionError), timers.measuring("failing", whole=True):
        raise ZeroDivisionError
    with timers.measuring("next"):
        pass
    assert set(timers.seconds) == {"failing", "next"}
