"""`cancel`: one run given up, or a whole campaign ended, from wherever its directory is seen."""

import asyncio
import json
import os
import shlex
import signal
import socket
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.cluster_jobs import job_names
from glasscreep.campaign.directory import read_campaign
from glasscreep.campaign.find import find_run
from glasscreep.campaign.lock import CampaignLock, is_held
from glasscreep.campaign.requests import CANCELLED, HOW_TO_GO_ON, ask_to_cancel
from glasscreep.campaign.scan import FAILURE_FILE
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.campaign.submission import read_submission
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.queue import Queue
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing, write_durably
from glasscreep.tasks.manifest import read_manifest
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.segment import Outcome

TAKEN_WITHIN_S = 5.0
LOOK_EVERY_S = 0.1


def cancel_run(directory: Path, run: str, console: Console) -> None:
    """Give one run up, whether a driver is at work or not.

    Parameters
    ----------
    directory : Path
        Campaign directory.
    run : str
        Id of the run, or the beginning of one.
    console : rich.console.Console
        Where to say what was done.

    Raises
    ------
    GlasscreepError
        If there is no such run, or nothing can be written.
    """
    run_id = find_run(directory, run)
    if is_held(directory):
        request = ask_to_cancel(directory, run_id)
        said = _wait_until_gone(request)
    else:
        with CampaignLock(directory):
            _note(directory, run_id)
        said = "is cancelled"
    ending = "`glasscreep run`, `submit` or `resume` goes on with it."
    console.print(f"run {run_id} {said}. {ending}", highlight=False, soft_wrap=True, markup=False)


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
    campaign = read_campaign(directory)
    if campaign.cluster is not None and read_submission(directory) is not None:
        try:
            # At once: what is committed stays, and what is not costs a block.
            asyncio.run(Queue(job_names(campaign, directory)).cancel_all(kill=True))
        except SlurmError as error:
            raise GlasscreepError(str(error)) from error
        console.print("all jobs of the campaign are cancelled", highlight=False)
    elif is_held(directory):
        _stop_local_driver(directory, console)
    else:
        console.print("nothing is running", highlight=False)


def _stop_local_driver(directory: Path, console: Console) -> None:
    snapshot = read_snapshot(directory)
    if snapshot is None or snapshot.host != socket.gethostname():
        where = f" on {snapshot.host}" if snapshot else ""
        msg = f"the campaign is driven by a process{where}: give the command there"
        raise GlasscreepError(msg)
    os.kill(snapshot.pid, signal.SIGTERM)
    console.print(
        f"process {snapshot.pid} is told to stop: running segments go to their next checkpoint; "
        f"`glasscreep status {shlex.quote(str(directory))}` tells when",
        highlight=False,
        soft_wrap=True,
    )


def _wait_until_gone(request: Path) -> str:
    deadline = time.monotonic() + TAKEN_WITHIN_S
    while request.exists():
        if time.monotonic() > deadline:
            return "will be cancelled when the driver looks"
        time.sleep(LOOK_EVERY_S)
    return "is cancelled"


def _note(directory: Path, run_id: str) -> None:
    place = run_directory(directory, run_id)
    manifest = read_manifest(place) if place.is_dir() else None
    frames, step = (manifest.frames, manifest.step) if manifest else (0, 0)
    outcome = Outcome(run_id, CANCELLED, frames, step, HOW_TO_GO_ON, "", 0)
    with storing(place):
        place.mkdir(parents=True, exist_ok=True)
    write_durably(place / FAILURE_FILE, json.dumps(asdict(outcome), indent=1).encode())
