"""Dask workers that are kept alive, whatever becomes of them."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from distributed import Nanny, Security, Worker, WorkerPlugin

CONFIG = {
    # A death of the worker is told to the driver at once: the driver, not Dask, decides on
    # retries, because each attempt at a run needs a number of its own.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.daemon": True,
    "distributed.comm.timeouts.connect": "30s",
    # Longer than a switch needs to come back, shorter than anyone would wait for a dead node.
    "distributed.comm.timeouts.tcp": "60s",
    # It is on loopback, which Dask doesn't know: it takes it to be where the scheduler listens.
    "distributed.dashboard.link": "http://127.0.0.1:{port}/status",
}
"""Settings of Dask, for schedulers, workers and clients alike."""
STARTS_TRIED = 3
MD, ANALYSIS = "md", "analysis"
"""Names of the pools, and of the resource that their workers offer."""
SETTLING_S = 10.0
LOGGERS = ("asyncio", "distributed", "bokeh", "tornado")
"""The first tells of tasks of the second that a closing connection has ended."""
_LOGGERS_OF_WORKERS = (*LOGGERS, "glasscreep")


class WorkerError(Exception):
    """A worker can't be started. The message is for the user."""


def _log_to(path: Path, names: Sequence[str]) -> logging.Handler:
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    return handler


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Have a file get what Dask says in this process."""
    handler = _log_to(path, LOGGERS)
    try:
        yield
    finally:
        for name in LOGGERS:
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


def nanny_of(
    scheduler: str,
    name: str,
    pool: str,
    slots: int,
    security: Security,
    *,
    start_within_s: float | None = None,
    **where: str | None,
) -> Nanny:
    """Make, but not start, the nanny of a worker for `slots` tasks of a pool at a time.

    `where` it listens: its `host` or its `interface`. `start_within_s` is how long it may look for
    the scheduler; for ever without it.
    """
    return Nanny(
        scheduler,
        name=name,
        nthreads=slots,
        resources={pool: slots},
        security=security,
        memory_limit=0,
        death_timeout=start_within_s,
        silence_logs=logging.WARNING,
        dashboard_address="127.0.0.1:0",
        **where,
    )


async def keep_worker(scheduler: str, name: str, pool: str, slots: int, security: Security) -> None:
    """Keep a worker at a scheduler on this machine until cancelled.

    A nanny replaces a worker that dies, but itself gives up if one dies while it starts.

    Raises
    ------
    WorkerError
        If it could not be started several times in a row.
    """
    failures = 0
    while True:
        try:
            await live_through(nanny_of(scheduler, name, pool, slots, security, host="127.0.0.1"))
            failures = 0
        except RuntimeError as error:
            failures += 1
            if failures == STARTS_TRIED:
                msg = (
                    f"the {name} worker could not be started {STARTS_TRIED} times in a row: "
                    f"{error}. `glasscreep doctor` may tell why."
                )
                raise WorkerError(msg) from error


async def live_through(nanny: Nanny) -> None:
    """Start a nanny, wait until it has ended, and clear up after it in any case.

    Raises
    ------
    RuntimeError, OSError
        If it could not be started.
    """
    starting = asyncio.ensure_future(nanny)
    try:
        await asyncio.shield(starting)
        await nanny.finished()
    finally:
        await asyncio.wait({starting})  # one that is just starting can't be closed
        starting.exception()  # who was cancelled meanwhile does not ask for it
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
