"""Pairs of particles that are near each other, with the vector from one to the other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, demand_cutoff, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells


class Pairs(NamedTuple):
    """Pairs of neighbours, each once in both directions, those of a particle one after the other."""

    center: NDArray[np.int64]
    """(n_pairs,) particle that a pair is seen from, ascending."""
    neighbor: NDArray[np.int64]
    """(n_pairs,) the other one."""
    vector: NDArray[np.float64]
    """(n_pairs, 3) from the center to the image of the neighbour that is near [length]."""
    distance: NDArray[np.float64]
    """(n_pairs,) length of the vector [length]."""


def near_pairs(positions: ArrayLike, box: ArrayLike, cutoff: float) -> Pairs:
    """Find all pairs of particles that are nearer to each other than a cutoff.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or one edge vector a row [length].
    cutoff : float
        Distance that neighbours are nearer than [length].

    Returns
    -------
    Pairs
        In a box so small that several images of a particle are near, a pair for each of them;
        with its own images too.

    Raises
    ------
    ValueError
        If a shape is another, a number is not finite, or the cutoff is not above 0.
    """
    lattice, positions = as_lattice(box), as_positions(positions)
    demand_cutoff(cutoff)
    wrapped, _ = wrap(positions, lattice)
    cells = padded_cells(wrapped, lattice, float(cutoff))
    first = np.zeros(len(positions) + 1, np.int64)
    _count(cells, float(cutoff) ** 2, first)
    np.cumsum(first, out=first)
    neighbor, vector = np.empty(first[-1], np.int64), np.empty((first[-1], 3))
    _list(cells, float(cutoff) ** 2, first[:-1].copy(), neighbor, vector)
    center = np.repeat(np.arange(len(positions)), np.diff(first))
    return Pairs(center, neighbor, vector, np.sqrt((vector**2).sum(axis=1)))


@compiled
def _count(cells: PaddedCells, squared_cutoff: float, count: NDArray[np.int64]) -> None:
    """Count the neighbours of each particle, one place later than its own."""
    first, shape, pad = cells.first, cells.shape, cells.pad
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for i in range(first[cell], first[cell + 1]):
                    x_i, y_i, z_i = cells.x[i], cells.y[i], cells.z[i]
                    # The particle itself is counted below, if a square so small is above 0.
                    near = -1 if squared_cutoff > 0 else 0
                    for row in range(len(cells.row_start)):
                        start = first[cell + cells.row_start[row]]
                        stop = first[cell + cells.row_stop[row]]
                        x, y, z = cells.x[start:stop], cells.y[start:stop], cells.z[start:stop]
                        for j in range(stop - start):
                            dx, dy, dz = x[j] - x_i, y[j] - y_i, z[j] - z_i
                            near += dx * dx + dy * dy + dz * dz < squared_cutoff
                    count[cells.particle[i] + 1] = near


@compiled
def _list(
    cells: PaddedCells,
    squared_cutoff: float,
    free: NDArray[np.int64],
    neighbor: NDArray[np.int64],
    vector: NDArray[np.float64],
) -> None:
    """Write the neighbours of each particle from its first free place on."""
    first, shape, pad = cells.first, cells.shape, cells.pad
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for i in range(first[cell], first[cell + 1]):
                    x_i, y_i, z_i = cells.x[i], cells.y[i], cells.z[i]
                    at = free[cells.particle[i]]
                    for row in range(len(cells.row_start)):
                        start = first[cell + cells.row_start[row]]
                        stop = first[cell + cells.row_stop[row]]
                        for j in range(start, stop):
                            dx, dy, dz = cells.x[j] - x_i, cells.y[j] - y_i, cells.z[j] - z_i
                            if j != i and dx * dx + dy * dy + dz * dz < squared_cutoff:
                                neighbor[at] = cells.particle[j]
                                vector[at, 0], vector[at, 1], vector[at, 2] = dx, dy, dz
                                at += 1
