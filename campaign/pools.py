"""Pools of Dask workers on this machine: one runs MD processes, the other analyses."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dask
from distributed import Client, Nanny, Scheduler, Worker, WorkerPlugin

from glasscreep.tasks.errors import GlasscreepError

# A death of the worker is told to the driver at once: the driver, not Dask, decides on
# retries, because each attempt at a run needs a number of its own.
_CONFIG = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.daemon": True,
    "distributed.comm.timeouts.connect": "30s",
}
STARTS_TRIED = 3
ANALYSIS = "analysis"
SETTLING_S = 10.0
_LOGGERS = ("distributed", "bokeh", "tornado")
_LOGGERS_OF_WORKERS = (*_LOGGERS, "glasscreep")


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many tasks each pool takes at once."""

    md: int
    """Slots for MD processes."""
    analysis: int
    """Slots for analysis tasks."""


def _log_to(path: Path, names: Sequence[str]) -> logging.Handler:
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    return handler


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    handler = _log_to(path, _LOGGERS)
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
        _log_to(self.log, _LOGGERS_OF_WORKERS)


class WarmKernels(WorkerPlugin):
    """Has the kernels of analyses compiled while the first simulations run.

    In a process of its own, so that no worker waits for it. Any number may run at once: each
    kernel is compiled by one of them, and the others wait for it.
    """

    name = "warm-kernels"

    def setup(self, worker: Worker) -> None:
        """Start compiling, beside a worker that analyses."""
        self._warming: subprocess.Popen[bytes] | None = None
        if str(worker.name).startswith(ANALYSIS):
            command = ["nice", sys.executable, "-P", "-m", "glasscreep.tasks.warming"]
            null = subprocess.DEVNULL
            self._warming = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)

    def teardown(self, worker: Worker) -> None:
        """Stop: what is compiled is kept."""
        if self._warming is not None:
            self._warming.terminate()
            self._warming.wait()


async def _keep_worker(scheduler: str, name: str, pool: str, slots: int) -> None:
    """Keep a worker of a pool for `slots` tasks at a scheduler, whatever becomes of it.

    A nanny replaces a worker that dies, but itself gives up if one dies while it starts.
    """
    failures = 0
    while True:
        nanny = Nanny(
            scheduler,
            name=name,
            nthreads=slots,
            resources={pool: slots},
            host="127.0.0.1",
            memory_limit=0,
            silence_logs=logging.WARNING,
        )
        starting = asyncio.ensure_future(nanny)
        try:
            await asyncio.shield(starting)
            failures = 0
            await nanny.finished()
        except RuntimeError as error:
            failures += 1
            if failures == STARTS_TRIED:
                msg = (
                    f"the {name} worker could not be started {STARTS_TRIED} times in a row: "
                    f"{error}. `glasscreep doctor` may tell why."
                )
                raise GlasscreepError(msg) from error
        finally:
            await asyncio.wait({starting})  # one that is just starting can't be closed
            await _settled(nanny)
            await nanny.close()


async def _settled(nanny: Nanny) -> None:
    """Wait while a worker that died is being replaced: a process without a number can't be ended."""
    deadline = asyncio.get_running_loop().time() + SETTLING_S
    while asyncio.get_running_loop().time() < deadline:
        process = nanny.process and nanny.process.process
        if process is None or process.pid is not None:
            return
        await asyncio.sleep(0.01)


@asynccontextmanager
async def local_pools(sizes: PoolSizes, log: Path) -> AsyncIterator[Client]:
    """Start a scheduler and both pools on this machine, reachable from this machine alone.

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
    try:
        async with _pools(sizes, log) as client:
            yield client
    except* GlasscreepError as group:  # its message is for the user, who has no use for groups
        raise group.exceptions[0] from None


@asynccontextmanager
async def _pools(sizes: PoolSizes, log: Path) -> AsyncIterator[Client]:
    with dask.config.set(_CONFIG), _logging_to(log):
        async with (
            Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler,
            asyncio.TaskGroup() as group,
            Client(scheduler.address, asynchronous=True) as client,
        ):
            # MD is in processes of its own; analysis is not, and threads would wait for each other.
            workers = [("md", "md", sizes.md)]
            workers += [(f"{ANALYSIS}-{number}", ANALYSIS, 1) for number in range(sizes.analysis)]
            keepers = [
                group.create_task(_keep_worker(scheduler.address, *worker)) for worker in workers
            ]
            await client.register_plugin(BesideDriver(log))
            await client.register_plugin(WarmKernels())
            await client.wait_for_workers(len(workers))
            yield client
            for keeper in keepers:
                keeper.cancel()
