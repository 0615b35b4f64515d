"""Coordination numbers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.species import as_species, symmetric


def coordination(
    positions: ArrayLike,
    box: ArrayLike,
    cutoff: ArrayLike,
    species: ArrayLike | None = None,
    *,
    only: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Count the neighbours of each particle that are nearer than a cutoff.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    cutoff : float or (n_species, n_species) float
        Distance that all neighbours are nearer than; with `species`, one for each pair of
        species if need be, symmetric [length].
    species : (n,) int, optional
        Of each particle, from 1: then neighbours are counted by species.
    only : (k,) int, optional
        Particles to do; by default all, in their order.

    Returns
    -------
    (n,) or (n, n_species) int64, or so many rows as `only` has
        Number of neighbours; by their species where those are given. In a box so small that
        several images of a particle are near, each of them counts, its own images too.

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, a species is no whole number from 1, a
        cutoff is not above 0, depends on the order of the two species, or lacks `species`, or
        a particle does not exist.
    """
    lattice, positions = as_lattice(box), as_positions(positions)
    cutoffs = np.asarray(cutoff, np.float64)
    kind = np.zeros(len(positions), np.int64)
    if species is not None:
        n_species = len(cutoffs) if cutoffs.ndim else None
        kind = as_species(species, len(positions), n_species) - 1
    n_kinds = len(cutoffs) if cutoffs.ndim else int(kind.max(initial=0)) + 1
    if species is None and cutoffs.ndim:
        msg = f"a cutoff for each pair of species, {cutoffs.shape}, needs the species too"
        raise ValueError(msg)
    cutoffs = symmetric(np.broadcast_to(cutoffs, (n_kinds, n_kinds)), "cutoff")
    wrapped, _ = wrap(positions, lattice)
    cells = padded_cells(wrapped, lattice, float(cutoffs.max()))
    rows = as_particles(only, len(positions))
    asked = np.zeros(len(positions), np.bool_)
    asked[rows] = True
    counts = _count_neighbors(cells, kind, asked, cutoffs**2)
    counts = counts if only is None else counts[rows]
    return counts if species is not None else counts[:, 0]


@compiled
def _count_neighbors(
    cells: PaddedCells,
    kind: NDArray[np.int64],
    asked: NDArray[np.bool_],
    squared_cutoff: NDArray[np.float64],
) -> NDArray[np.int64]:
    x, y, z, particle = cells.x, cells.y, cells.z, cells.particle
    first, shape, pad = cells.first, cells.shape, cells.pad
    n_points, n_kinds = len(x), len(squared_cutoff)
    kinds = np.empty(n_points, np.int32)
    for point in range(n_points):
        kinds[point] = kind[particle[point]]
    squared = np.empty(n_points)
    counts = np.empty((len(kind), n_kinds), np.int64)
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for i in range(first[cell], first[cell + 1]):
                    if not asked[particle[i]]:
                        continue
                    x_i, y_i, z_i, own = x[i], y[i], z[i], kind[particle[i]]
                    found = counts[particle[i]]
                    found[:] = 0
                    # The particle itself is counted below, if a square so small is above 0.
                    found[own] = -1 if squared_cutoff[own, own] > 0 else 0
                    for row in range(len(cells.row_start)):
                        start = first[cell + cells.row_start[row]]
                        stop = first[cell + cells.row_stop[row]]
                        # Slices, so that the loops are vectorised.
                        row_x, row_y, row_z = x[start:stop], y[start:stop], z[start:stop]
                        row_kind = kinds[start:stop]
                        for j in range(stop - start):
                            dx, dy, dz = row_x[j] - x_i, row_y[j] - y_i, row_z[j] - z_i
                            squared[j] = dx * dx + dy * dy + dz * dz
                        for other in range(n_kinds):
                            limit, near = squared_cutoff[own, other], 0
                            for j in range(stop - start):
                                near += (squared[j] < limit) & (row_kind[j] == other)
                            found[other] += near
    return counts
