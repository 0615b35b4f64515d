"""`cancel DIR --all`: a campaign's driver and all its jobs ended, from wherever it is seen."""

import asyncio
import os
import shlex
import shutil
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.job_names import names_of_jobs
from glasscreep.campaign.lock import CampaignLock, LockedError, is_held, read_holder
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.snapshot import read_snapshot, write_snapshot
from glasscreep.campaign.submission import read_submission
from glasscreep.campaign.terminal import say
from glasscreep.slurm.contact import FOLDER, mark_ended
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.queue import Queue
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing

GONE_WITHIN_S = 3.0
LOOK_EVERY_S = 0.1
WHY = "cancelled"


def cancel_all(directory: Path, console: Console) -> None:
    """End a campaign's driver and all its jobs, wherever they are.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    console : rich.console.Console
        Where to say what was done.

    Raises
    ------
    GlasscreepError
        If SLURM can't be told, or the driver is on another machine.
    """
    names, jobs = names_of_jobs(directory), []
    if names and (shutil.which("squeue") or read_submission(directory)):
        jobs = _cancel_jobs(names, directory)
    if jobs:
        say(console, f"cancelled: SLURM jobs {', '.join(jobs)}")
    if not is_held(directory):
        if jobs:
            _note_end(directory)
        else:
            say(console, "nothing is running")
    elif (holder := read_holder(directory)) and holder.host == socket.gethostname():
        _stop(holder.pid, directory, console)
    elif jobs:
        say(console, f"SLURM is still ending the driver: {holder}")
    else:
        who = holder or "a process that has only just started"
        msg = f"the campaign is driven by {who}: give the command there"
        raise RefusedError(msg)


def _cancel_jobs(names: Sequence[str], directory: Path) -> list[str]:
    """End all jobs of a campaign at once; what is not committed yet costs a block."""
    queue = Queue(names)

    async def end() -> list[str]:
        jobs = [job_id for job_id, job in (await queue.ask()).items() if not job.has_ended]
        await queue.cancel_all(kill=True)
        return jobs

    try:
        jobs = asyncio.run(end())
        if jobs:
            comes_true(lambda: not is_held(directory), GONE_WITHIN_S)
            # What the controller was submitting as it ended.
            asyncio.run(queue.cancel_all(kill=True))
    except SlurmError as error:
        raise GlasscreepError(str(error)) from error
    return jobs


def _stop(pid: int, directory: Path, console: Console) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        say(console, "nothing is running")
        return
    except PermissionError as error:
        msg = f"process {pid}, which drives the campaign, is another user's"
        raise RefusedError(msg) from error
    place = shlex.quote(str(directory))
    say(
        console,
        f"process {pid} is told to stop: running segments go to their next checkpoint. "
        f"`glasscreep status {place}` tells when; the same command again stops it at once.",
    )


def _note_end(directory: Path) -> None:
    """Say in place of the controller, which was killed, that it has ended, and why."""
    try:
        with CampaignLock(directory):
            with storing(directory):
                mark_ended(directory / FOLDER)
            snapshot = read_snapshot(directory)
            if snapshot is not None and snapshot.phase in ("running", "stopping"):
                ended = replace(
                    snapshot,
                    phase="stopped",
                    why_stopped=WHY,
                    dashboard="",
                    active=(),
                    allocations=(),
                    trouble="",
                )
                write_snapshot(directory, ended)
    except LockedError:
        return  # another driver has begun, and tells for itself


def comes_true(condition: Callable[[], bool], within_s: float) -> bool:
    """Wait until a condition holds, but not for longer than told; say whether it does."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True
