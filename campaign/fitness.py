"""Whether the LAMMPS of this machine can do a campaign, tried before anything is made."""

import subprocess
import sys
import tempfile
from pathlib import Path

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.tries import last_line, last_words, tried
from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.fitness import UNFIT
from glasscreep.tasks.physics import RunPhysics
from glasscreep.tasks.places import ATTACHED
from glasscreep.tasks.settings import Wanted
from glasscreep.tasks.task import SegmentTask, encode

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
    command = [sys.executable, "-P", "-m", "glasscreep.tasks.fitness"]
    try:
        with tempfile.TemporaryDirectory(prefix="glasscreep-fitness-") as directory:
            for file in campaign.attachments():
                file.keep(Path(directory) / ATTACHED / file.path.name)
            task = _first_task(campaign, directory)
            run = tried(command, LocalLauncher().environment(), TIMEOUT_S, encode(task))
    except subprocess.TimeoutExpired:
        msg = f"LAMMPS gave no answer within {TIMEOUT_S:.0f} s; `glasscreep doctor` tells more"
        raise RefusedError(msg) from None
    if run.returncode == UNFIT:
        raise RefusedError(last_line(run.stdout))
    if run.returncode:
        msg = f"LAMMPS can't be started: {last_words(run)}; `glasscreep doctor` tells what to do"
        raise RefusedError(msg)


def _first_task(campaign: Campaign, directory: str) -> SegmentTask:
    resources, (glass,), point = campaign.resources, campaign.glasses(1), campaign.points()[0]
    return SegmentTask(
        physics=RunPhysics(
            glass.physics, campaign.creep.physics(), point.temperature, point.stress
        ),
        directory=directory,
        row=0,
        attempt=1,
        launch=(),
        environment={},
        settings=Wanted(resources.accelerator, resources.neighbor_skin),
        frames_wanted=campaign.frames,
        stop_after=campaign.frames,
    )
