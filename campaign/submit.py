"""Handing a campaign to SLURM: what `submit` and `resume` do on the login node."""

import asyncio
import getpass
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.cluster_jobs import (
    cluster_of,
    job_names,
    job_requests,
    launcher_of,
    script_path,
)
from glasscreep.campaign.directory import Prepared, prepare, read_campaign, survey
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.monitor import now
from glasscreep.campaign.plan import make_plan
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.progress import Display
from glasscreep.campaign.scan import forget_mendable_failures
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.session import open_session
from glasscreep.campaign.submission import Submission, write_submission
from glasscreep.slurm.contact import FOLDER, TLS, private_folder
from glasscreep.slurm.credentials import CredentialsError, ensure_credentials
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.job import submitted
from glasscreep.slurm.queue import Queue
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.files import storing

CONTROLLER = "controller"


def submit_campaign(
    campaign: Campaign, directory: Path, console: Console, *, presubmit: bool
) -> Submission | None:
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
    Submission or None
        What was submitted; None if nothing is left to do.

    Raises
    ------
    GlasscreepError
        If the directory can't be used, the campaign is being driven or waits in SLURM's queue, or
        SLURM refuses.
    """
    cluster_of(campaign)
    survey(campaign, directory)  # refuses before anything is made
    with storing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with CampaignLock(directory):
        prepared = prepare(campaign, directory)
        forget_mendable_failures(directory)
        if not _is_work_left(prepared, console):
            console.print("nothing to do: all that the campaign asks for is there")
            return None
        try:
            with storing(directory):
                private_folder(directory / FOLDER)
            ensure_credentials(directory / FOLDER / TLS)
            submission = asyncio.run(_submit(prepared, presubmit=presubmit))
        except (SlurmError, CredentialsError) as error:
            raise GlasscreepError(str(error)) from error
    tell(submission, directory, console)
    return submission


def resume_campaign(directory: Path, console: Console, *, presubmit: bool) -> Submission | None:
    """Hand a campaign to SLURM again, as it was asked for last; as `submit_campaign`."""
    return submit_campaign(read_campaign(directory), directory, console, presubmit=presubmit)


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
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _is_work_left(prepared: Prepared, console: Console) -> bool:
    launcher = launcher_of(prepared.campaign)
    return open_session(prepared, Display(console), launcher, environment={}).is_work_left()


async def _submit(prepared: Prepared, *, presubmit: bool) -> Submission:
    campaign, directory = prepared.campaign, prepared.directory.resolve()
    names = job_names(campaign, directory)
    await _refuse_if_there(names[0], directory)
    requests = job_requests(campaign, directory)
    kinds = [CONTROLLER, *(_allocations(campaign, directory) if presubmit else ())]
    jobs: list[str] = []
    try:
        for kind in kinds:
            jobs.append(await submitted(requests[kind], script_path(directory, kind)))
        submission = Submission(
            controller=jobs[0],
            presubmitted=tuple(jobs[1:]),
            presubmit=presubmit,
            host=socket.gethostname(),
            user=getpass.getuser(),
            submitted=now(),
        )
        write_submission(directory, submission)
    except BaseException:  # half of it would wait for the other half
        await Queue(names).cancel(*jobs)
        raise
    return submission


async def _refuse_if_there(name: str, directory: Path) -> None:
    view = await Queue([name]).look()
    if view is None:
        msg = "SLURM does not answer, so that it is not known whether the campaign runs. Try again."
        raise GlasscreepError(msg)
    for job_id, job in view.jobs.items():
        if not job.has_ended:
            place = shlex.quote(str(directory))
            msg = (
                f"the campaign's controller is job {job_id} already ({job.state}). See how far it "
                f"is with `glasscreep status {place}`, or end it with `glasscreep cancel {place} "
                "--all`, and give the same command again."
            )
            raise RefusedError(msg)


def _allocations(campaign: Campaign, directory: Path) -> Iterator[str]:
    """Give the pool of each allocation that there is work for at a time."""
    plan = make_plan(campaign, directory).cluster
    for name, pool in plan.pools.items() if plan else ():
        yield from [name] * pool.allocations
