"""The plan: what a campaign asks for, what there is of it, and what the rest will cost."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glasscreep.campaign.directory import Prepared, survey
from glasscreep.campaign.estimate import (
    MEASUREMENT,
    Rate,
    bytes_of_glass,
    bytes_of_run,
    files_of_glass,
    files_of_run,
    rate_of,
)
from glasscreep.campaign.ledger import Ledger, Progress
from glasscreep.campaign.plan_cluster import ClusterPlan, Work, plan_cluster
from glasscreep.campaign.scan import has_diverged, scan
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.states import State
from glasscreep.tasks.reader import FrameReader

MANIFESTS_READ = 2_000
"""Up to so many runs the manifests are asked, which takes about 0.1 ms each; else the index."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What doing a campaign means."""

    name: str
    """Of the campaign."""
    directory: Path
    """Of the campaign; need not exist."""
    points: int
    """Points asked for."""
    replicas: int
    """Replicas of each."""
    temperatures: tuple[float, float]
    """Lowest and highest [energy]."""
    stresses: tuple[float, float]
    """Lowest and highest [energy / length**3]."""
    particles: int
    """Particles of every run."""
    frames: int
    """Frames of every run."""
    runs: dict[State, int]
    """Runs asked for, by state."""
    runs_not_asked: int
    """Runs that the directory holds besides."""
    glasses_to_make: int
    """Glasses that are not made yet, of those that runs to do start from."""
    frames_to_do: int
    """Frames to make, in all runs that have not failed."""
    particle_steps: int
    """Particles times MD steps to do, relaxing left out."""
    measurements: int
    """Glasses and runs that begin by measuring which settings of LAMMPS are fastest."""
    core_hours: float
    """Estimate for all that is to do."""
    rate: Rate
    """What the estimate rests on."""
    bytes_to_write: float
    """Estimate for all that is to do."""
    files_to_write: int
    """Files to be added, besides a few dozen for the campaign as a whole."""
    cluster: ClusterPlan | None
    """What to ask of SLURM; None without a cluster, or with nothing to do."""
    awaits_model: bool
    """Whether results of looseness wait until a model is learnt."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is to do."""
        return not self.frames_to_do


def make_plan(campaign: Campaign, directory: Path) -> Plan:
    """Plan a campaign; makes nothing.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Campaign directory; need not exist.

    Returns
    -------
    Plan
        What is to do there.

    Raises
    ------
    DirectoryError
        If the directory must not be used for the campaign.
    RefusedError
        If SLURM could not be asked for its jobs.
    """
    prepared = survey(campaign, directory)
    return _plan(prepared, progress_found(prepared), rate_of(directory, campaign.resources.ranks))


def progress_found(prepared: Prepared) -> Ledger:
    """Find out how far the runs of a campaign are, quickly rather than exactly if they are many.

    Parameters
    ----------
    prepared : Prepared
        The campaign and its rows.

    Returns
    -------
    Ledger
        From the manifests, or for many runs from the index: as the driver last saw them.
    """
    ids = prepared.table.run_id
    if len(ids) - prepared.added > MANIFESTS_READ:
        return _progress_indexed(prepared)
    glass_ids = [glass.id for glass in prepared.glasses]
    glass_of_run, asked = prepared.glass_of_run, prepared.asked
    frames = prepared.campaign.frames
    return scan(prepared.directory, ids, glass_ids, glass_of_run, asked, frames, has_diverged)


def _progress_indexed(prepared: Prepared) -> Ledger:
    reader = FrameReader(prepared.store)
    runs = Progress.unstarted(len(prepared.runs))
    for values, name in ((runs.state, "state"), (runs.frames, "frames_committed")):
        indexed = reader.column(name)
        values[: len(indexed)] = indexed
    glasses = Progress.unstarted(len(prepared.glasses))
    begun = runs.frames > 0
    glasses.state[prepared.glass_of_run[begun]] = State.DONE
    frames = prepared.campaign.frames
    more_is_asked = (runs.state == State.DONE) & (runs.frames < frames) & prepared.asked
    runs.state[more_is_asked] = State.PARTIAL
    return Ledger(runs, glasses, prepared.glass_of_run, prepared.asked, frames)


def _plan(prepared: Prepared, ledger: Ledger, rate: Rate) -> Plan:
    campaign, rows = prepared.campaign, ledger.unfinished_rows()
    points, particles = campaign.points(), campaign.model.particles
    have = Counter(np.minimum(ledger.runs.frames[rows], campaign.frames).tolist())
    frames = sum((campaign.frames - done) * runs for done, runs in have.items())
    glasses = np.unique(ledger.glass_of_run[rows])
    to_make = int(np.count_nonzero(ledger.glasses.state[glasses] < State.DONE))
    work = Work(
        to_make,
        len(rows),
        frames,
        campaign.frames - min(have, default=campaign.frames),
        is_analysed=bool(prepared.results),
    )
    glass_steps = campaign.glass.melt_steps + campaign.glass.quench_steps
    steps = frames * campaign.creep.frame_interval + to_make * glass_steps
    measurements = 0 if campaign.resources.are_settled else to_make + ledger.count(State.NEW)
    data, files = _to_write(prepared, have, to_make)
    return Plan(
        name=campaign.name,
        directory=prepared.directory,
        points=len(points),
        replicas=campaign.replicas,
        temperatures=(points[0].temperature, points[-1].temperature),
        stresses=(min(point.stress for point in points), max(point.stress for point in points)),
        particles=particles,
        frames=campaign.frames,
        runs={state: ledger.count(state) for state in State},
        runs_not_asked=int(np.count_nonzero((ledger.glass_of_run >= 0) & ~ledger.asked)),
        glasses_to_make=to_make,
        frames_to_do=frames,
        particle_steps=particles * steps,
        measurements=measurements,
        core_hours=rate.core_hours(
            particles * (steps + MEASUREMENT * measurements), particles * frames
        ),
        rate=rate,
        bytes_to_write=data,
        files_to_write=files,
        cluster=plan_cluster(campaign, prepared.directory, work, rate),
        awaits_model=campaign.awaits_model(prepared.directory),
    )


def _to_write(prepared: Prepared, have: Counter[int], glasses: int) -> tuple[float, int]:
    """Estimate bytes, and files, that glasses and runs will add, these by the frames they have."""
    campaign, own = prepared.campaign, (prepared.campaign, prepared.results)
    data = sum(bytes_of_run(*own, done) * runs for done, runs in have.items())
    files_at_end = files_of_run(*own, campaign.frames)
    files = sum((files_at_end - files_of_run(*own, done)) * runs for done, runs in have.items())
    return data + glasses * bytes_of_glass(campaign), files + glasses * files_of_glass(campaign)
