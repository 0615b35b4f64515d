"""The allocations of one pool: asked for by work left, noticed when dead or stuck, given back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.queue import JobState, View
from glasscreep.slurm.setbacks import EARLY_DEATHS, THEN, AllocationsFailError, Setbacks

EARLY_S = 60.0
"""An allocation that dies sooner after its start than this has something wrong with it."""
JOINING_S = 60.0
"""How long a running job may take to bring its workers, or to bring them back."""
IDLE_S = 60.0
"""How long an allocation may be more than the work left needs, before it is given back."""
TAIL_LINES, TAIL_BYTES = 15, 8192

_logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Allocation:
    """One job that brings workers."""

    job_id: str
    """Its SLURM job."""
    asked: float
    """When it was asked for, or taken over."""
    adopted: bool = False
    """Whether it was not asked for here."""
    state: str = "PENDING"
    """As SLURM calls it."""
    reason: str = ""
    """Why it waits, as SLURM calls it."""
    node: str = ""
    """Its first node."""
    started: float | None = None
    """When it was first seen at work."""
    workers: dict[str, Callable[[], float]] = field(default_factory=dict)
    """For how long each of its workers has had nothing to do [s], by address."""
    without: float | None = None
    """Since when it runs without a worker."""
    proven: bool = False
    """Whether it has lived for long enough to be of use."""
    leaving: bool = False
    """Whether it is to end, and is not counted on any more."""

    @property
    def idle_s(self) -> float:
        """For how long none of its workers has had anything to do [s]."""
        return min((idle_s() for idle_s in self.workers.values()), default=0.0)


@dataclass(frozen=True, slots=True)
class Slurm:
    """What a pool asks of SLURM."""

    submit: Callable[[], Awaitable[str]]
    """Ask for one more allocation; gives the job's id."""
    cancel: Callable[[str], Awaitable[None]]
    """End a job."""
    log: Callable[[str], Path]
    """File with the output of a job."""
    script: Path
    """File that is submitted."""


