"""The scheduler of a controller, and the pools that SLURM's allocations bring to it."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import dask
import psutil
from distributed import Client, Scheduler, SchedulerPlugin

from glasscreep.campaign.certificates import known_certificates
from glasscreep.campaign.cluster_jobs import (
    cluster_of,
    job_names,
    job_requests,
    script_path,
    slots_per_allocation,
)
from glasscreep.campaign.cluster_pools import ClusterPools
from glasscreep.campaign.directory import Prepared
from glasscreep.campaign.session import Session
from glasscreep.slurm.contact import FOLDER, Contact, remove_contact, write_contact
from glasscreep.slurm.job import submitted
from glasscreep.slurm.pool import Pool, Slurm
from glasscreep.slurm.queue import Queue
from glasscreep.slurm.scheduler import scheduler_of
from glasscreep.slurm.script import JobRequest
from glasscreep.slurm.workers import ANALYSIS, CONFIG, MD, WarmKernels
from glasscreep.tasks.errors import GlasscreepError


class _Arrivals(SchedulerPlugin):
    """Tells the pools who comes and goes."""

    name = "glasscreep-arrivals"

    def __init__(self, pools: ClusterPools) -> None:
        self.pools = pools

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """Take in a new worker."""
        (pool, slots), *_ = scheduler.workers[worker].resources.items()
        self.pools.arrived(worker, pool, int(slots))

    def remove_worker(self, scheduler: Scheduler, worker: str, **_: object) -> None:
        """Take in the loss of one."""
        self.pools.departed(worker)


@asynccontextmanager
async def cluster_pools(session: Session, *, asks_slurm: bool) -> AsyncIterator[ClusterPools]:
    """Start the scheduler of a campaign, and let its allocations know of it.

    Parameters
    ----------
    session : Session
        The campaign.
    asks_slurm : bool
        Whether to ask SLURM for allocations; else those come that were submitted beforehand.

    Yields
    ------
    ClusterPools
        Takes workers in; on leaving, the scheduler ends, and what was not given back waits for
        the next controller.
    """
    campaign, directory = session.prepared.campaign, session.prepared.directory
    folder = directory / FOLDER
    security = known_certificates(directory).security()
    _require_interface(cluster_of(campaign).interface)
    with dask.config.set(CONFIG):
        async with (
            scheduler_of(security, interface=cluster_of(campaign).interface) as scheduler,
            Client(scheduler.address, asynchronous=True, security=security) as client,
        ):
            queue = Queue(job_names(campaign, directory)) if asks_slurm else None
            pools = ClusterPools(scheduler, client, queue, session.monitor)
            requests = job_requests(campaign, directory)
            for name in (MD, ANALYSIS):
                pools.pools[name] = _pool(name, pools, session.prepared, requests[name], queue)
            await client.register_plugin(WarmKernels())
            scheduler.add_plugin(_Arrivals(pools))
            write_contact(folder, Contact.of_this_process(scheduler.address, client.dashboard_link))
            try:
                yield pools
            finally:
                remove_contact(folder)


def _require_interface(name: str | None) -> None:
    known = psutil.net_if_addrs()
    if name is not None and name not in known:
        msg = (
            f"cluster.interface: {socket.gethostname()} has no network interface {name}, but "
            f"{', '.join(sorted(known))}. Change the campaign file and give `glasscreep submit` again."
        )
        raise GlasscreepError(msg)


def _pool(
    name: str, pools: ClusterPools, prepared: Prepared, request: JobRequest, queue: Queue | None
) -> Pool:
    """Make a pool of the size that the campaign file says."""
    campaign = prepared.campaign
    slurm, script = None, script_path(prepared.directory, name)
    if queue is not None:
        slurm = Slurm(
            submit=partial(submitted, request, script),
            cancel=queue.cancel,
            log=request.log,
            script=script,
        )
    limit = getattr(cluster_of(campaign), name).max_allocations
    return Pool(name, slots_per_allocation(campaign)[name], limit, slurm, pools.release)
