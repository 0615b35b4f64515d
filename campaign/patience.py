"""Waiting for what may mend itself, such as a full disk, though not for ever."""

import time


class Patience:
    """Tells whether to try again after a failure.

    Parameters
    ----------
    limit_s : float
        How long failures may go on without a success between them [s].
    """

    RETRY_S = 5.0

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since: float | None = None

    def is_left(self) -> bool:
        """Note a failure; tell whether to try again, `RETRY_S` later."""
        present = time.monotonic()
        if self._since is None:
            self._since = present
        return present - self._since < self._limit_s

    def restore(self) -> None:
        """Note a success."""
        self._since = None
