"""The periodic box: three edges, the first along x, the second in the xy plane."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")
"""Of a symmetric tensor, in the order of LAMMPS; the last three are also the tilts of a box."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A box as LAMMPS describes it."""

    corner: NDArray[np.float64]
    """(3,) where the box begins [length]."""
    edges: NDArray[np.float64]
    """(3,) its extent along x, y, z, tilts left out [length]."""
    tilt: NDArray[np.float64]
    """(3,) tilts xy, xz, yz: how far along the first axis an edge along the second leans [length]."""

    @property
    def lattice(self) -> NDArray[np.float64]:
        """(3, 3) the edges as rows, a lower triangle [length]."""
        lattice = np.diag(self.edges)
        lattice[1, 0], lattice[2, 0], lattice[2, 1] = self.tilt
        return lattice

    @property
    def volume(self) -> float:
        """Volume [length^3]."""
        volume: float = math.prod(self.edges.tolist())
        return volume
