"""The driver: gives each free slot one piece of ready work until none is left."""

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from distributed import Client
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from glasscreep.campaign.ledger import CRASHES_ALLOWED, Ledger
from glasscreep.campaign.pools import PoolSizes
from glasscreep.campaign.states import State
from glasscreep.campaign.work import Call, Listener, Work
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.segment import Outcome, kill_segments, stop_segments

GRACE_S = 30.0
FIRST_BACKOFF_S = 0.5
BETWEEN_ANALYSES_S = 2.0
ASK_AGAIN_S = 1.0

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
    sizes : PoolSizes
        Slots of each pool.
    listener : Listener
        Told each outcome as it comes.
    """

    def __init__(
        self,
        ledger: Ledger,
        work: Work,
        client: Client,
        sizes: PoolSizes,
        listener: Listener,
    ) -> None:
        self.ledger = ledger
        self.stopping: str | None = None
        self._work = work
        self._client = client
        self._sizes = sizes
        self._listener = listener
        self._order = itertools.count()
        self._outstanding = 0
        self._idle = asyncio.Event()
        self._md: asyncio.PriorityQueue[_Item] = asyncio.PriorityQueue()
        self._to_analyse: asyncio.Queue[int] = asyncio.Queue()
        self._analyse_again: dict[int, bool] = {}
        self._next_analysis: dict[int, float] = {}
        self._analysis_losses: dict[int, int] = {}

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
            slots = [group.create_task(self._md_slot()) for _ in range(self._sizes.md)]
            slots += [group.create_task(self._analysis_slot()) for _ in range(self._sizes.analysis)]
            slots.append(group.create_task(self._keep_asking_to_stop()))
            if self._outstanding:
                await self._idle.wait()
            for slot in slots:
                slot.cancel()

    def frames_committed(self, row: int) -> None:
        """Have a run analysed that has new frames, though not more often than anyone looks."""
        now = asyncio.get_running_loop().time()
        if not self.stopping and now >= self._next_analysis.get(row, 0.0):
            self._next_analysis[row] = now + BETWEEN_ANALYSES_S
            self._analyse(row)

    async def stop(self, why: str) -> None:
        """Hand out no more work, and end the running segments at their next checkpoint."""
        self.stopping = self.stopping or why
        await self._ask_to_stop()

    async def kill(self) -> None:
        """End the running segments at once; what they had committed stays."""
        self.stopping = self.stopping or "killed"
        await self._client.run(kill_segments, on_error="ignore")

    async def _ask_to_stop(self) -> None:
        await self._client.run(stop_segments, grace_s=GRACE_S, on_error="ignore")

    async def _keep_asking_to_stop(self) -> None:
        """Reach the segments that were still on their way to a worker when `stop` asked."""
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            if self.stopping:
                await self._ask_to_stop()

    def _begin(self) -> None:
        self._outstanding += 1

    def _end(self) -> None:
        self._outstanding -= 1
        if not self._outstanding:
            self._idle.set()

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
            self._analyse(int(row))

    def _put(self, *, is_glass: bool, row: int) -> None:
        self._begin()
        self._enqueue(is_glass, row)

    def _enqueue(self, is_glass: bool, row: int) -> None:
        priority = _GLASS_FIRST if is_glass else int(self.ledger.runs.frames[row])
        self._md.put_nowait(_Item(priority, next(self._order), is_glass, row))

    async def _md_slot(self) -> None:
        while True:
            item = await self._md.get()
            if not self.stopping:
                await self._do(item)
            self._end()

    async def _do(self, item: _Item) -> None:
        progress = self.ledger.glasses if item.is_glass else self.ledger.runs
        attempt = progress.next_attempt(item.row)
        if item.is_glass:
            call = self._work.glass(item.row, attempt)
        else:
            call = self._work.segment(item.row, attempt, int(progress.frames[item.row]))
        outcome = await self._call(call, "md")
        if outcome is None:  # the worker was lost: not the run's fault, and not counted
            self._listener.lost("glass" if item.is_glass else "run", item.row)
            self._put(is_glass=item.is_glass, row=item.row)
            return
        if self.stopping and outcome.kind == "crashed":
            outcome = replace(outcome, kind="stopped")  # it was killed, and that is no failure
        self._listener.ended(outcome)
        progress.frames[item.row] = max(progress.frames[item.row], outcome.frames)
        self._settle(item, outcome)

    async def _call(self, call: Call, pool: str) -> Any:
        future = self._client.submit(call.function, call.argument, resources={pool: 1}, pure=False)
        try:
            return await future
        except (KilledWorker, FutureCancelledError, CommClosedError):
            return None

    def _settle(self, item: _Item, outcome: Outcome) -> None:
        progress = self.ledger.glasses if item.is_glass else self.ledger.runs
        match outcome.kind:
            case "done" | "partial":
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
                self._group.create_task(self.stop(outcome.message))
            case "crashed" if progress.crashed(item.row, outcome.step):
                self._retry(item, FIRST_BACKOFF_S * 2 ** (int(progress.crashes[item.row]) - 1))
            case _:
                self._fail(item, outcome)

    def _advance(self, item: _Item, *, done: bool) -> None:
        if not item.is_glass:
            self.ledger.runs.state[item.row] = State.DONE if done else State.PARTIAL
            self._analyse(item.row)
        elif done:
            self.ledger.glasses.state[item.row] = State.DONE
            for row in self.ledger.unfinished_rows_of_glass(item.row):
                self._put(is_glass=False, row=int(row))
        if not done:
            self._put(is_glass=item.is_glass, row=item.row)

    def _retry(self, item: _Item, delay_s: float) -> None:
        async def wait_then_enqueue() -> None:
            await asyncio.sleep(delay_s)
            self._enqueue(item.is_glass, item.row)

        self._begin()
        self._group.create_task(wait_then_enqueue())

    def _fail(self, item: _Item, outcome: Outcome) -> None:
        if not item.is_glass:
            self.ledger.runs.state[item.row] = State.FAILED
            self._work.failed(item.row, outcome)
            if outcome.frames and outcome.kind != "damaged":
                self._analyse(item.row)
            return
        self.ledger.glasses.state[item.row] = State.FAILED
        self.ledger.runs.state[self.ledger.unfinished_rows_of_glass(item.row)] = State.FAILED
        self._work.glass_failed(item.row, outcome)

    def _analyse(self, row: int) -> None:
        """Queue the analysis of a run; one at a time works on a run, so that writers never meet."""
        if row in self._analyse_again:
            self._analyse_again[row] = True
            return
        self._analyse_again[row] = False
        self._begin()
        self._to_analyse.put_nowait(row)

    async def _analysis_slot(self) -> None:
        while True:
            row = await self._to_analyse.get()
            await self._analyse_ready(row)
            if self._analyse_again.pop(row) and not self.stopping:
                self._analyse(row)
            self._end()

    async def _analyse_ready(self, row: int) -> None:
        for call in self._work.analysis(row):
            if self.stopping:
                return
            outcome = await self._call(call, "analysis")
            if outcome is None or outcome.kind == "fenced":
                losses = self._analysis_losses[row] = self._analysis_losses.get(row, 0) + 1
                # It may be the analysis that takes its worker down: too little memory, say.
                self._analyse_again[row] = losses < CRASHES_ALLOWED
                if losses == CRASHES_ALLOWED:
                    self._listener.analysis_lost(row)
                return
            self._analysis_losses.pop(row, None)
            self._listener.analysed(outcome)
            if outcome.kind == "storage":
                self._group.create_task(self.stop(outcome.message))
            if outcome.kind != "done":
                return
