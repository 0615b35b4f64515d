"""The periodic box: three edges, the first along x, the second in the xy plane."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")
"""Of a symmetric tensor, in the order of LAMMPS; the last three are also the tilts of a box."""


def lattice_of(edges: NDArray[np.float64], tilt: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay boxes out as matrices.

    Parameters
    ----------
    edges : (..., 3) float
        Extent along x, y, z, tilts left out [length].
    tilt : (..., 3) float
        Tilts xy, xz, yz [length].

    Returns
    -------
    (..., 3, 3) float64
        The edges as rows, a lower triangle [length].
    """
    lattice = np.zeros((*edges.shape, 3))
    lattice[..., range(3), range(3)] = edges
    lattice[..., (1, 2, 2), (0, 0, 1)] = tilt
    return lattice


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
        return lattice_of(self.edges, self.tilt)

    @property
    def volume(self) -> float:
        """Volume [length^3]."""
        volume: float = math.prod(self.edges.tolist())
        return volume
