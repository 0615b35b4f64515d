"""How a box deforms: logarithms of its lengths, and shears that keep it a lower triangle."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.cell import Cell

Array = NDArray[np.float64]

SHEARS = ((1, 2, 2), (0, 0, 1))
"""Rows and columns of the last three components in a lower triangle."""


def gradient_of(strain: Array) -> Array:
    """Build the deformation gradient F of rows, so that `q @ F` is where `q` goes.

    Parameters
    ----------
    strain : (6,) float
        Logarithms of the stretches along x, y, z, and shears xy, xz, yz.

    Returns
    -------
    (3, 3) float
        The shears, then the stretches: (1 + N) D, a lower triangle.
    """
    sheared = np.eye(3)
    sheared[SHEARS] = strain[3:]
    deformed: Array = sheared * np.exp(strain[:3])
    return deformed


def deformed(cell: Cell, gradient: Array) -> Cell:
    """Deform a box about its middle, as LAMMPS does: tilts leave its corner where it is."""
    lattice = cell.lattice @ gradient
    edges = np.diag(lattice).copy()
    corner = cell.corner + (cell.edges - edges) / 2
    return Cell(corner, edges, lattice[SHEARS])


def conjugate(excess: Array, strain: Array) -> Array:
    """Turn a tensor that does work on the deformed box into what does the same on strains.

    Parameters
    ----------
    excess : (6,) float
        Symmetric, in the order of `COMPONENTS`: its work is that on `inv(F) @ dF`.
    strain : (6,) float
        As of `gradient_of`.

    Returns
    -------
    (6,) float
        Derivatives by the strains, in the dimension of `excess`.
    """
    on_rates = np.diag(excess[:3])
    on_rates[SHEARS] = excess[3:]
    sheared, stretch = np.eye(3), np.exp(strain[:3])
    sheared[SHEARS] = strain[3:]
    on_shears = np.linalg.inv(sheared).T @ (on_rates * stretch / stretch[:, None])
    return np.concatenate((excess[:3], on_shears[SHEARS]))
