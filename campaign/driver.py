"""The driver: gives each free slot one piece of ready work until none is left."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from distributed import Client

from glasscreep.campaign.analyses import Analyses
from glasscreep.campaign.ledger import Ledger
from glasscreep.campaign.outstanding import Outstanding
from glasscreep.campaign.patience import Patience
from glasscreep.campaign.seat import Seat
from glasscreep.campaign.simulations import Simulations
from glasscreep.campaign.work import Listener, Work
from glasscreep.slurm.workers import MD
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.segment import Outcome, kill_segments, stop_segments
from glasscreep.tasks.stop import GRACE_S

ASK_AGAIN_S = 1.0
ANSWER_S = 10.0


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
        self._client = client
        self._group: asyncio.TaskGroup | None = None
        self._seats: list[Seat] = []
        self._slots: set[asyncio.Task[None]] = set()
        self._outstanding = Outstanding(Patience(patience_s), self.stop)
        told = work, client, listener, self._outstanding
        self._analyses = Analyses(*told)
        self._simulations = Simulations(ledger, *told, self._analyses.add)

    async def drive(self) -> None:
        """Do all the work there is; return when it is done or, once `stop` was called, ended."""
        try:
            await self._drive()
        except* GlasscreepError as group:
            raise group.exceptions[0] from None

    async def _drive(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._outstanding.wait_in(group)
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
        slot = self._simulations.slot if seat.pool == MD else self._analyses.slot
        for _ in range(seat.slots):
            task = self._group.create_task(slot(seat))
            self._slots.add(task)
            task.add_done_callback(self._slots.discard)

    def load(self, pool: str) -> int:
        """Count the pieces of work that a pool has to do, or is doing, at this moment."""
        work = self._simulations if pool == MD else self._analyses
        return work.queue.qsize() + sum(seat.busy for seat in self._seats if seat.pool == pool)

    def frames_committed(self, row: int) -> None:
        """Have a run analysed that has new frames."""
        self._outstanding.storage.restore()
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
        if seat := self._simulations.cancel(run, outcome):
            await self._tell(seat, kill_segments, outcome.id)

    def _hand_out_no_more(self, why: str) -> None:
        self.stopping = self.stopping or why
        self._analyses.close()
        self._simulations.close()

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
        self._simulations.fill()
        for row in np.flatnonzero(self.ledger.asked & (self.ledger.runs.frames > 0)):
            self._analyses.add(int(row))
