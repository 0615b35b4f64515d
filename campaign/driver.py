"""The driver: gives each free slot one piece of ready work until none is left."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from distributed import Client

from glasscreep.campaign.analyses import Analyses, Outstanding
from glasscreep.campaign.calls import answer
from glasscreep.campaign.ledger import Ledger
from glasscreep.campaign.patience import Patience
from glasscreep.campaign.seat import Seat
from glasscreep.campaign.states import State
from glasscreep.campaign.work import Listener, Work
from glasscreep.slurm.workers import MD
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.segment import Outcome, kill_segments, stop_segments
from glasscreep.tasks.stop import GRACE_S

FIRST_BACKOFF_S = 0.5
UNLAUNCHED_S = 5.0
ASK_AGAIN_S = 1.0
ANSWER_S = 10.0
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


class Driver:
    """Drives one campaign over a Dask client; what is on disk is the only state that lasts.

    Parameters
    ----------
    ledger : Ledger
        Progress found on disk; kept up to date.
    work : Work
        Makes the calls that do the campaign's work.
    client : distributed.Client
        Asynchronous, with workers that offer the resources ``md`` and ``analysis``.
    listener : Listener
        Told each outcome as it comes.
    patience_s : float, optional
        How long to wait for storage that is full before the campaign stops.
    """

    def __init__(
        self,
        ledger: Ledger,
        work: Work,
        client: Client,
        listener: Listener,
        patience_s: float = 0.0,
    ) -> None:
        self.ledger = ledger
        self.stopping: str | None = None
        self._grace_s = GRACE_S
        self._work = work
        self._client = client
        self._listener = listener
        self._group: asyncio.TaskGroup | None = None
        self._seats: list[Seat] = []
        self._slots: set[asyncio.Task[None]] = set()
        self._at_work: dict[int, Seat] = {}
        self._cancelled: dict[int, Outcome] = {}
        self._storage = Patience(patience_s)
        self._order = itertools.count()
        self._md: asyncio.PriorityQueue[_Item] = asyncio.PriorityQueue()
        self._outstanding = Outstanding()
        self._analyses = Analyses(
            work, client, listener, self._outstanding, self._storage, self._lacks_storage
        )

    async def drive(self) -> None:
        """Do all the work there is; return when it is done or, once `stop` was called, ended."""
        try:
            await self._drive()
        except* GlasscreepError as group:
            raise group.exceptions[0] from None

    async def _drive(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._fill()
            for seat in self._seats:
                self._occupy(seat)
            asking = group.create_task(self._keep_asking_to_stop())
            await self._outstanding.all_done()
            for slot in (*self._slots, asking):
                slot.cancel()

    def add_seat(self, seat: Seat) -> None:
        """Have the slots of a worker take work, until it leaves."""
        self._seats = [other for other in self._seats if other.busy or not other.is_leaving]
        self._seats.append(seat)
        if self._group is not None:
            self._occupy(seat)

    def _occupy(self, seat: Seat) -> None:
        assert self._group is not None
        slot = self._slot if seat.pool == MD else self._analyses.slot
        for _ in range(seat.slots):
            task = self._group.create_task(slot(seat))
            self._slots.add(task)
            task.add_done_callback(self._slots.discard)

    def load(self, pool: str) -> int:
        """Count the pieces of work that a pool has to do, or is doing, at this moment."""
        queue = self._md if pool == MD else self._analyses.queue
        return queue.qsize() + sum(seat.busy for seat in self._seats if seat.pool == pool)

    def frames_committed(self, row: int) -> None:
        """Have a run analysed that has new frames."""
        self._storage.restore()
        self._analyses.frames_committed(row)

    async def stop(self, why: str, grace_s: float = GRACE_S) -> None:
        """Hand out no more work, and end the running segments at their next checkpoint."""
        if self.stopping is None:
            self._grace_s = grace_s
        self._hand_out_no_more(why)
        await self._ask_to_stop()

    async def kill(self) -> None:
        """End the running segments at once; what they had committed stays."""
        self._hand_out_no_more("killed")
        await self._everywhere(kill_segments)

    async def drain(self, seat: Seat, grace_s: float = GRACE_S) -> None:
        """Have a worker take no more work, and end its segments at their next checkpoint."""
        seat.leave()
        await self._tell(seat, stop_segments, grace_s)

    async def cancel(self, run: int, outcome: Outcome) -> None:
        """Give up the run in row `run`, also if a segment of it is under way."""
        if self.ledger.runs.state[run] >= State.DONE:
            return
        self._cancelled[run] = outcome
        if seat := self._at_work.get(run):
            await self._tell(seat, kill_segments, outcome.id)
        else:
            self._listener.ended(outcome)
            self._fail(_Item(0, 0, is_glass=False, row=run), outcome)

    def _hand_out_no_more(self, why: str) -> None:
        self.stopping = self.stopping or why
        self._analyses.close()
        while not self._md.empty():
            self._md.get_nowait()
            self._outstanding.end()

    async def _ask_to_stop(self) -> None:
        await self._everywhere(stop_segments, self._grace_s)

    async def _everywhere(self, function: Callable[..., int], *arguments: object) -> None:
        busy = [seat for seat in self._seats if seat.pool == MD and seat.busy]
        await asyncio.gather(*(self._tell(seat, function, *arguments) for seat in busy))

    async def _tell(self, seat: Seat, function: Callable[..., int], *arguments: object) -> None:
        """Call a function on a worker; one that can't be reached is asked again by who waits."""
        where = [seat.worker] if seat.worker else None
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await self._client.run(function, *arguments, workers=where, on_error="ignore")

    async def _keep_asking_to_stop(self) -> None:
        """Reach the segments that were still on their way to a worker when `stop` asked."""
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            if self.stopping:
                await self._ask_to_stop()

    def _fill(self) -> None:
        ledger = self.ledger
        rows = ledger.unfinished_rows()
        for glass in np.unique(ledger.glass_of_run[rows]):
            if ledger.glasses.state[glass] < State.DONE:
                self._put(is_glass=True, row=int(glass))
        ready = ledger.glasses.state[ledger.glass_of_run[rows]] == State.DONE
        for row in rows[ready]:
            self._put(is_glass=False, row=int(row))
        for row in np.flatnonzero(ledger.asked & (ledger.runs.frames > 0)):
            self._analyses.add(int(row))

    def _put(self, *, is_glass: bool, row: int) -> None:
        self._outstanding.begin()
        self._enqueue(is_glass, row)

    def _enqueue(self, is_glass: bool, row: int) -> None:
        if self.stopping:
            self._outstanding.end()
            return
        priority = _GLASS_FIRST if is_glass else int(self.ledger.runs.frames[row])
        self._md.put_nowait(_Item(priority, next(self._order), is_glass, row))

    async def _slot(self, seat: Seat) -> None:
        while item := await seat.take(self._md):
            if seat.is_leaving:  # both came at once
                self._enqueue(item.is_glass, item.row)
                return
            if not item.is_glass and item.row in self._cancelled:
                self._outstanding.end()
                continue
            with seat.working():
                await self._do(item, seat)
            self._outstanding.end()

    async def _do(self, item: _Item, seat: Seat) -> None:
        progress = self.ledger.glasses if item.is_glass else self.ledger.runs
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
        if self.stopping or seat.is_leaving:
            return True
        if seat.worker is None:
            return False
        # What ends a whole node ends its processes in any order.
        with suppress(TimeoutError):
            async with asyncio.timeout(LOST_TOO_S):
                await seat.lost.wait()
        return seat.lost.is_set()

    def _settle(self, item: _Item, outcome: Outcome) -> None:
        progress = self.ledger.glasses if item.is_glass else self.ledger.runs
        match outcome.kind:
            case "done" | "partial":
                self._storage.restore()
                self._advance(item, done=outcome.kind == "done")
            case "stopped" if not self.stopping:  # by a signal from elsewhere
                self._advance(item, done=False)
            case "stopped":
                if outcome.frames:
                    progress.state[item.row] = State.PARTIAL
            case "fenced":
                progress.attempt[item.row] = max(progress.attempt[item.row], outcome.attempt)
                self._put(is_glass=item.is_glass, row=item.row)
            case "storage":
                self._lacks_storage(outcome, lambda: self._enqueue(item.is_glass, item.row))
            case "unfit":  # as all the others would be
                assert self._group is not None
                self._group.create_task(self.stop(outcome.message))
            case "unlaunched":  # not counted: nothing of the run's own was at work
                self._retry(item, UNLAUNCHED_S)
            case "crashed" if progress.crashed(item.row, outcome.step):
                self._retry(item, FIRST_BACKOFF_S * 2 ** (int(progress.crashes[item.row]) - 1))
            case _:
                self._fail(item, outcome)

    def _advance(self, item: _Item, *, done: bool) -> None:
        if not item.is_glass:
            self.ledger.runs.state[item.row] = State.DONE if done else State.PARTIAL
            self._analyses.add(item.row)
        elif done:
            self.ledger.glasses.state[item.row] = State.DONE
            for row in self.ledger.unfinished_rows_of_glass(item.row):
                self._put(is_glass=False, row=int(row))
        if not done:
            self._put(is_glass=item.is_glass, row=item.row)

    def _retry(self, item: _Item, delay_s: float) -> None:
        self._outstanding.begin()
        self._later(delay_s, lambda: self._enqueue(item.is_glass, item.row))

    def _lacks_storage(self, outcome: Outcome, try_again: Callable[[], None]) -> None:
        assert self._group is not None
        if not self._storage.is_left():
            self._group.create_task(self.stop(outcome.message))
            return
        self._outstanding.begin()
        self._later(Patience.RETRY_S, try_again)

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        async def wait_then_act() -> None:
            await asyncio.sleep(delay_s)
            action()

        assert self._group is not None
        self._group.create_task(wait_then_act())

    def _fail(self, item: _Item, outcome: Outcome) -> None:
        if not item.is_glass:
            self.ledger.runs.state[item.row] = State.FAILED
            self._work.failed(item.row, outcome)
            if outcome.frames and outcome.kind != "damaged":
                self._analyses.add(item.row)
            return
        self.ledger.glasses.state[item.row] = State.FAILED
        self.ledger.runs.state[self.ledger.unfinished_rows_of_glass(item.row)] = State.FAILED
        self._work.glass_failed(item.row, outcome)
