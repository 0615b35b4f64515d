"""What a plan means on a cluster: allocations, how long they take, and the scripts of the jobs."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glasscreep.campaign.cluster_jobs import job_requests, script_path, slots_per_allocation
from glasscreep.campaign.estimate import Rate, expected_commit_s, frame_hours, glass_hours
from glasscreep.campaign.job_names import KINDS
from glasscreep.campaign.pace import needed_s
from glasscreep.campaign.sections import Campaign

CONTROLLER, MD, ANALYSIS = KINDS


@dataclass(frozen=True, slots=True)
class Work:
    """What is to do, as slots see it."""

    glasses: int
    """Glasses to make."""
    runs: int
    """Runs that have frames to do."""
    frames: int
    """Frames to do, in all runs."""
    frames_of_a_run: int
    """Frames to do in the run that has most."""
    is_analysed: bool
    """Whether anything is computed of the frames."""


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """Allocations of one pool."""

    allocations: int
    """Most that there is work for at a time."""
    nodes: int
    """Nodes of each."""
    cores: int
    """Cores of each node."""
    slots: int
    """Tasks that each takes at a time."""
    walltime_s: int
    """After this long SLURM ends each [s]."""

    @property
    def cores_of_each(self) -> int:
        """Cores of each allocation."""
        return self.nodes * self.cores


@dataclass(frozen=True, slots=True)
class Script:
    """A job as SLURM gets it."""

    kind: str
    """`controller`, `md` or `analysis`."""
    command: str
    """What submits it, as a line of shell."""
    text: str
    """What is in the file that is submitted."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """A campaign on a cluster."""

    pools: dict[str, PoolPlan]
    """By name, those that have something to do."""
    ranks: int
    """MPI ranks of a run."""
    glasses_h: float
    """Time that the glasses take [h]."""
    runs_h: float
    """Time that the runs take after them [h]."""
    core_hours: float
    """Cores of all allocations and of the controller, times the hours that they are there."""
    walltime_needed_s: float
    """What an allocation must have left for work to begin in it [s]."""
    scripts: tuple[Script, ...]
    """Those of the jobs, the controller's first."""

    @property
    def wall_h(self) -> float:
        """Time from the start of the allocations to the end [h]."""
        return self.glasses_h + self.runs_h


def plan_cluster(campaign: Campaign, directory: Path, work: Work, rate: Rate) -> ClusterPlan | None:
    """Plan what to ask of SLURM.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Its directory; need not exist.
    work : Work
        What there is to do.
    rate : Rate
        How fast a core works.

    Returns
    -------
    ClusterPlan or None
        None if the campaign says nothing of a cluster, or nothing is to do.

    Raises
    ------
    RefusedError
        If there is something in a path or value that no job can be asked for with.
    """
    if campaign.cluster is None or not work.runs:
        return None
    pools = _pools(campaign, work)
    md = pools[MD]
    at_a_time = md.allocations * md.slots
    glasses_h = -(-work.glasses // at_a_time) * glass_hours(campaign, rate)
    # Runs take turns, those furthest behind first: either all slots are busy, or one run is left.
    runs_h = max(work.frames / at_a_time, work.frames_of_a_run) * frame_hours(campaign, rate)
    for_glasses = min(md.allocations, -(-work.glasses // md.slots)) * md.cores_of_each
    for_runs = sum(pool.allocations * pool.cores_of_each for pool in pools.values())
    return ClusterPlan(
        pools=pools,
        ranks=campaign.resources.ranks,
        glasses_h=glasses_h,
        runs_h=runs_h,
        # The controller has one core.
        core_hours=(for_glasses + 1) * glasses_h + (for_runs + 1) * runs_h,
        walltime_needed_s=needed_s(expected_commit_s(campaign)),
        scripts=tuple(_scripts(campaign, directory, pools)),
    )


def _pools(campaign: Campaign, work: Work) -> dict[str, PoolPlan]:
    slots = slots_per_allocation(campaign)
    wanted = {MD: max(work.glasses, work.runs)}
    if work.is_analysed:
        wanted[ANALYSIS] = work.runs
    pools = {}
    for name, tasks in wanted.items():
        section = getattr(campaign.cluster, name)
        pools[name] = PoolPlan(
            allocations=min(section.max_allocations, -(-tasks // slots[name])),
            nodes=section.nodes if name == MD else 1,
            cores=section.cores,
            slots=slots[name],
            walltime_s=section.walltime_s,
        )
    return pools


def _scripts(campaign: Campaign, directory: Path, pools: dict[str, PoolPlan]) -> Iterator[Script]:
    for kind, request in job_requests(campaign, directory).items():
        if kind == CONTROLLER or kind in pools:
            path = script_path(directory, kind)
            yield Script(kind, shlex.join([*request.submission(), str(path)]), request.script())
