"""Whether the LAMMPS of this machine can do a campaign, tried before anything is made."""

import subprocess
import sys

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.tries import last_line, last_words, tried
from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.fitness import UNFIT

TIMEOUT_S = 60.0


def demand_fit(campaign: Campaign) -> None:
    """Ask LAMMPS, in a process of its own, for all that the campaign needs of it.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.

    Raises
    ------
    RefusedError
        If LAMMPS lacks something, or can't be started.
    """
    words = [campaign.mixture().pair_style, *filter(None, [campaign.resources.accelerator])]
    command = [sys.executable, "-P", "-m", "glasscreep.tasks.fitness", *words]
    try:
        run = tried(command, LocalLauncher().environment(), TIMEOUT_S)
    except subprocess.TimeoutExpired:
        msg = f"LAMMPS gave no answer within {TIMEOUT_S:.0f} s; `glasscreep doctor` tells more"
        raise RefusedError(msg) from None
    if run.returncode == UNFIT:
        raise RefusedError(last_line(run.stdout))
    if run.returncode:
        msg = f"LAMMPS can't be started: {last_words(run)}; `glasscreep doctor` tells what to do"
        raise RefusedError(msg)
