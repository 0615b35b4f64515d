"""Running SLURM's programs: without the traces of the job that runs them, and never for ever."""

import asyncio
import os
import shlex
import signal
from collections.abc import Sequence
from contextlib import suppress

from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.launch import FOREIGN

TIMEOUT_S = 30.0
HABITS = ("SALLOC_", "SQUEUE_", "SCANCEL_", "SCONTROL_")
"""Variables in which users keep options: with SQUEUE_PARTITION, jobs elsewhere seem to be gone."""
UNREACHABLE = (
    "unable to contact slurm controller",
    "socket timed out",
    "connection refused",
    "zero bytes were transmitted",
    "resource temporarily unavailable",
    "slurm backup controller in standby",
    "communication connection failure",
    "rate limit",
)
FULL = ("maxsubmit", "maximum job count")
"""SLURM's words for a user, or a cluster, with too many jobs for now."""
REMEDIES = {
    "invalid partition": "Name a partition that `sinfo` lists in `partition` of [cluster].",
    "invalid account": "Name an account of yours in `account` of [cluster].",
    "invalid qos": "Name a quality of service of yours in `qos` of [cluster].",
    "invalid feature": "Name features that `sinfo -o %f` lists in `constraint` of [cluster].",
    "node configuration is not available": (
        "Ask in [cluster] for nodes, cores and memory that the partition has: `sinfo -o '%P %D %c %m'`."
    ),
    "time limit": "Ask in [cluster] for a walltime that the partition allows: `sinfo -o '%P %l'`.",
    "job violates accounting/qos policy": "Ask in [cluster] for less, or `sacctmgr` for your limits.",
}
"""What to do when SLURM's words are these."""


def environment() -> dict[str, str]:
    """Give this process's environment without what a job or another MPI has left in it."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((*FOREIGN, *HABITS)) or name == "SLURM_CONF"
    }


async def call(command: Sequence[str]) -> str:
    """Run a program of SLURM, and give what it wrote to its standard output.

    Raises
    ------
    SlurmUnreachableError
        If SLURM did not answer, or not in time, or has no room for now.
    SlurmError
        If the program is not there, or SLURM refuses.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        msg = (
            f"{command[0]} can't be run ({error.strerror}). Is this a node of a SLURM cluster, with "
            "its programs on PATH?"
        )
        raise SlurmError(msg) from error
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate()
    except TimeoutError:
        msg = f"`{shlex.join(command)}` did not answer within {TIMEOUT_S:.0f} s"
        raise SlurmUnreachableError(msg) from None
    finally:
        await _end(process)
    if process.returncode == 0:
        return out.decode(errors="replace")
    raise _error(command, process.returncode, (err + out).decode(errors="replace").strip())


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what has not ended: at some sites the program is a script that runs the real one."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _error(command: Sequence[str], status: int | None, said: str) -> SlurmError:
    words = said.lower()
    msg = f"`{shlex.join(command)}` failed with status {status}: {said or 'without a word'}"
    if any(sign in words for sign in (*UNREACHABLE, *FULL)):
        return SlurmUnreachableError(msg)
    remedies = [what for sign, what in REMEDIES.items() if sign in words]
    return SlurmError("\n".join([msg, *remedies[:1]]))
