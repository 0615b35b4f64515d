"""The glasses and segments that are due: who goes first, and what comes of each."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from distributed import Client

from glasscreep.campaign.calls import answer
from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.outstanding import Outstanding
from glasscreep.campaign.seat import Seat
from glasscreep.campaign.states import State
from glasscreep.campaign.work import Listener, Work
from glasscreep.tasks.segment import Outcome

FIRST_BACKOFF_S = 0.5
UNLAUNCHED_S = 5.0
LOST_TOO_S = 3.0

# Glasses go first, since whole replicas wait for them; then runs that are furthest behind,
# so that the campaign's curves grow together and the last runs don't end one by one.
_GLASS_FIRST = -1


@dataclass(frozen=True, slots=True, order=True)
class _Item:
    """One entry of the queue of ready work."""

    priority: int
    order: int
    is_glass: bool = field(compare=False)
    row: int = field(compare=False)


class Simulations:
    """Queue of glasses to be made and runs to be gone on with, and what their slots do.

    Parameters
    ----------
    ledger, work, client, listener
        As for the driver.
    outstanding : Outstanding
        Counts what is due, for all kinds of work.
    analyse : callable
        Has the run in a row analysed.
    """

    def __init__(
        self,
        ledger: Ledger,
        work: Work,
        client: Client,
        listener: Listener,
        outstanding: Outstanding,
        analyse: Callable[[int], None],
    ) -> None:
        self.queue: asyncio.PriorityQueue[_Item] = asyncio.PriorityQueue()
        self._ledger, self._work = ledger, work
        self._client, self._listener = client, listener
        self._outstanding, self._analyse = outstanding, analyse
        self._at_work: dict[int, Seat] = {}
        self._cancelled: dict[int, Outcome] = {}
        self._order = itertools.count()
        self._closed = False

    def fill(self) -> None:
        """Queue what can be begun: glasses that runs wait for, and runs whose glass is made."""
        ledger = self._ledger
        rows = ledger.unfinished_rows()
        for glass in np.unique(ledger.glass_of_run[rows]):
            if ledger.glasses.state[glass] < State.DONE:
                self._put(is_glass=True, row=int(glass))
        ready = ledger.glasses.state[ledger.glass_of_run[rows]] == State.DONE
        for row in rows[ready]:
            self._put(is_glass=False, row=int(row))

    def close(self) -> None:
        """Begin no more."""
        self._closed = True
        while not self.queue.empty():
            self.queue.get_nowait()
            self._outstanding.end()

    def cancel(self, run: int, outcome: Outcome) -> Seat | None:
        """Give up the run in row `run`; give the seat whose segment of it is to be killed."""
        if self._ledger.runs.state[run] >= State.DONE:
            return None
        self._cancelled[run] = outcome
        if (seat := self._at_work.get(run)) is None:
            self._listener.ended(outcome)
            self._fail(_Item(0, 0, is_glass=False, row=run), outcome)
        return seat

    async def slot(self, seat: Seat) -> None:
        """Do simulations on a seat, one after the other, until it leaves."""
        while item := await seat.take(self.queue):
            if seat.is_leaving:  # both came at once
                self._enqueue(item.is_glass, item.row)
                return
            if not item.is_glass and item.row in self._cancelled:
                self._outstanding.end()
                continue
            with seat.working():
                await self._do(item, seat)
            self._outstanding.end()

    def _put(self, *, is_glass: bool, row: int) -> None:
        self._outstanding.begin()
        self._enqueue(is_glass, row)

    def _enqueue(self, is_glass: bool, row: int) -> None:
        if self._closed:
            self._outstanding.end()
            return
        priority = _GLASS_FIRST if is_glass else int(self._ledger.runs.frames[row])
        self.queue.put_nowait(_Item(priority, next(self._order), is_glass, row))

    def _progress(self, item: _Item) -> Progress:
        return self._ledger.glasses if item.is_glass else self._ledger.runs

    async def _do(self, item: _Item, seat: Seat) -> None:
        progress = self._progress(item)
        attempt = progress.next_attempt(item.row)
        kind = "glass" if item.is_glass else "run"
        self._listener.began(kind, item.row)
        if item.is_glass:
            call = self._work.glass(item.row, attempt)
            outcome = await answer(self._client, call, seat)
        else:
            call = self._work.segment(item.row, attempt, int(progress.frames[item.row]))
            self._at_work[item.row] = seat
            outcome = await answer(self._client, call, seat)
            del self._at_work[item.row]
            if outcome is None or outcome.kind != "done":  # what is done can't be given up
                outcome = self._cancelled.get(item.row, outcome)
        if outcome and outcome.kind in ("crashed", "unlaunched") and await self._was_killed(seat):
            outcome = replace(outcome, kind="stopped")
        if outcome is None:  # the worker was lost: not the run's fault, and not counted
            self._listener.lost(kind, item.row)
            self._put(is_glass=item.is_glass, row=item.row)
            return
        self._listener.ended(outcome)
        progress.frames[item.row] = max(progress.frames[item.row], outcome.frames)
        self._settle(item, outcome)

    async def _was_killed(self, seat: Seat) -> bool:
        """Tell whether a crash is nothing but the end of its worker, which is no failure."""
        if self._closed or seat.is_leaving:
            return True
        if seat.worker is None:
            return False
        # What ends a whole node ends its processes in any order.
        with suppress(TimeoutError):
            async with asyncio.timeout(LOST_TOO_S):
                await seat.lost.wait()
        return seat.lost.is_set()

    def _settle(self, item: _Item, outcome: Outcome) -> None:
        progress = self._progress(item)
        match outcome.kind:
            case "done" | "partial":
                self._outstanding.storage.restore()
                self._advance(item, done=outcome.kind == "done")
            case "stopped" if not self._closed:  # by a signal from elsewhere
                self._advance(item, done=False)
            case "stopped":
                if outcome.frames:
                    progress.state[item.row] = State.PARTIAL
            case "fenced":
                progress.attempt[item.row] = max(progress.attempt[item.row], outcome.attempt)
                self._put(is_glass=item.is_glass, row=item.row)
            case "storage":
                self._outstanding.lacks_storage(outcome, self._again(item))
            case "unfit":  # as all the others would be
                self._outstanding.give_up(outcome.message)
            case "unlaunched":  # not counted: nothing of the run's own was at work
                self._outstanding.later(UNLAUNCHED_S, self._again(item))
            case "crashed" if progress.crashed(item.row, outcome.step):
                delay_s = FIRST_BACKOFF_S * 2 ** (int(progress.crashes[item.row]) - 1)
                self._outstanding.later(delay_s, self._again(item))
            case _:
                self._fail(item, outcome)

    def _again(self, item: _Item) -> Callable[[], None]:
        return lambda: self._enqueue(item.is_glass, item.row)

    def _advance(self, item: _Item, *, done: bool) -> None:
        if not item.is_glass:
            self._ledger.runs.state[item.row] = State.DONE if done else State.PARTIAL
            self._analyse(item.row)
        elif done:
            self._ledger.glasses.state[item.row] = State.DONE
            for row in self._ledger.unfinished_rows_of_glass(item.row):
                self._put(is_glass=False, row=int(row))
        if not done:
            self._put(is_glass=item.is_glass, row=item.row)

    def _fail(self, item: _Item, outcome: Outcome) -> None:
        if not item.is_glass:
            self._ledger.runs.state[item.row] = State.FAILED
            self._work.failed(item.row, outcome)
            if outcome.frames and outcome.kind != "damaged":
                self._analyse(item.row)
            return
        self._ledger.glasses.state[item.row] = State.FAILED
        self._ledger.runs.state[self._ledger.unfinished_rows_of_glass(item.row)] = State.FAILED
        self._work.glass_failed(item.row, outcome)
