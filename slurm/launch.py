"""How the ranks of one MPI process are started."""

import os
import shutil
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

from glasscreep.slurm.shape import AllocationShape

# What a batch system, or an MPI that this process itself runs under, leaves in the environment.
# With SLURM's, mpiexec waits for ever for nodes it can't reach; with PMI's, MPI_Init aborts.
FOREIGN = ("SLURM_", "SBATCH_", "SRUN_", "PMI_", "PMIX_", "MPI", "OMPI_", "I_MPI_", "HYDRA_")
# With these alone srun finds the allocation that it is to start a step in.
SLURM_NEEDS = ("SLURM_JOB_ID", "SLURM_CONF")
# By UCX MPICH tells other nodes 4 KiB of memory from where its address begins. What lies behind
# makes lines longer than the 1024 bytes SLURM's pmi2 reads, and MPI_Init hangs; not by OFI.
PMI2 = "pmi2"
BY_OFI = {"MPIR_CVAR_CH4_NETMOD": "ofi"}
# OFI's first choice without a fast network; it sends nothing while a rank is outside of MPI.
NO_SOCKETS = {"FI_PROVIDER": "^sockets"}

PLACES = ("{ranks}", "{nodes}", "{ranks_per_node}")
"""What words of a user's own command may hold, to be replaced by numbers."""


class LauncherMissingError(Exception):
    """The program that starts several ranks is not installed. The message is for the user."""


class Launcher(ABC):
    """Contract of all ways to start an MPI program: argv prefix and environment.

    The program is started by putting the prefix before its own command line. SIGTERM to the
    started process must reach every rank or end it, and its death must end them. The first rank
    reads the standard input of the started process; the others must find none.
    """

    @abstractmethod
    def prefix(self, ranks: int) -> tuple[str, ...]:
        """Give what to put before the command line of the program.

        Parameters
        ----------
        ranks : int
            Number of MPI ranks, at least one.

        Raises
        ------
        ValueError
            There are fewer than one.
        LauncherMissingError
            This machine lacks the program that starts them.
        """

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Give the whole environment to start the program with."""

    def settings(self) -> dict[str, str]:
        """Give the variables among it that ranks would not find in a clean environment."""
        return {}


class LocalLauncher(Launcher):
    """Start all ranks on this machine: one directly, several by hydra's mpiexec.

    Hydra forwards SIGTERM, SIGINT and SIGUSR1 to the ranks (not SIGUSR2), and puts each rank in
    a session of its own, so that a signal to the process group reaches mpiexec alone.
    """

    def prefix(self, ranks: int) -> tuple[str, ...]:
        """Give nothing for one rank, else mpiexec and its options."""
        if ranks < 1:
            msg = f"ranks must be at least 1, got {ranks}"
            raise ValueError(msg)
        if ranks == 1:
            return ()
        # Under PBS, LSF, SGE or SLURM hydra would take the hosts of their allocation.
        return (_mpiexec(), "-rmk", "user", "-n", str(ranks))

    def environment(self) -> dict[str, str]:
        """Give this process's environment without traces of other launchers, one thread a rank."""
        return _environment()


@dataclass(frozen=True, slots=True)
class SrunLauncher(Launcher):
    """Start the ranks by srun, as a step of the allocation that this process is in.

    SIGTERM to srun kills every rank at once. A child of srun, in its process group, kills the
    step when srun is killed; a SIGKILL to the whole group leaves the ranks running.
    """

    shape: AllocationShape
    """What the allocation has, and how runs share it."""
    mpi: str = PMI2
    """How ranks find each other: what srun's `--mpi` takes."""

    def prefix(self, ranks: int) -> tuple[str, ...]:
        """Give srun and its options, for one rank too: its core must count as taken."""
        shape = _shape_for(self.shape, ranks)
        return (
            "srun",
            # Nothing but what it asks for, so that the next run finds the rest.
            "--exact",
            f"--nodes={shape.nodes_per_run}",
            f"--ntasks={ranks}",
            f"--ntasks-per-node={shape.ranks_per_node}",
            "--cpus-per-task=1",
            f"--mem={shape.memory_mb_per_node_of_run}M",
            f"--mpi={self.mpi}",
            "--input=0",
            # Else srun waits for ever for the others when one rank has died.
            "--kill-on-bad-exit=1",
            "--quiet",
        )

    def environment(self) -> dict[str, str]:
        """Give the environment without traces of launchers, but with what leads to the job."""
        return _environment(keep=SLURM_NEEDS) | self.settings()

    def settings(self) -> dict[str, str]:
        """Give what has ranks on several nodes meet, where that is by pmi2."""
        return _settings_of_pmi2() if self.mpi == PMI2 else {}


@dataclass(frozen=True, slots=True)
class TemplateLauncher(Launcher):
    """Start the ranks by a command of the user's own.

    Each word may hold `{ranks}`, `{nodes}` and `{ranks_per_node}`.
    """

    template: tuple[str, ...]
    """Words of the command."""
    shape: AllocationShape
    """What the allocation has, and how runs share it."""

    def prefix(self, ranks: int) -> tuple[str, ...]:
        """Give the words with numbers in their places."""
        shape = _shape_for(self.shape, ranks)
        numbers = (ranks, shape.nodes_per_run, shape.ranks_per_node)
        values = dict(zip(PLACES, numbers, strict=True))
        return tuple(_filled(word, values) for word in self.template)

    def environment(self) -> dict[str, str]:
        """Give the environment without traces of launchers, but with what leads to the job."""
        return _environment(keep=SLURM_NEEDS) | self.settings()

    def settings(self) -> dict[str, str]:
        """Give what has ranks on several nodes meet, where that is by pmi2."""
        return _settings_of_pmi2() if f"--mpi={PMI2}" in self.template else {}


def _shape_for(shape: AllocationShape, ranks: int) -> AllocationShape:
    if ranks < 1:
        msg = f"ranks must be at least 1, got {ranks}"
        raise ValueError(msg)
    return replace(shape, ranks=ranks)


def _filled(word: str, values: dict[str, int]) -> str:
    for name, value in values.items():
        word = word.replace(name, str(value))
    return word


def _environment(keep: tuple[str, ...] = ()) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in keep or not name.startswith(FOREIGN)
    }
    return kept | {"OMP_NUM_THREADS": "1"}


def _settings_of_pmi2() -> dict[str, str]:
    users_own = {name: os.environ[name] for name in NO_SOCKETS if name in os.environ}
    return NO_SOCKETS | users_own | BY_OFI


def _mpiexec() -> str:
    # The mpich wheel puts its mpiexec beside Python; another one on PATH may be another MPI's.
    beside = Path(sys.executable).parent
    found = shutil.which("mpiexec", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        msg = (
            f"mpiexec, which starts several MPI ranks, is neither in {beside} nor on PATH. "
            f"Reinstall it ({sys.executable} -m pip install --force-reinstall mpich), or set "
            f"ranks = 1 in the campaign file"
        )
        raise LauncherMissingError(msg)
    return found
