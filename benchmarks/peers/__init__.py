"""How others do what glasscreep does: packages, and straightforward numpy and scipy.

Each function prepares one peer, and imports its package only then.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


def _as_it_is(result: Any) -> Any:
    return result


class Peer(NamedTuple):
    """One way of doing a job, prepared."""

    work: Callable[[], Any]
    """What is timed."""
    read: Callable[[Any], Any] = _as_it_is
    """Takes what `work` returns to what glasscreep's is compared with."""
    share: float = 1.0
    """Part of the job that `work` does; its time is divided by it."""
