"""Running SLURM's programs: without the traces of the job that runs them, and never for ever."""

import asyncio
import os
import shlex
from collections.abc import Sequence

from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.launch import FOREIGN

TIMEOUT_S = 30.0
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


def environment() -> dict[str, str]:
    """Give this process's environment without what a job or another MPI has left in it."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) or name == "SLURM_CONF"
    }


async def call(command: Sequence[str]) -> str:
    """Run a program of SLURM, and give what it wrote to its standard output.

    Raises
    ------
    SlurmUnreachableError
        If SLURM did not answer, or not in time.
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
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return out.decode(errors="replace")
    raise _error(command, process.returncode, (err + out).decode(errors="replace").strip())


def _error(command: Sequence[str], status: int | None, said: str) -> SlurmError:
    msg = f"`{shlex.join(command)}` failed with status {status}: {said or 'without a word'}"
    if any(words in said.lower() for words in UNREACHABLE):
        return SlurmUnreachableError(msg)
    return SlurmError(msg)
