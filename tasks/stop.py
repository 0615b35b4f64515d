"""The wish that an MD process end, and how long it may take."""

import time

GRACE_S = 30.0
"""How long those who ask an MD process to stop wait for its end, if they say nothing else [s]."""
ENDING_S = 15.0
"""How much of that an MD process keeps to notice, to put away what is committed, and to end [s]."""


class Stop:
    """Told by a signal or by another thread of wishes to stop, which are never taken back."""

    def __init__(self) -> None:
        self._deadline: float | None = None

    def ask(self, grace_s: float = GRACE_S) -> None:
        """Wish for the end of the process.

        Parameters
        ----------
        grace_s : float
            How long the process has to end [s]; of several wishes, the most urgent one counts.
        """
        deadline = time.monotonic() + grace_s - ENDING_S
        self._deadline = deadline if self._deadline is None else min(deadline, self._deadline)

    @property
    def is_asked(self) -> bool:
        """Whether the process is to end once the current action is done."""
        return self._deadline is not None

    @property
    def is_urgent(self) -> bool:
        """Whether there is no time left to do the current action to its end."""
        return self._deadline is not None and time.monotonic() >= self._deadline
