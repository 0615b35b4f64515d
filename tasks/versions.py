"""The versions of all that results may depend on."""

import platform
from importlib.metadata import version

import numpy as np


def versions_used(lammps: str, mpi: str) -> dict[str, str]:
    """Name the versions of glasscreep, lammps, mpi, numpy and python.

    Parameters
    ----------
    lammps, mpi : str
        As LAMMPS and the MPI library give them.
    """
    return {
        "glasscreep": version("glasscreep"),
        "lammps": lammps,
        "mpi": " ".join(mpi.partition("\n")[0].split()),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
