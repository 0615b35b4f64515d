"""One sitting of the driver on this machine: what `run` does between the file and the summary."""

import asyncio
import os
import signal
from pathlib import Path

from rich.console import Console

from glasscreep.campaign.certificates import made_certificates
from glasscreep.campaign.directory import prepare, survey
from glasscreep.campaign.driving import Reason, drive, uninterrupted
from glasscreep.campaign.fitness import demand_fit
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.model_fit import demand_model
from glasscreep.campaign.own_trials import demand_own
from glasscreep.campaign.plan import progress_found
from glasscreep.campaign.pools import PoolSizes, local_pools
from glasscreep.campaign.progress import Display
from glasscreep.campaign.requests import forget_cancellations
from glasscreep.campaign.scan import forget_mendable_failures
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.session import Session, open_session
from glasscreep.campaign.snapshot import Snapshot
from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.files import storing
from glasscreep.tasks.stop import GRACE_S

LOG_FILE = "driver.log"
INTERRUPTED = "interrupted"


def run_campaign(campaign: Campaign, directory: Path, console: Console) -> Snapshot:
    """Do what is left to do of a campaign, on this machine.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; made, extended or gone on with.
    console : rich.console.Console
        Where progress is shown.

    Returns
    -------
    Snapshot
        How far the campaign is; its phase is `finished`, or `stopped` with a reason.

    Raises
    ------
    GlasscreepError
        If the directory can't be used, LAMMPS lacks what the campaign asks of it, an analysis
        function of the user's fails, another driver is at work on it, or it can't be written.
    """
    # All of these refuse before anything is made.
    prepared = survey(campaign, directory)
    demand_model(campaign, directory)
    if progress_found(prepared).unfinished_rows().size:
        demand_fit(campaign)
    demand_own(campaign, directory)
    with storing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with CampaignLock(directory) as lock, Display(console) as display:
        if lock.stale:
            display.say(f"taking over from {lock.stale}, which ended without a word")
        prepared = prepare(campaign, directory)
        forget_mendable_failures(directory)
        forget_cancellations(directory)
        launcher = LocalLauncher()
        session = open_session(prepared, display, launcher, launcher.environment())
        if session.is_work_left():
            session.publish("running")
            asyncio.run(_drive(session))
        else:
            session.finish_at_once()
        return session.monitor.snapshot()


async def _drive(session: Session) -> None:
    resources, directory = session.prepared.campaign.resources, session.prepared.directory
    sizes = PoolSizes(resources.slots_on(_cores()), resources.analysis_slots)
    reasons = dict.fromkeys((signal.SIGINT, signal.SIGTERM), Reason(INTERRUPTED))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup makes it
        reasons[signal.SIGHUP] = Reason(INTERRUPTED)
    said = (
        f"stopping: running segments go to their next checkpoint, {GRACE_S:.0f} s at most; "
        "a second Ctrl-C stops at once. Give the same command again to go on."
    )
    with uninterrupted():
        # Every user of the machine can reach the workers' ports.
        security = made_certificates(directory).security()
        async with local_pools(sizes, directory / LOG_FILE, security) as pools:
            await drive(session, pools, reasons, said)
    session.monitor.dashboard = ""
    session.finish()


def _cores() -> int:
    return len(os.sched_getaffinity(0))
