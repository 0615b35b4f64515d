"""Pools of Dask workers on this machine: one runs MD processes, the other analyses."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dask
from distributed import Client, Nanny, Scheduler, SpecCluster, Worker, WorkerPlugin

# A death of the worker is told to the driver at once: the driver, not Dask, decides on
# retries, because each attempt at a run needs a number of its own.
_CONFIG = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.daemon": True,
    "distributed.comm.timeouts.connect": "30s",
}
_LOGGERS = ("distributed", "bokeh", "tornado")


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many tasks each pool takes at once."""

    md: int
    """Slots for MD processes."""
    analysis: int
    """Slots for analysis tasks."""


def _log_to(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    return handler


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    handler = _log_to(path)
    try:
        yield
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).handlers = [logging.NullHandler()]
        handler.close()


class BesideDriver(WorkerPlugin):
    """Lets a worker live beside a driver that has the terminal.

    A Ctrl-C in the terminal is kept for the driver, which then stops the workers in order,
    and what Dask says goes to the driver's log.
    """

    name = "beside-driver"

    def __init__(self, log: Path) -> None:
        self.log = log

    def setup(self, worker: Worker) -> None:
        """Leave the terminal's foreground process group, and its screen."""
        if os.getpgid(0) != os.getpid():
            os.setpgid(0, 0)
        _log_to(self.log)


def _worker(pool: str, slots: int) -> dict[str, object]:
    options = {
        "nthreads": slots,
        "resources": {pool: slots},
        "host": "127.0.0.1",
        "memory_limit": 0,
        "dashboard_address": None,
        "dashboard": False,
        "silence_logs": logging.WARNING,
    }
    return {"cls": Nanny, "options": options}


@asynccontextmanager
async def local_pools(sizes: PoolSizes, log: Path) -> AsyncIterator[Client]:
    """Start both pools on this machine, reachable from this machine alone.

    Parameters
    ----------
    sizes : PoolSizes
        Tasks that each pool takes at once.
    log : Path
        File that gets what Dask says.

    Yields
    ------
    distributed.Client
        Asynchronous client of the scheduler; tasks choose their pool by ``resources``.
    """
    scheduler = {
        "cls": Scheduler,
        "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
    }
    workers = {"md": _worker("md", sizes.md), "analysis": _worker("analysis", sizes.analysis)}
    with dask.config.set(_CONFIG), _logging_to(log):
        async with (
            SpecCluster(scheduler=scheduler, workers=workers, asynchronous=True) as cluster,
            Client(cluster, asynchronous=True) as client,
        ):
            await client.register_plugin(BesideDriver(log))
            yield client
