"""Pools of Dask workers on this machine: one runs MD processes, the other analyses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dask
from distributed import Client, Scheduler, Security

from glasscreep.campaign.driver import Driver
from glasscreep.campaign.seat import Seat
from glasscreep.slurm.scheduler import scheduler_of
from glasscreep.slurm.workers import (
    ANALYSIS,
    CONFIG,
    MD,
    BesideDriver,
    WarmKernels,
    WorkerError,
    keep_worker,
    logging_to,
)
from glasscreep.tasks.errors import GlasscreepError


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many tasks each pool takes at once."""

    md: int
    """Slots for MD processes; none where nothing is simulated."""
    analysis: int
    """Slots for analysis tasks."""


@dataclass(frozen=True, slots=True)
class LocalPools:
    """Both pools, with as many workers from the first to the last."""

    scheduler: Scheduler
    """Scheduler, in this process."""
    client: Client
    """Asynchronous client of the scheduler."""
    sizes: PoolSizes
    """Slots of each."""

    def serve(self, driver: Driver) -> None:
        """Let a driver use every slot."""
        driver.add_seat(Seat(MD, self.sizes.md))
        driver.add_seat(Seat(ANALYSIS, self.sizes.analysis))

    async def tend(self, driver: Driver) -> None:
        """Do nothing: the workers are kept."""


@asynccontextmanager
async def local_pools(sizes: PoolSizes, log: Path, security: Security) -> AsyncIterator[LocalPools]:
    """Start a scheduler and both pools on this machine, reachable from this machine alone.

    Parameters
    ----------
    sizes : PoolSizes
        Tasks that each pool takes at once.
    log : Path
        File that gets what Dask says.
    security : distributed.Security
        Certificates; without them every user of the machine could have workers run anything.

    Yields
    ------
    LocalPools
        For the driver; tasks choose their pool by ``resources``.
    """
    try:
        async with _pools(sizes, log, security) as pools:
            yield pools
    except* (GlasscreepError, WorkerError) as group:  # for the user, who has no use for groups
        error = group.exceptions[0]
        raise (GlasscreepError(str(error)) if isinstance(error, WorkerError) else error) from None


@asynccontextmanager
async def _pools(sizes: PoolSizes, log: Path, security: Security) -> AsyncIterator[LocalPools]:
    with dask.config.set(CONFIG), logging_to(log):
        async with (
            scheduler_of(security, host="127.0.0.1") as scheduler,
            asyncio.TaskGroup() as group,
            Client(scheduler.address, asynchronous=True, security=security) as client,
        ):
            # MD is in processes of its own; analysis is not, and threads would wait for each other.
            workers = [(MD, MD, sizes.md)] if sizes.md else []
            workers += [(f"{ANALYSIS}-{number}", ANALYSIS, 1) for number in range(sizes.analysis)]
            keepers = [
                group.create_task(keep_worker(scheduler.address, *worker, security))
                for worker in workers
            ]
            await client.register_plugin(BesideDriver(log))
            await client.register_plugin(WarmKernels())
            await client.wait_for_workers(len(workers))
            yield LocalPools(scheduler, client, sizes)
            for keeper in keepers:
                keeper.cancel()
