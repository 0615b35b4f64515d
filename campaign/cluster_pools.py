"""Pools of Dask workers that SLURM's allocations bring to a controller."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from distributed import Client, Scheduler

from glasscreep.campaign.driver import Driver
from glasscreep.campaign.monitor import Monitor
from glasscreep.campaign.pace import SPARE_S, needed_s
from glasscreep.campaign.seat import Seat
from glasscreep.campaign.snapshot import AllocationState
from glasscreep.slurm.allocation import Facts, facts, leave
from glasscreep.slurm.pool import Allocation, Pool
from glasscreep.slurm.queue import Queue, View
from glasscreep.slurm.setbacks import AllocationsFailError
from glasscreep.slurm.workers import MD

ANSWER_S = 30.0

T = TypeVar("T")
_logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Guest:
    """A worker that an allocation brought."""

    seat: Seat
    """Its slots."""
    pool: Pool
    """Pool of the allocation."""
    allocation: Allocation
    """The allocation."""
    ends_at: float
    """When SLURM ends it [s since 1970]."""


class ClusterPools:
    """Takes workers in as they come, and has the pools ask for as many as there is work for.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        Scheduler, in this process.
    client : distributed.Client
        Asynchronous client of the scheduler.
    queue : Queue or None
        What SLURM says of the jobs; None where it is not asked.
    monitor : Monitor
        Told of the allocations; tells how far apart commits are.
    """

    def __init__(
        self, scheduler: Scheduler, client: Client, queue: Queue | None, monitor: Monitor
    ) -> None:
        self.scheduler, self.client = scheduler, client
        self.pools: dict[str, Pool] = {}
        self._queue, self._monitor = queue, monitor
        self._guests: dict[str, _Guest] = {}
        self._driver: Driver | None = None
        self._here: set[str] = set()
        self._waiting: list[tuple[str, str, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Task[None] | None = None

    def serve(self, driver: Driver) -> None:
        """Give the driver the workers there are, and those to come."""
        self._driver = driver
        for worker in self._waiting:
            self.arrived(*worker)

    def arrived(self, address: str, pool: str, slots: int) -> None:
        """Take in a worker that has come to the scheduler."""
        if self._driver is None:
            self._waiting.append((address, pool, slots))
        else:
            self._here.add(address)
            self._soon(self._seat(address, pool, slots))

    def departed(self, address: str) -> None:
        """Take in that the scheduler has lost a worker."""
        self._here.discard(address)
        if guest := self._guests.pop(address, None):
            guest.seat.lose()
            guest.pool.left(guest.allocation.job_id, address)

    async def tend(self, driver: Driver) -> None:
        """Drain what is about to end, notice what is dead, ask for what is needed."""
        for address, guest in list(self._guests.items()):
            if guest.allocation not in guest.pool.allocations:
                self.departed(address)  # its worker may not know yet that its job has ended
            elif time.time() > self._last_call(guest) and not guest.seat.is_leaving:
                self._drain(driver, guest)
            elif guest.allocation.leaving:
                self._soon(self.release(guest.allocation))
        # Not waited for: SLURM's programs may take their time, and all else goes on.
        if self._asking is None or self._asking.done():
            self._asking = self._soon(self._ask_slurm(driver))
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()
        self._monitor.allocations = tuple(self._described())
        self._monitor.trouble = "; ".join(filter(None, self._troubles()))

    async def _ask_slurm(self, driver: Driver) -> None:
        view = await self._queue.look() if self._queue else None
        if view is not None:
            self._adopt(view)
        try:
            for name, pool in self.pools.items():
                await pool.tend(0 if driver.stopping else driver.load(name), view)
        except AllocationsFailError as error:
            await driver.stop(str(error))

    def _adopt(self, view: View) -> None:
        """Take over jobs that an earlier controller asked for, or whose submission was not noted."""
        for job_id, job in view.jobs.items():
            kind = job.name.split(".")[-2]
            if kind in self.pools and not job.has_ended:
                self.pools[kind].adopt(job_id, job)

    def _soon(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        return task

    async def release(self, allocation: Allocation) -> None:
        """Have an allocation end once its workers have nothing to do."""
        # Its workers may have left by themselves since this was scheduled.
        guests = {one: self._guests[one] for one in allocation.workers if one in self._guests}
        for guest in guests.values():
            guest.seat.leave()
        if guests and not any(guest.seat.busy for guest in guests.values()):
            await self._on_worker(next(iter(guests)), leave)

    async def give_all_back(self) -> None:
        """Have every allocation end: the campaign is done, or stopped."""
        if self._asking is not None:
            await asyncio.wait({self._asking})  # it may be about to bring another one
        waiting = [pool.give_back(one) for pool in self.pools.values() for one in pool.allocations]
        await asyncio.gather(*waiting)

    def _described(self) -> Iterator[AllocationState]:
        for name, pool in self.pools.items():
            for one in pool.allocations:
                busy = sum(self._guests[worker].seat.busy for worker in one.workers)
                state = "LEAVING" if one.leaving else one.state
                yield AllocationState(
                    name, one.job_id, state, one.reason, one.node, busy, pool.slots
                )

    def _troubles(self) -> Iterator[str]:
        if self._queue is not None:
            yield self._queue.trouble
        for pool in self.pools.values():
            yield pool.trouble

    async def _seat(self, address: str, pool_name: str, slots: int) -> None:
        known: Facts | None = None
        while known is None and address in self._here:
            known = await self._on_worker(address, facts)
        if known is None or address not in self._here:
            return
        assert self._driver is not None
        pool, seat = self.pools[pool_name], Seat(pool_name, slots, address)
        allocation = pool.joined(known.job_id, address, lambda: seat.idle_s)
        allocation.node = known.host
        guest = self._guests[address] = _Guest(seat, pool, allocation, known.ends_at)
        if time.time() > self._last_call(guest):
            seat.leave()
            await self._of_no_use(guest)
        else:
            self._driver.add_seat(seat)

    async def _of_no_use(self, guest: _Guest) -> None:
        assert self._driver is not None
        why = (
            f"it has {guest.ends_at - time.time():.0f} s left, and a segment needs "
            f"{self._needed_s():.0f} s to be sure of its first commit: raise walltime_s, or lower "
            "checkpoint_interval"
        )
        guest.allocation.leaving = True
        try:
            guest.pool.fail_early(guest.allocation, why)
        except AllocationsFailError as error:
            await self._driver.stop(str(error))

    def _last_call(self, guest: _Guest) -> float:
        return guest.ends_at - self._needed_s()

    def _needed_s(self) -> float:
        return needed_s(self._monitor.pace.longest_s)

    def _drain(self, driver: Driver, guest: _Guest) -> None:
        guest.allocation.leaving = True
        guest.seat.leave()
        _logger.info("%s allocation %s is near its end", guest.pool.name, guest.allocation.job_id)
        if guest.seat.pool == MD:
            # Commits may be minutes apart: there is no hurry but that of the walltime.
            grace_s = max(guest.ends_at - SPARE_S - time.time(), 0.0)
            self._soon(driver.drain(guest.seat, grace_s))

    async def _on_worker(self, address: str, function: Callable[[], T]) -> T | None:
        """Call a function on a worker; None if it is lost meanwhile."""
        try:
            async with asyncio.timeout(ANSWER_S):
                answers = await self.client.run(function, workers=[address], on_error="ignore")
        except TimeoutError:
            return None
        found: T | None = answers.get(address)
        return found
