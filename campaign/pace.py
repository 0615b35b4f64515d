"""How far apart the commits of MD processes are: what a segment needs to be able to stop."""

import time

STARTING_S = 10.0
"""What an MD process may need until its first block, and to end after the last commit."""
SPARE_S = 10.0
"""What to leave of the walltime in any case."""


def needed_s(longest_s: float) -> float:
    """Say what a segment needs to be sure of its first commit [s].

    Parameters
    ----------
    longest_s : float
        Longest time between commits [s].
    """
    return STARTING_S + 1.5 * longest_s + SPARE_S


class Pace:
    """Longest time between two commits of one MD process, of those seen.

    Parameters
    ----------
    expected_s : float
        What to take for it until one was seen [s].
    """

    def __init__(self, expected_s: float) -> None:
        self._expected_s = expected_s
        self._last: dict[str, float] = {}
        self._longest_s: float | None = None

    @property
    def longest_s(self) -> float:
        """Longest time between commits [s]."""
        return self._expected_s if self._longest_s is None else self._longest_s

    def committed(self, physics_id: str) -> None:
        """Note a commit of a run or glass."""
        present = time.monotonic()
        if physics_id in self._last:
            self._longest_s = max(self._longest_s or 0.0, present - self._last[physics_id])
        self._last[physics_id] = present

    def ended(self, physics_id: str) -> None:
        """Note that its MD process has ended: the next one starts anew."""
        self._last.pop(physics_id, None)
