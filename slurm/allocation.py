"""What runs in the job of an allocation: workers for the controller of one campaign.

`python -m glasscreep.slurm.allocation FOLDER --pool md --slots 4 --walltime-s 86400`

It waits for the controller that FOLDER names, brings it its workers, and brings them to the next
controller when that one goes. It leaves on SIGTERM, when the controller tells it to (SIGUSR1, sent
by one of its workers), when the campaign has ended, and when no controller was there for some minutes.
"""

import argparse
import asyncio
import logging
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import dask
import psutil
from distributed import Security
from distributed.comm.core import connect

from glasscreep.slurm.contact import TLS, has_ended, read_contact
from glasscreep.slurm.credentials import load_credentials
from glasscreep.slurm.launch import FOREIGN
from glasscreep.slurm.workers import ANALYSIS, CONFIG, MD, live_through, nanny_of

KEPT = ("SLURM_JOB_ID", "SLURM_CONF")
"""What `srun` needs of the job's environment; MD processes inherit nothing else of it."""
ALONE_S = 600.0
"""How long to wait for a controller: one that requeues itself may wait for SLURM."""
LOOK_EVERY_S = 1.0
START_WITHIN_S = 30.0
"""Then it is looked up again where the controller is: it may be another one by now."""
ANSWER_S = 3.0
CLOSING_S = 3.0
_PID, _ENDS_AT = "GLASSCREEP_ALLOCATION_PID", "GLASSCREEP_ALLOCATION_ENDS_AT"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an allocation knows of itself."""

    job_id: str
    """Its SLURM job."""
    host: str
    """Name of its first node."""
    ends_at: float
    """When SLURM will end it [s since 1970]."""


def facts() -> Facts:
    """Describe the allocation that this worker belongs to; called on the worker."""
    ends_at = float(os.environ[_ENDS_AT])
    return Facts(os.environ.get("SLURM_JOB_ID", ""), socket.gethostname(), ends_at)


def leave() -> None:
    """Have the allocation end that this worker belongs to; called on the worker."""
    os.kill(int(os.environ[_PID]), signal.SIGUSR1)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Bring workers to the controller of a campaign.")
    parser.add_argument("folder", type=Path, help="the campaign's slurm folder")
    parser.add_argument("--pool", choices=(MD, ANALYSIS), required=True)
    parser.add_argument("--slots", type=int, required=True, help="tasks at a time")
    parser.add_argument("--walltime-s", type=int, required=True, help="asked of SLURM [s]")
    parser.add_argument("--interface", help="network interface to listen on")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("distributed").setLevel(logging.WARNING)
    _scrub(given.walltime_s)
    security = load_credentials(given.folder / TLS).security()
    with dask.config.set(CONFIG):
        asyncio.run(_serve(given, security))


def end_of_job(walltime_s: int) -> float:
    """Find out when SLURM will end the job that this process is [s since 1970]."""
    if told := os.environ.get("SLURM_JOB_END_TIME"):  # by SLURM 23.02 and later
        return float(told)
    # The batch shell has become this process: a long prologue counts, and so do slow imports.
    return psutil.Process().create_time() + walltime_s


def _scrub(walltime_s: int) -> None:
    ends_at = end_of_job(walltime_s)
    for name in list(os.environ):
        if name.startswith(FOREIGN) and name not in KEPT:
            del os.environ[name]
    os.environ |= {_PID: str(os.getpid()), _ENDS_AT: str(ends_at)}


async def _serve(given: argparse.Namespace, security: Security) -> None:
    job_id = os.environ.get("SLURM_JOB_ID", str(os.getpid()))
    name = f"{given.pool}-{job_id}"
    # MD is in processes of its own; analysis is not, and threads would wait for each other.
    workers = [(name, given.slots)]
    if given.pool == ANALYSIS:
        workers = [(f"{name}-{number}", 1) for number in range(given.slots)]
    _logger.info("%s: %d slots on %s", name, given.slots, socket.gethostname())
    async with asyncio.TaskGroup() as group:
        keepers = [
            group.create_task(_keep(given, security, worker, slots)) for worker, slots in workers
        ]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            loop.add_signal_handler(number, _end, number, keepers)


def _end(number: int, keepers: list["asyncio.Task[None]"]) -> None:
    _logger.info("leaving on %s", signal.Signals(number).name)
    for keeper in keepers:
        keeper.cancel()
    # What does not end by itself must not use up the time that SLURM leaves before it kills.
    asyncio.get_running_loop().call_later(CLOSING_S, os._exit, 0)


async def _keep(given: argparse.Namespace, security: Security, name: str, slots: int) -> None:
    """Keep a worker at the controller there is, until there was none for some minutes."""
    seen = time.monotonic()
    while time.monotonic() - seen < ALONE_S:
        contact = read_contact(given.folder)
        # A controller that was killed leaves its address behind, at which a nanny would wait.
        if contact and await _answers(contact.scheduler, security):
            nanny = nanny_of(
                contact.scheduler,
                name,
                given.pool,
                slots,
                security,
                start_within_s=START_WITHIN_S,
                interface=given.interface,
            )
            try:
                await live_through(nanny)
                seen = time.monotonic()
                _logger.info("%s has left %s", name, contact.scheduler)
            except (RuntimeError, OSError, TimeoutError) as error:
                _logger.info("%s can't reach %s: %s", name, contact.scheduler, error)
        if has_ended(given.folder):
            _logger.info("the campaign has ended: %s leaves", name)
            return
        await asyncio.sleep(LOOK_EVERY_S)
    _logger.info("no controller for %.0f s: %s leaves", ALONE_S, name)


async def _answers(scheduler: str, security: Security) -> bool:
    try:
        arguments = security.get_connection_args("worker")
        connection = await connect(scheduler, timeout=ANSWER_S, **arguments)
    except (OSError, TimeoutError) as error:
        _logger.info("no answer from %s: %s", scheduler, error)
        return False
    connection.abort()
    return True


if __name__ == "__main__":
    _main()
