"""Where the time of an MD process goes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTED = 19
"""Which field of /proc/self/stat, after the name in brackets, is the start in ticks since boot."""


class Timers:
    """Adds up the time of each kind of work; what one kind does inside another counts once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        """Spent so far on this rank, by kind [s]."""
        self._inside: list[float] = []
        self._whole = False

    @contextmanager
    def measuring(self, kind: str, *, whole: bool = False) -> Iterator[None]:
        """Count the time until the end of the block as that of a kind.

        Parameters
        ----------
        kind : str
            What it is spent on.
        whole : bool
            Whether what is measured inside belongs to this kind too.
        """
        if self._whole:
            yield
            return
        self._whole, start = whole, time.perf_counter()
        self._inside.append(0.0)
        try:
            yield
        finally:
            self._whole = False
            spent = time.perf_counter() - start
            own = spent - self._inside.pop()
            self.seconds[kind] = self.seconds.get(kind, 0.0) + own
            if self._inside:
                self._inside[-1] += spent


def age_s() -> float:
    """Tell how long this process has lived, by a clock that nobody sets [s]."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[STARTED])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
