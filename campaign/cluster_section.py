"""The section of a campaign file that says what to ask of SLURM."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from glasscreep.campaign.fields import Allowed, Count, Positive, several
from glasscreep.campaign.section import Section
from glasscreep.slurm.launch import PLACES
from glasscreep.slurm.script import TOKEN, WORD

SRUN, MPIEXEC, RANKS = "srun", "mpiexec", PLACES[0]
SBATCH = "#SBATCH"
MINUTE_S = 60


def _word(value: str) -> str:
    if not TOKEN.fullmatch(value):
        msg = "not one word"
        raise ValueError(msg)
    return value


def _line(value: str) -> str:
    if "\n" in value or "\0" in value:
        msg = "not one line"
        raise ValueError(msg)
    if value.lstrip().startswith(SBATCH):
        msg = "an option of sbatch"
        raise ValueError(msg)
    return value


def _launcher(value: tuple[str, ...]) -> tuple[str, ...]:
    if value not in ((SRUN,), (MPIEXEC,)) and not any(RANKS in word for word in value):
        msg = f"no word holds {RANKS}"
        raise ValueError(msg)
    if unknown := set(re.findall(r"\{\w*\}", " ".join(value))) - set(PLACES):
        msg = f"nothing is known to put in the place of {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    return value


Word = Annotated[str, AfterValidator(_word), Allowed(WORD)]
WordIfAny = Annotated[
    Annotated[str, AfterValidator(_word)] | None, Allowed(f"{WORD}, or not at all")
]
Lines = Annotated[
    tuple[Annotated[str, AfterValidator(_line)], ...],
    BeforeValidator(several),
    Allowed(f"a line of shell, or a list of such; none that begins with {SBATCH}"),
]
Walltime = Annotated[
    Count,
    Field(ge=MINUTE_S),
    Allowed("a whole number of seconds from 60 up; SLURM rounds it up to whole minutes"),
]
Launcher = Annotated[
    tuple[str, ...],
    BeforeValidator(several),
    AfterValidator(_launcher),
    Allowed('"srun", "mpiexec", or a list of the words of a command, one of them with {ranks}'),
]


class JobSection(Section):
    """What jobs of one kind are."""

    partition: WordIfAny = None
    """Partition of these jobs."""
    account: WordIfAny = None
    """Account that these jobs are charged to."""
    qos: WordIfAny = None
    """Quality of service of these jobs."""
    constraint: WordIfAny = None
    """Features that nodes of these jobs must have."""


class ControllerSection(JobSection):
    """The job that drives the campaign."""

    memory_gb: Positive = 2.0
    """Memory of the controller [GiB]."""
    walltime_s: Annotated[
        Walltime, Field(ge=3 * MINUTE_S), Allowed("a whole number of seconds from 180 up")
    ] = 86_400
    """After this long the controller requeues itself [s]."""


class AnalysisPoolSection(JobSection):
    """Allocations for analyses."""

    cores: Count = 1
    """Cores of an allocation, all on one node; each analyses one run at a time."""
    memory_gb: Positive = 4.0
    """Memory of an allocation [GiB]."""
    walltime_s: Walltime = 86_400
    """Walltime of an allocation [s]."""
    max_allocations: Count = 1
    """Most allocations at a time."""


class MdPoolSection(JobSection):
    """Allocations for MD processes."""

    nodes: Count = 1
    """Nodes of an allocation."""
    cores: Count = 8
    """Cores of each node; `resources.ranks` of them are one slot."""
    memory_gb: Positive = 8.0
    """Memory of each node, shared by its slots [GiB]."""
    walltime_s: Walltime = 86_400
    """Walltime of an allocation [s]."""
    max_allocations: Count = 4
    """Most allocations at a time."""


class ClusterSection(JobSection):
    """How the campaign runs on a SLURM cluster."""

    interface: WordIfAny = None
    """Network interface that controller and workers talk over, such as `ib0`."""
    prologue: Lines = ()
    """Lines of shell that begin every job, such as `module load gcc`."""
    launcher: Launcher = (SRUN,)
    """What starts the ranks of an MD process; `mpiexec` can on one node only."""
    mpi: Word = "pmi2"
    """How `srun` and MPI find each other, as in `srun --mpi=pmi2`."""
    controller: ControllerSection = ControllerSection()
    md: MdPoolSection = MdPoolSection()
    analysis: AnalysisPoolSection = AnalysisPoolSection()
