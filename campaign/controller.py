"""The controller: `python -m glasscreep.campaign.controller DIR`, the job that drives a campaign.

SLURM sends SIGUSR1 before the walltime ends: the running segments go to their next checkpoint, the
job requeues itself, and the allocations wait for it. SIGTERM (scancel) stops it, and gives them
back. Started again, it goes on from what is on disk, and takes the allocations over that there are.
"""

import asyncio
import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.cluster import cluster_pools
from glasscreep.campaign.cluster_jobs import launcher_of
from glasscreep.campaign.directory import prepare, read_campaign
from glasscreep.campaign.driving import Reason, drive
from glasscreep.campaign.lock import CampaignLock, LockedError
from glasscreep.campaign.progress import Display
from glasscreep.campaign.session import Session, open_session
from glasscreep.campaign.snapshot import HANDING_OVER, Snapshot
from glasscreep.campaign.submission import read_submission
from glasscreep.slurm.contact import FOLDER, mark_ended, unmark_ended
from glasscreep.slurm.errors import SlurmError, SlurmUnreachableError
from glasscreep.slurm.job import requeue
from glasscreep.tasks.errors import GlasscreepError

LOCK_WAIT_S = 180.0
"""How long the lock of a controller that died on another node may outlive it."""
TO_CHECKPOINT_S = 75.0
"""How long segments have to reach a checkpoint when the walltime ends, of the two minutes that SLURM
tells ahead; the rest is for whatever comes after."""
STORAGE_PATIENCE_S = 3600.0
ASK_AGAIN_S = 2.0
CANCELLED = "the controller was cancelled"
HANDS_OVER = "its walltime is near: this job requeues itself, and its allocations wait for it"
FAILED = 1


def main() -> int:
    """Drive the campaign in the directory that the command line names."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("distributed").setLevel(logging.WARNING)
    signal.signal(signal.SIGUSR1, _put_off)
    directory, console = Path(sys.argv[1]), Console(soft_wrap=True)
    try:
        with _locked(directory), Display(console) as display:
            snapshot = _go_on(directory, display)
        if snapshot.why_stopped == HANDING_OVER:
            console.print(HANDS_OVER, highlight=False)
            asyncio.run(_requeue(os.environ["SLURM_JOB_ID"], directory))
            return 0
    except (GlasscreepError, SlurmError) as error:
        console.print(str(error), markup=False, emoji=False, highlight=False)
        return FAILED
    if snapshot.why_stopped:
        console.print(snapshot.why_stopped, markup=False, emoji=False, highlight=False)
        return FAILED
    return FAILED if snapshot.has_failures else 0


def _go_on(directory: Path, display: Display) -> Snapshot:
    """Do what is left; allocations wait for this controller, and after it only if another follows."""
    unmark_ended(directory / FOLDER)
    hands_over = False
    try:
        session = _open(directory, display)
        if session.is_work_left():
            asyncio.run(_drive(session))
        snapshot = session.finish()
        hands_over = snapshot.why_stopped == HANDING_OVER
        return snapshot
    finally:
        if not hands_over:
            # Without the mark, as on a full disk, allocations find out by waiting.
            with suppress(OSError):
                mark_ended(directory / FOLDER)


def _put_off(number: int, _: object) -> None:
    """Have a signal come again: it would kill a controller that still waits for the lock."""
    again = threading.Timer(ASK_AGAIN_S, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    deadline = time.monotonic() + LOCK_WAIT_S
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(CampaignLock(directory))
                break
            except LockedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
        yield


def _open(directory: Path, display: Display) -> Session:
    campaign = read_campaign(directory)
    prepared = prepare(campaign, directory)
    # Workers start MD processes with their own environment, that of another job and node.
    return open_session(prepared, display, launcher_of(campaign), environment={})


async def _drive(session: Session) -> None:
    directory = session.prepared.directory
    submission = read_submission(directory)
    asks_slurm = submission is None or not submission.presubmit
    reasons = {
        signal.SIGUSR1: Reason(HANDING_OVER, TO_CHECKPOINT_S),
        signal.SIGTERM: Reason(CANCELLED),
    }
    async with cluster_pools(session, asks_slurm=asks_slurm) as pools:
        said = "stopping: running segments go to their next checkpoint"
        await drive(session, pools, reasons, said, STORAGE_PATIENCE_S)
        if session.monitor.why_stopped != HANDING_OVER:
            await pools.give_all_back()
    session.monitor.dashboard, session.monitor.allocations = "", ()


async def _requeue(job_id: str, directory: Path) -> None:
    """Have this job run again; SLURM may be away for a moment, and there is time until the end."""
    while True:
        try:
            return await requeue(job_id)
        except SlurmUnreachableError as error:
            logging.getLogger(__name__).warning("can't requeue for now: %s", error)
            await asyncio.sleep(ASK_AGAIN_S)
        except SlurmError as error:
            msg = f"{error}\nNothing is lost: `glasscreep resume {shlex.quote(str(directory))}` goes on."
            raise SlurmError(msg) from error


if __name__ == "__main__":
    sys.exit(main())
