"""A worker as the driver sees it: where pieces of work may go, until it leaves or is lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Seat:
    """Slots of one worker, or of a whole pool whose workers are always there.

    Parameters
    ----------
    pool : str
        Pool that it belongs to, `md` or `analysis`.
    slots : int
        Pieces of work that it takes at a time.
    worker : str, optional
        Address of the worker; without one the pool's workers share the work among themselves.
    """

    def __init__(self, pool: str, slots: int, worker: str | None = None) -> None:
        self.pool, self.slots, self.worker = pool, slots, worker
        self.busy = 0
        """Slots at work."""
        self.lost = asyncio.Event()
        """Set when the worker is gone, and what it worked on with it."""
        self.was_asked_to_leave = False
        """Whether it was to take no more work before it was lost."""
        self._leaving = asyncio.Event()
        self._idle_since = self._now()

    @property
    def is_leaving(self) -> bool:
        """Whether it takes no more work."""
        return self._leaving.is_set()

    @property
    def idle_s(self) -> float:
        """For how long it has had nothing to do [s]."""
        return 0.0 if self.busy else self._now() - self._idle_since

    def leave(self) -> None:
        """Take no more work; what is being worked on goes on."""
        self.was_asked_to_leave = True
        self._leaving.set()

    def lose(self) -> None:
        """Take no more work, and give up what is being worked on."""
        self._leaving.set()
        self.lost.set()

    async def take(self, queue: "asyncio.Queue[T]") -> T | None:
        """Wait for something to do; None once the seat is leaving."""
        if self.is_leaving:
            return None
        if not queue.empty():
            return queue.get_nowait()
        getting = asyncio.ensure_future(queue.get())
        leaving = asyncio.ensure_future(self._leaving.wait())
        try:
            await asyncio.wait({getting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            leaving.cancel()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a slot as busy meanwhile."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self._idle_since = self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
