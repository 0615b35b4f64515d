"""Waiting for something in a test: polled for, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE_S = 0.02


def wait_until(
    condition: Callable[[], T],
    what: str,
    *,
    deadline_s: float = 60,
    found: Callable[[], object] | None = None,
) -> T:
    """Wait until a condition holds, and give what it gave.

    Fail after the deadline, with `what` was waited for, and what was `found` instead.
    """
    ends = time.monotonic() + deadline_s
    while not (held := condition()):
        if time.monotonic() > ends:
            there = f"\n{found()}" if found else ""
            msg = f"waited {deadline_s:g} s in vain until {what}{there}"
            raise AssertionError(msg)
        time.sleep(PAUSE_S)
    return held
