"""`cancel`: one run given up, or a whole campaign ended, from wherever its directory is seen."""

import asyncio
import json
import os
import shlex
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.cluster_jobs import job_names
from glasscreep.campaign.directory import read_campaign
from glasscreep.campaign.find import find_run
from glasscreep.campaign.lock import CampaignLock, LockedError, is_held, read_holder
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.requests import CANCELLED, HOW_TO_GO_ON, ask_to_cancel
from glasscreep.campaign.scan import FAILURE_FILE, has_failed, state_of
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.snapshot import read_snapshot, write_snapshot
from glasscreep.campaign.states import State
from glasscreep.campaign.submission import read_submission
from glasscreep.slurm.contact import FOLDER, remove_contact
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.queue import Queue
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing, write_durably
from glasscreep.tasks.manifest import Manifest, read_manifest
from glasscreep.tasks.places import run_directory
from glasscreep.tasks.segment import Outcome

TAKEN_WITHIN_S, GONE_WITHIN_S = 5.0, 3.0
LOOK_EVERY_S = 0.1
WHY = "cancelled"


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
        If there is no such run, it has ended already, or nothing can be written.
    """
    run_id = find_run(directory, run)
    place = run_directory(directory, run_id)
    manifest = read_manifest(place) if place.is_dir() else None
    _demand_unfinished(read_campaign(directory), place, manifest)
    if is_held(directory):
        request = ask_to_cancel(directory, run_id)
        taken = _comes_true(lambda: not request.exists(), TAKEN_WITHIN_S)
        said = "is cancelled" if taken else "will be cancelled when the driver looks"
    else:
        with CampaignLock(directory):
            _note(place, manifest)
        said = "is cancelled"
    ending = "`glasscreep run`, `submit` or `resume` goes on with it."
    _say(console, f"run {run_id} {said}. {ending}")


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
    jobs = []
    if campaign.cluster is not None and (shutil.which("squeue") or read_submission(directory)):
        jobs = _cancel_jobs(campaign, directory)
    if jobs:
        _say(console, f"cancelled: SLURM jobs {', '.join(jobs)}")
    if not is_held(directory):
        if jobs:
            _note_end(directory)
        else:
            _say(console, "nothing is running")
    elif (holder := read_holder(directory)) and holder.host == socket.gethostname():
        _stop(holder.pid, directory, console)
    elif jobs:
        _say(console, f"SLURM is still ending the driver: {holder}")
    else:
        who = holder or "a process that has only just started"
        msg = f"the campaign is driven by {who}: give the command there"
        raise GlasscreepError(msg)


def _cancel_jobs(campaign: Campaign, directory: Path) -> list[str]:
    """End all jobs of a campaign at once; what is not committed yet costs a block."""
    queue = Queue(job_names(campaign, directory))

    async def end() -> list[str]:
        jobs = [job_id for job_id, job in (await queue.ask()).items() if not job.has_ended]
        await queue.cancel_all(kill=True)
        return jobs

    try:
        jobs = asyncio.run(end())
        if jobs:
            _comes_true(lambda: not is_held(directory), GONE_WITHIN_S)
            # What the controller was submitting as it ended.
            asyncio.run(queue.cancel_all(kill=True))
    except SlurmError as error:
        raise GlasscreepError(str(error)) from error
    return jobs


def _stop(pid: int, directory: Path, console: Console) -> None:
    os.kill(pid, signal.SIGTERM)
    place = shlex.quote(str(directory))
    _say(
        console,
        f"process {pid} is told to stop: running segments go to their next checkpoint. "
        f"`glasscreep status {place}` tells when; the same command again stops it at once.",
    )


def _note_end(directory: Path) -> None:
    """Say in place of the controller, which was killed, that it has ended, and why."""
    try:
        with CampaignLock(directory):
            remove_contact(directory / FOLDER)
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


def _demand_unfinished(campaign: Campaign, place: Path, manifest: Manifest | None) -> None:
    if has_failed(place):
        msg = f"run {place.name} has failed or was cancelled already"
    elif state_of(manifest, campaign.frames) is State.DONE:
        msg = f"run {place.name} is done: there is nothing to cancel"
    elif all(run.id != place.name for run in campaign.runs()):
        msg = f"run {place.name} is not asked for any more, and is not worked on"
    else:
        return
    raise RefusedError(msg)


def _note(place: Path, manifest: Manifest | None) -> None:
    frames, step = (manifest.frames, manifest.step) if manifest else (0, 0)
    outcome = Outcome(place.name, CANCELLED, frames, step, HOW_TO_GO_ON, "", 0)
    with storing(place):
        place.mkdir(parents=True, exist_ok=True)
    write_durably(place / FAILURE_FILE, json.dumps(asdict(outcome), indent=1).encode())


def _comes_true(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)
