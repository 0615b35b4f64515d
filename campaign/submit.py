"""Handing a campaign to SLURM: what `submit` and `resume` do on the login node."""

import asyncio
import getpass
import shlex
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from glasscreep.campaign.certificates import made_certificates
from glasscreep.campaign.cluster_jobs import (
    cluster_of,
    job_name,
    job_names,
    job_requests,
    launcher_of,
    script_path,
    slots_per_allocation,
)
from glasscreep.campaign.compatible import demand_compatible
from glasscreep.campaign.directory import Prepared, prepare, read_campaign
from glasscreep.campaign.job_names import KINDS
from glasscreep.campaign.left import unfinished_runs
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.model_fit import demand_model
from glasscreep.campaign.monitor import now
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.progress import Display, tell_failures
from glasscreep.campaign.requests import forget_cancellations
from glasscreep.campaign.scan import forget_mendable_failures
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.session import open_session
from glasscreep.campaign.snapshot import Snapshot
from glasscreep.campaign.submission import Submission, write_submission
from glasscreep.campaign.terminal import say
from glasscreep.slurm.contact import FOLDER, unmark_ended
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.job import submitted
from glasscreep.slurm.private import private_folder
from glasscreep.slurm.queue import Queue
from glasscreep.slurm.script import JobRequest
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing

CONTROLLER, MD, ANALYSIS = KINDS


def submit_campaign(
    campaign: Campaign, directory: Path, console: Console, *, presubmit: bool
) -> bool:
    """Hand what is left to do of a campaign to SLURM.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; made, extended or gone on with.
    console : rich.console.Console
        Where to say what was done.
    presubmit : bool
        Whether to submit the allocations too, since compute nodes may not.

    Returns
    -------
    bool
        Whether all is well; False where nothing is left to do, but runs or analyses have failed.

    Raises
    ------
    GlasscreepError
        If the directory can't be used, the campaign is being driven or waits in SLURM's queue, or
        SLURM refuses.
    """
    # All of these refuse before anything is made.
    requests = job_requests(campaign, directory)
    demand_compatible(campaign, directory)
    demand_model(campaign, directory)
    with storing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    try:
        with CampaignLock(directory):
            there = asyncio.run(_jobs_there(campaign, directory))
            prepared = prepare(campaign, directory)
            forget_mendable_failures(directory)
            forget_cancellations(directory)
            left = unfinished_runs(prepared, _most(campaign, MD) if presubmit else 1)
            if not left and (ended := _ended(prepared, console)):
                return not ended.has_failures
            pools = list(_allocations(prepared, left, there)) if presubmit else None
            with storing(directory / FOLDER):
                private_folder(directory / FOLDER)
                made_certificates(directory)
                unmark_ended(directory / FOLDER)
                jobs = asyncio.run(_submit(requests, directory.resolve(), pools))
    except SlurmError as error:
        raise GlasscreepError(str(error)) from error
    tell(jobs, directory, console)
    return True


def resume_campaign(directory: Path, console: Console, *, presubmit: bool) -> bool:
    """Hand a campaign to SLURM again, as it was asked for last; as `submit_campaign`."""
    campaign = read_campaign(directory)
    if campaign.cluster is None:
        place = shlex.quote(str(directory))
        msg = (
            f"the campaign in {directory} was not asked for on a cluster, but with `glasscreep run`. "
            f"Add a section [cluster] to its file, then give "
            f"`glasscreep submit CAMPAIGN.toml --dir {place}`."
        )
        raise RefusedError(msg)
    return submit_campaign(campaign, directory, console, presubmit=presubmit)


def tell(submission: Submission, directory: Path, console: Console) -> None:
    """Say what was submitted, and what can be done next."""
    place = shlex.quote(str(directory))
    lines = [f"submitted: controller job {submission.controller}"]
    if submission.presubmitted:
        lines.append(f"and allocations {', '.join(submission.presubmitted)}")
    lines += [
        f"  glasscreep status {place}      how far it is",
        f"  glasscreep attach {place}      the same, live",
        f"  glasscreep dashboard {place}   how to reach Dask's dashboard",
        f"  glasscreep logs {place}        what the jobs wrote",
        f"  glasscreep cancel {place} --all",
        "This terminal may be closed.",
    ]
    say(console, "\n".join(lines))


def _ended(prepared: Prepared, console: Console) -> Snapshot | None:
    """Look at every run, and at its analysis; if nothing is to do, say so and what failed."""
    launcher = launcher_of(prepared.campaign)
    with Display(console) as display:
        session = open_session(prepared, display, launcher, environment={})
        if session.is_work_left():
            return None
        ended = session.finish_at_once()
    tell_failures(ended, console)
    return ended


async def _jobs_there(campaign: Campaign, directory: Path) -> Counter[str]:
    """Count the campaign's jobs in SLURM's queue by their names; refuse if it has a controller."""
    names = job_names(campaign, directory)
    jobs = {key: job for key, job in (await Queue(names).ask()).items() if not job.has_ended}
    for job_id, job in jobs.items():
        if job.name == names[0]:
            place = shlex.quote(str(directory))
            msg = (
                f"the campaign's controller is job {job_id} already ({job.state}). See how far it "
                f"is with `glasscreep status {place}`, or end it with `glasscreep cancel {place} "
                "--all`, and give the same command again."
            )
            raise RefusedError(msg)
    return Counter(job.name for job in jobs.values())


def _most(campaign: Campaign, pool: str) -> int:
    """Give how many tasks a pool takes at a time, at its largest."""
    section = getattr(cluster_of(campaign), pool)
    return int(section.max_allocations * slots_per_allocation(campaign)[pool])


def _allocations(prepared: Prepared, unfinished: int, there: Counter[str]) -> Iterator[str]:
    """Give the pool of each allocation that there is work for at a time, and no job yet."""
    campaign = prepared.campaign
    analysed = int(np.count_nonzero(prepared.asked)) if prepared.results else 0
    for pool, work in {MD: unfinished, ANALYSIS: analysed}.items():
        at_a_time = min(work, _most(campaign, pool))
        wanted = -(-at_a_time // slots_per_allocation(campaign)[pool])
        yield from [pool] * (wanted - there[job_name(campaign, prepared.directory, pool)])


async def _submit(
    requests: Mapping[str, JobRequest], directory: Path, pools: Sequence[str] | None
) -> Submission:
    jobs: list[str] = []
    try:
        for kind in (CONTROLLER, *(pools or ())):
            jobs.append(await submitted(requests[kind], script_path(directory, kind)))
        submission = Submission(
            controller=jobs[0],
            presubmitted=tuple(jobs[1:]),
            presubmit=pools is not None,
            host=socket.gethostname(),
            user=getpass.getuser(),
            submitted=now(),
        )
        write_submission(directory, submission)
    except BaseException as error:  # half of it would wait for the other half
        await _take_back(Queue([requests[CONTROLLER].name]), jobs)
        if jobs and isinstance(error, SlurmError):
            msg = f"{error}\nWhat was submitted before it is cancelled: {', '.join(jobs)}."
            raise SlurmError(msg) from error
        raise
    return submission


async def _take_back(controller: Queue, jobs: Sequence[str]) -> None:
    """Cancel what was submitted; by name too, since a program that fails may have done its work."""
    try:
        await controller.cancel(*jobs)
        await controller.cancel_all()
    except SlurmError as error:
        msg = f"{error}\nLook with `squeue --me` whether there are jobs of the campaign to cancel."
        raise SlurmError(msg) from error
