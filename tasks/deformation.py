"""How a box deforms: logarithms of its lengths, and shears that keep it a lower triangle."""

import math

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.cell import Cell

Array = NDArray[np.float64]

ROWS, COLUMNS = np.array([1, 2, 2]), np.array([0, 0, 1])
"""Where the last three components are in a lower triangle."""


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
    x, y, z = (math.exp(log) for log in strain[:3].tolist())
    xy, xz, yz = strain[3:].tolist()
    return np.array([[x, 0.0, 0.0], [xy * x, y, 0.0], [xz * x, yz * y, z]])


def deformed(cell: Cell, gradient: Array) -> Cell:
    """Deform a box about its middle, as LAMMPS does: tilts leave its corner where it is."""
    lattice = cell.lattice @ gradient
    edges = lattice.diagonal().copy()
    corner = cell.corner + (cell.edges - edges) / 2
    return Cell(corner, edges, lattice[ROWS, COLUMNS])


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
    stretch = np.exp(strain[:3])
    on_shears = excess[3:] * (stretch[COLUMNS] / stretch[ROWS])
    on_shears[0] -= strain[5] * on_shears[1]
    return np.concatenate((excess[:3], on_shears))