class Pool:
    """Keeps as many allocations as there is work for.

    Parameters
    ----------
    name : str
        `md` or `analysis`.
    slots : int
        Tasks that an allocation takes at a time.
    limit : int
        Most allocations to have at a time.
    slurm : Slurm or None
        How to ask; None where all jobs were submitted beforehand, and come by themselves.
    release : callable
        Tells an allocation to end, by way of a worker of it.
    """

    def __init__(
        self,
        name: str,
        slots: int,
        limit: int,
        slurm: Slurm | None,
        release: Callable[[Allocation], Awaitable[None]],
    ) -> None:
        self.name, self.slots, self.limit = name, slots, limit
        self._slurm, self._release = slurm, release
        self._allocations: dict[str, Allocation] = {}
        self._setbacks = Setbacks()
        self._too_many_since: float | None = None

    @property
    def trouble(self) -> str:
        """What went wrong last, until an allocation lives; for the status."""
        return self._setbacks.trouble

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """Those that are asked for or at work."""
        return tuple(self._allocations.values())

    def adopt(self, job_id: str, job: JobState | None = None) -> Allocation:
        """Take over a job that an earlier controller asked for, or that comes by itself."""
        found = Allocation(job_id, time.monotonic(), adopted=True)
        if job is not None:
            found.state, found.reason, found.node = job.state, job.reason, job.node
        return self._allocations.setdefault(job_id, found)

    def joined(self, job_id: str, worker: str, idle_s: Callable[[], float]) -> Allocation:
        """Note that a worker of a job is there."""
        allocation = self.adopt(job_id)
        allocation.workers[worker] = idle_s
        allocation.started = allocation.started or time.monotonic()
        allocation.state, allocation.without = "RUNNING", None
        return allocation

    def left(self, job_id: str, worker: str) -> None:
        """Note that a worker of a job is gone."""
        if allocation := self._allocations.get(job_id):
            allocation.workers.pop(worker, None)
            if not allocation.workers:
                allocation.without = time.monotonic()
            if self._slurm is None and not allocation.workers:
                del self._allocations[job_id]

    async def tend(self, load: int, view: View | None) -> None:
        """Look after the allocations.

        Parameters
        ----------
        load : int
            Tasks that wait or are being worked on.
        view : View or None
            What SLURM last said of the jobs; None if that is not known.

        Raises
        ------
        AllocationsFailError
            If several in a row have died just after their start.
        """
        for allocation in self.allocations:
            if view is not None and view.at > allocation.asked:
                await self._compare(allocation, view.jobs.get(allocation.job_id))
        for allocation in self.allocations:
            await self._check(allocation)
        await self._scale(load, may_ask=view is not None)

    async def give_back(self, allocation: Allocation) -> None:
        """Have an allocation end."""
        allocation.leaving = True
        if allocation.workers:
            await self._release(allocation)
        elif self._slurm is not None:
            await self._end(allocation, self._slurm)

    async def _compare(self, allocation: Allocation, job: JobState | None) -> None:
        if job is None or job.has_ended:
            del self._allocations[allocation.job_id]
            allocation.node = (job and job.node) or allocation.node
            if not allocation.leaving:
                self._died(allocation, job)
            return
        allocation.state, allocation.reason = job.state, job.reason
        allocation.node = job.node or allocation.node
        if job.state == "RUNNING" and allocation.started is None:
            began = time.monotonic() - job.lived_s
            allocation.started = allocation.without = max(began, allocation.asked)
        if job.is_held and not allocation.leaving:
            await self._give_up(allocation, f"SLURM holds it: {job.reason}")

    async def _check(self, allocation: Allocation) -> None:
        """Give up an allocation that runs, but without a worker."""
        now = time.monotonic()
        if allocation.workers and now - (allocation.started or now) > EARLY_S:
            self._setbacks.early = []
            if not allocation.proven:
                # Once: those to come may die one after the other beside one that lives.
                allocation.proven = True
                self._setbacks.proven()
        if allocation.without is not None and now - allocation.without > JOINING_S:
            why = f"it runs, but brought no worker for {JOINING_S:.0f} s"
            await self._give_up(allocation, why)

    async def _give_up(self, allocation: Allocation, why: str) -> None:
        if not allocation.leaving:
            self._failed(allocation, why)
        allocation.leaving = True
        assert self._slurm is not None
        await self._end(allocation, self._slurm)

    @staticmethod
    async def _end(allocation: Allocation, slurm: Slurm) -> None:
        allocation.without = time.monotonic()  # it is ended again if it is still there later
        try:
            await slurm.cancel(allocation.job_id)
        except SlurmError as error:
            _logger.warning("could not cancel allocation %s: %s", allocation.job_id, error)

    def _died(self, allocation: Allocation, job: JobState | None) -> None:
        how = job.state if job else "gone from SLURM's queue"
        present = time.monotonic()
        lived_s = job.lived_s if job else present - (allocation.started or present)
        why = f"it ended after {lived_s:.0f} s ({how})"
        if lived_s < EARLY_S and (job is None or job.is_at_fault):
            self.fail_early(allocation, why)
        else:
            self._failed(allocation, why)

    def fail_early(self, allocation: Allocation, why: str) -> None:
        """Count an allocation as one that was of no use, if it was asked for here.

        Raises
        ------
        AllocationsFailError
            If it is the last of several in a row.
        """
        self._failed(allocation, why)
        if allocation.adopted:
            return  # the one who asked for it may have used up its time
        if self._setbacks.died_early(allocation.job_id):
            raise AllocationsFailError(self._last_words(allocation))

    def _failed(self, allocation: Allocation, why: str) -> None:
        trouble = f"{self.name} allocation {allocation.job_id}: {why}"
        self._setbacks.happened(trouble, time.monotonic())

    def _last_words(self, allocation: Allocation) -> str:
        assert self._slurm is not None
        log = self._slurm.log(allocation.job_id)
        return (
            f"{EARLY_DEATHS} allocations in a row ({', '.join(self._setbacks.early)}) were of no use within "
            f"{EARLY_S:.0f} s of their start. The last: {self.trouble}; node "
            f"{allocation.node or 'unknown'}; script {self._slurm.script}; the last lines of "
            f"{log}:\n{_tail(log)}{THEN}"
        )

    async def _scale(self, load: int, *, may_ask: bool) -> None:
        counted = [one for one in self.allocations if not one.leaving]
        # Those that are leaving, but still at work, are within the limit too.
        at_work = sum(one.leaving and bool(one.workers) for one in self.allocations)
        wanted = min(self.limit, -(-load // self.slots))
        if len(counted) > wanted:
            await self._shrink(counted, len(counted) - wanted)
            return
        self._too_many_since = None
        if self._slurm is None or not may_ask or time.monotonic() < self._setbacks.next_try:
            return
        for _ in range(min(wanted, self.limit - at_work) - len(counted)):
            try:
                job_id = await self._slurm.submit()
            except SlurmError as error:
                self._refused(error)
                return
            self._setbacks.refusals = 0
            self._allocations[job_id] = Allocation(job_id, time.monotonic())
            _logger.info("asked for %s allocation %s", self.name, job_id)

    def _refused(self, error: SlurmError) -> None:
        self._setbacks.happened(str(error), time.monotonic())
        if not isinstance(error, SlurmUnreachableError):
            self._setbacks.refused(self.name, error)

    async def _shrink(self, counted: list[Allocation], excess: int) -> None:
        now = time.monotonic()
        self._too_many_since = self._too_many_since or now
        if now - self._too_many_since < IDLE_S:
            return
        idle = [one for one in counted if not one.workers and one.started is None]
        idle += [one for one in counted if one.idle_s >= IDLE_S]
        await asyncio.gather(*(self.give_back(one) for one in idle[:excess]))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, 2) - TAIL_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError as error:
        return f"(can't be read: {error.strerror})"
    return "\n".join(lines[-TAIL_LINES:])
