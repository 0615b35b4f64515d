"""How the ranks of one MPI process are started."""

import os
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path

# What a batch system, or an MPI that this process itself runs under, leaves in the environment.
# With SLURM's, mpiexec waits for ever for nodes it can't reach; with PMI's, MPI_Init aborts.
FOREIGN = ("SLURM_", "SBATCH_", "SRUN_", "PMI_", "PMIX_", "MPI", "OMPI_", "I_MPI_", "HYDRA_")


class LauncherMissingError(Exception):
    """The program that starts several ranks is not installed. The message is for the user."""


class Launcher(ABC):
    """Contract of all ways to start an MPI program: argv prefix and environment.

    The program is started by putting the prefix before its own command line. Signals sent to
    the started process must reach every rank, and its death must end them.
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
        # Under PBS, LSF or SGE hydra would take the hosts of their allocation.
        return (_mpiexec(), "-rmk", "user", "-n", str(ranks))

    def environment(self) -> dict[str, str]:
        """Give this process's environment without traces of other launchers, one thread a rank."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return kept | {"OMP_NUM_THREADS": "1"}


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
