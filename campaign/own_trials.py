"""Whether the analysis functions of a campaign work, tried before anything is made."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.tries import last_words, tried
from glasscreep.slurm.launch import LocalLauncher
from glasscreep.tasks.opening import METADATA
from glasscreep.tasks.own_results import NAMES
from glasscreep.tasks.own_trial import UNFIT, Trial, encode
from glasscreep.tasks.places import ATTACHED, STORE

TIMEOUT_S = 60.0
MOST_PARTICLES = 4_000
MOST_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """A function that works."""

    name: str
    """Name of its result."""
    seconds: float
    """How long it took [s]."""
    particles: int
    """Particles of the made-up frame."""


def demand_own(campaign: Campaign, directory: Path) -> tuple[Tried, ...]:
    """Call each analysis function whose result is new to a directory, in a process of its own.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; need not exist.

    Returns
    -------
    tuple of Tried
        One for each result that is new.

    Raises
    ------
    RefusedError
        If a function fails, gives what is not wanted, or doesn't come to an end.
    """
    there = directory / STORE
    # What it needs is made up too: a function that waits for a model is tried all the same.
    results = [
        result
        for result in campaign.results(model={})
        if result.observable in NAMES and not (there / result.name / METADATA).is_file()
    ]
    if not results:
        return ()
    model, point = campaign.mixture(), campaign.points()[0]
    with tempfile.TemporaryDirectory(prefix="glasscreep-own-") as place:
        (Path(place) / ATTACHED).mkdir()
        for own in campaign.analysis.own:
            own.keep(Path(place))
        trial = Trial(
            directory=place,
            results=tuple(results),
            particles=min(model.particles, MOST_PARTICLES),
            fraction_a=model.fraction_a,
            density=model.density,
            timestep=model.timestep,
            frame_interval=campaign.creep.frame_interval,
            frames=min(campaign.frames, MOST_FRAMES),
            temperature=point.temperature,
            stress=point.stress,
        )
        seconds = _asked(trial)
    return tuple(
        Tried(result.name, taken, trial.particles)
        for result, taken in zip(results, seconds, strict=True)
    )


def _asked(trial: Trial) -> list[float]:
    command = [sys.executable, "-P", "-m", "glasscreep.tasks.own_trial"]
    names = ", ".join(result.name for result in trial.results)
    try:
        run = tried(command, LocalLauncher().environment(), TIMEOUT_S, encode(trial))
    except subprocess.TimeoutExpired:
        msg = (
            f"{names}: no answer within {TIMEOUT_S:.0f} s for a made-up frame of "
            f"{trial.particles} particles: the function doesn't end, or takes too long for a "
            "campaign. Nothing was made."
        )
        raise RefusedError(msg) from None
    if run.returncode == UNFIT and run.stdout.strip():
        msg = f"{run.stdout.strip()}. Nothing was made."
        raise RefusedError(msg)
    if run.returncode:
        msg = f"{names} can't be tried: {last_words(run)}. Nothing was made."
        raise RefusedError(msg)
    seconds: list[float] = json.loads(run.stdout)
    return seconds
