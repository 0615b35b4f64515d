"""The jobs of a campaign: what its file asks for, as SLURM is to be asked."""

import math
import sys
from pathlib import Path

from glasscreep.campaign.cluster_section import MPIEXEC, SRUN, ClusterSection, JobSection
from glasscreep.campaign.job_names import KINDS, name_of_job
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.sections import Campaign
from glasscreep.slurm.contact import FOLDER
from glasscreep.slurm.errors import SlurmError
from glasscreep.slurm.launch import Launcher, LocalLauncher, SrunLauncher, TemplateLauncher
from glasscreep.slurm.script import JobRequest
from glasscreep.slurm.shape import AllocationShape

HAND_OVER_S = 120
"""How long before its end the controller is told of it."""
MB_PER_GB = 1024


def cluster_of(campaign: Campaign) -> ClusterSection:
    """Give the cluster section of a campaign.

    Raises
    ------
    RefusedError
        If it has none.
    """
    if campaign.cluster is None:
        msg = (
            f"the campaign {campaign.name} does not say how to run on a cluster. Add a section "
            "[cluster] to its file, or describe your site once in ~/.config/glasscreep/cluster.toml; "
            "docs/campaign-file.md has the keys."
        )
        raise RefusedError(msg)
    return campaign.cluster


def job_name(campaign: Campaign, directory: Path, kind: str) -> str:
    """Name the jobs of one kind."""
    return name_of_job(campaign.name, directory, kind)


def job_names(campaign: Campaign, directory: Path) -> tuple[str, ...]:
    """Give the names of all jobs of a campaign."""
    return tuple(job_name(campaign, directory, kind) for kind in KINDS)


def shape_of(campaign: Campaign) -> AllocationShape:
    """Give what an `md` allocation has, and how runs share it."""
    md = cluster_of(campaign).md
    memory_mb = math.ceil(md.memory_gb * MB_PER_GB)
    return AllocationShape(md.nodes, md.cores, memory_mb, campaign.resources.ranks)


def slots_per_allocation(campaign: Campaign) -> dict[str, int]:
    """Give how many tasks an allocation of each pool takes at a time."""
    return {"md": shape_of(campaign).slots, "analysis": cluster_of(campaign).analysis.cores}


def launcher_of(campaign: Campaign) -> Launcher:
    """Give what starts the ranks of MD processes within an allocation."""
    cluster = cluster_of(campaign)
    if cluster.launcher == (SRUN,):
        return SrunLauncher(shape_of(campaign), cluster.mpi)
    if cluster.launcher == (MPIEXEC,):
        return LocalLauncher()
    return TemplateLauncher(cluster.launcher, shape_of(campaign))


def script_path(directory: Path, kind: str) -> Path:
    """Say where the batch script of one kind of job goes."""
    return directory.resolve() / FOLDER / f"{kind}.sh"


def job_requests(campaign: Campaign, directory: Path) -> dict[str, JobRequest]:
    """Describe a job of each kind.

    Parameters
    ----------
    campaign : Campaign
        One with a cluster section.
    directory : Path
        Its directory.

    Returns
    -------
    dict of str to JobRequest
        By `controller`, `md` and `analysis`.

    Raises
    ------
    RefusedError
        If SLURM would not take one of them as it is meant.
    """
    directory = directory.resolve()
    cluster = cluster_of(campaign)
    module = (sys.executable, "-P", "-m")
    controller = (*module, "glasscreep.campaign.controller", str(directory))
    requests = {"controller": _request("controller", campaign, directory, controller)}
    for pool, slots in slots_per_allocation(campaign).items():
        section = getattr(cluster, pool)
        allocation = [*module, "glasscreep.slurm.allocation", str(directory / FOLDER)]
        allocation += ["--pool", pool, "--slots", str(slots)]
        allocation += ["--walltime-s", str(section.walltime_s)]
        if cluster.interface:
            allocation += ["--interface", cluster.interface]
        requests[pool] = _request(pool, campaign, directory, tuple(allocation))
    try:
        for request in requests.values():
            request.submission()
            request.script()
    except SlurmError as error:
        raise RefusedError(str(error)) from error
    return requests


def _request(
    kind: str, campaign: Campaign, directory: Path, command: tuple[str, ...]
) -> JobRequest:
    cluster = cluster_of(campaign)
    section = getattr(cluster, kind)
    is_controller = kind == "controller"
    shared = {
        name: getattr(section, name) or getattr(cluster, name) for name in JobSection.model_fields
    }
    return JobRequest(
        name=job_name(campaign, directory, kind),
        **shared,
        nodes=section.nodes if kind == "md" else 1,
        tasks_per_node=1 if is_controller else section.cores,
        memory_mb=math.ceil(section.memory_gb * MB_PER_GB),
        walltime_s=section.walltime_s,
        output=directory / FOLDER / f"{kind}-%j.log",
        prologue=cluster.prologue,
        command=command,
        requeue=is_controller,
        signal_before_end_s=HAND_OVER_S if is_controller else None,
    )
