"""Potential energy of each particle of a Lennard-Jones mixture."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.species import as_species, symmetric


def local_energy(
    positions: ArrayLike,
    box: ArrayLike,
    species: ArrayLike,
    epsilon: ArrayLike,
    sigma: ArrayLike,
    cutoff: ArrayLike,
    *,
    only: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Share the energy of each pair equally between its two particles.

    .. math:: e_i = \frac{1}{2} \sum_{j: r_{ij} < c} [u(r_{ij}) - u(c)], \qquad
              u(r) = 4 \epsilon [(\sigma / r)^{12} - (\sigma / r)^6]

    with :math:`\epsilon`, :math:`\sigma` and the cutoff :math:`c` of the species of i and j.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    species : (n,) int
        Of each particle, from 1: row and column of the matrices.
    epsilon : (n_species, n_species) float
        Depth of the potential, symmetric [energy].
    sigma : (n_species, n_species) float
        Where the potential is zero but for its shift, symmetric [length].
    cutoff : float or (n_species, n_species) float
        Where the potential ends, shifted to zero there; may exceed the box, whose images
        all count [length].
    only : (k,) int, optional
        Particles to do; by default all, in their order. Which others are done does not change
        a bit.

    Returns
    -------
    (n,) or (k,) float64
        Half the sum over neighbours; the sum over all particles is the energy of the
        configuration, shifted at the cutoff [energy].

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, a species has no row, a parameter is
        not above 0 or depends on the order of the two species, or a particle does not exist.

    References
    ----------
    W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995), for the mixture; shifted at 2.5
    for all pairs as in Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023).
    """
    lattice, positions = as_lattice(box), as_positions(positions)
    epsilon, sigma = symmetric(epsilon, "epsilon"), symmetric(sigma, "sigma")
    cutoff = np.asarray(cutoff, np.float64)
    cutoff = symmetric(np.full_like(sigma, cutoff) if cutoff.ndim == 0 else cutoff, "cutoff")
    if not epsilon.shape == sigma.shape == cutoff.shape:
        msg = (
            "epsilon, sigma and cutoff must be of equally many species, "
            f"got {epsilon.shape}, {sigma.shape} and {cutoff.shape}"
        )
        raise ValueError(msg)
    kind = as_species(species, len(positions), len(sigma)) - 1
    wrapped, _ = wrap(positions, lattice)
    cells = padded_cells(wrapped, lattice, float(cutoff.max()))
    at_cutoff = (sigma / cutoff) ** 6
    shift = 4 * epsilon * (at_cutoff**2 - at_cutoff)
    rows = as_particles(only, len(positions))
    asked = np.zeros(len(positions), np.bool_)
    asked[rows] = True
    energy = _sum_pairs(cells, asked, kind, 4 * epsilon, sigma**6, cutoff**2, shift)
    return energy if only is None else energy[rows]


@compiled
def _sum_pairs(
    cells: PaddedCells,
    asked: NDArray[np.bool_],
    kind: NDArray[np.int64],
    strength: NDArray[np.float64],
    sigma_6: NDArray[np.float64],
    squared_cutoff: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> NDArray[np.float64]:
    x, y, z, particle = cells.x, cells.y, cells.z, cells.particle
    first, shape, pad = cells.first, cells.shape, cells.pad
    n_points, largest = len(x), squared_cutoff.max()
    kinds = np.empty(n_points, np.uint32)
    for i in range(n_points):
        kinds[i] = kind[particle[i]]
    squared, near = np.empty(n_points), np.empty(n_points + 1)
    found = np.empty(n_points + 1, np.uint32)
    energy, before = np.zeros(len(kind)), _asked_before(cells, asked)
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                if not _leads_to_asked(cells, cell, before):
                    continue
                for i in range(first[cell], first[cell + 1]):
                    x_i, y_i, z_i = x[i], y[i], z[i]
                    n = np.uint64(0)
                    for row in range(len(cells.row_start)):
                        # Rows lie opposite each other: those ahead, and the rest of the
                        # particle's own, hold one particle of each pair.
                        side = cells.row_start[row] + cells.row_stop[row] - 1
                        if side < 0:
                            continue
                        # Nor do pairs of two that are not asked for matter. So what is added up
                        # for others, and in which order, does not depend on which are asked for.
                        if not asked[particle[i]] and not _has_asked(cells, cell, row, before):
                            continue
                        start = first[cell + cells.row_start[row]] if side else i + 1
                        stop = first[cell + cells.row_stop[row]]
                        # Slices, and two loops of which the second does not branch: the
                        # first is vectorised, and a wrong guess costs more than a store.
                        row_x, row_y, row_z = x[start:stop], y[start:stop], z[start:stop]
                        for j in range(stop - start):
                            dx, dy, dz = row_x[j] - x_i, row_y[j] - y_i, row_z[j] - z_i
                            squared[j] = dx * dx + dy * dy + dz * dz
                        for j in range(stop - start):
                            near[n], found[n] = squared[j], start + j
                            n += np.uint64(squared[j] < largest)
                    own = kind[particle[i]]
                    eps, sig, limit = strength[own], sigma_6[own], squared_cutoff[own]
                    low, total = shift[own], 0.0
                    for q in range(np.int64(n)):
                        point = np.uint64(found[q])
                        other = np.uint64(kinds[point])
                        power = sig[other] / (near[q] * near[q] * near[q])
                        term = 0.5 * (eps[other] * (power * power - power) - low[other])
                        term = term if near[q] < limit[other] else 0.0
                        total += term
                        energy[np.uint64(particle[point])] += term
                    energy[np.uint64(particle[i])] += total
    return energy


@compiled
def _asked_before(cells: PaddedCells, asked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the points, images too, that are asked for in the cells before each."""
    before = np.zeros(len(cells.first), np.int64)
    for cell in range(len(before) - 1):
        before[cell + 1] = before[cell]
        for point in range(cells.first[cell], cells.first[cell + 1]):
            before[cell + 1] += asked[cells.particle[point]]
    return before


@compiled
def _leads_to_asked(cells: PaddedCells, cell: int, before: NDArray[np.int64]) -> bool:
    """Tell whether some pair from a cell may have a particle that is asked for."""
    for row in range(len(cells.row_start)):
        ahead = cells.row_start[row] + cells.row_stop[row] > 0
        if ahead and _has_asked(cells, cell, row, before):
            return True
    return False


@compiled
def _has_asked(cells: PaddedCells, cell: int, row: int, before: NDArray[np.int64]) -> bool:
    return bool(before[cell + cells.row_stop[row]] > before[cell + cells.row_start[row]])
