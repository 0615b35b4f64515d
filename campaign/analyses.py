"""The analyses that are due: one at a time of each run, so that writers never meet."""

import asyncio

from distributed import Client

from glasscreep.campaign.calls import answer
from glasscreep.campaign.ledger import CRASHES_ALLOWED
from glasscreep.campaign.outstanding import Outstanding
from glasscreep.campaign.seat import Seat
from glasscreep.campaign.work import Listener, Work
from glasscreep.tasks.failures import OWN

BETWEEN_ANALYSES_S = 2.0


class Analyses:
    """Queue of runs to be analysed, and what their slots do.

    Parameters
    ----------
    work, client, listener
        As for the driver.
    outstanding : Outstanding
        Counts what is due, for all kinds of work.
    """

    def __init__(
        self, work: Work, client: Client, listener: Listener, outstanding: Outstanding
    ) -> None:
        self.queue: asyncio.Queue[int] = asyncio.Queue()
        self._work, self._client, self._listener = work, client, listener
        self._outstanding = outstanding
        self._again: dict[int, bool] = {}
        self._next: dict[int, float] = {}
        self._losses: dict[int, int] = {}
        self._to_mend: set[tuple[int, str]] = set()
        self._closed = False

    def close(self) -> None:
        """Begin no more."""
        self._closed = True
        while not self.queue.empty():
            self.queue.get_nowait()
            self._outstanding.end()

    def frames_committed(self, row: int) -> None:
        """Have a run analysed that has new frames, though not more often than anyone looks."""
        now = asyncio.get_running_loop().time()
        if now >= self._next.get(row, 0.0):
            self._next[row] = now + BETWEEN_ANALYSES_S
            self.add(row)

    def add(self, row: int) -> None:
        """Have a run analysed; once more, if it is being analysed now."""
        if self._closed:
            return
        if row in self._again:
            self._again[row] = True
            return
        self._again[row] = False
        self._outstanding.begin()
        self.queue.put_nowait(row)

    async def slot(self, seat: Seat) -> None:
        """Do analyses on a seat, one after the other, until it leaves."""
        while (row := await seat.take(self.queue)) is not None:
            with seat.working():
                await self._do(row, seat)
            if self._again.pop(row):
                self.add(row)
            self._outstanding.end()

    async def _do(self, row: int, seat: Seat) -> None:
        for call in self._work.analysis(row):
            if self._closed:
                return
            if any((row, name) in self._to_mend for name in (call.subject, *call.needs)):
                self._to_mend.add((row, call.subject))
                continue
            outcome = await answer(self._client, call, seat)
            if outcome is None or outcome.kind == "fenced":
                self._lose(row, blame=not seat.was_asked_to_leave)
                return
            self._losses.pop(row, None)
            self._listener.analysed(outcome)
            if outcome.kind == OWN:
                self._to_mend.add((row, call.subject))
                continue
            if outcome.kind == "done":
                self._outstanding.storage.restore()
            if outcome.kind == "storage":
                self._outstanding.lacks_storage(outcome, lambda: self._add_after(row))
            if outcome.kind != "done":
                return

    def _add_after(self, row: int) -> None:
        self.add(row)
        self._outstanding.end()  # of the wait

    def _lose(self, row: int, *, blame: bool) -> None:
        losses = self._losses[row] = self._losses.get(row, 0) + blame
        # It may be the analysis that takes its worker down: too little memory, say.
        self._again[row] = losses < CRASHES_ALLOWED
        if losses == CRASHES_ALLOWED:
            self._listener.analysis_lost(row)
