"""Radial symmetry functions: how many neighbours there are about each distance."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.species import as_species

RADII = tuple(k / 10 for k in range(6, 26))
"""Distances for the Kob-Andersen mixture: from before the first peak to the forces' end [length]."""
WIDTH = 0.1
"""Of each, for particles of diameter 1 [length]."""
WIDTHS = 5
"""Beyond the largest distance, where neighbours end unless a cutoff is given: there a function has
fallen to 4e-6."""


def radial_symmetry_functions(
    positions: ArrayLike,
    box: ArrayLike,
    species: ArrayLike,
    radii: ArrayLike = RADII,
    width: float = WIDTH,
    cutoff: float | None = None,
    *,
    only: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Count the neighbours of each species about each of several distances, smoothly.

    .. math:: G_X(i; \mu) = \sum_{j \in X, r_{ij} < c} e^{-(r_{ij} - \mu)^2 / 2 w^2}

    with the distances :math:`\mu`, the width :math:`w` and the cutoff :math:`c`. Some write
    :math:`L^2` for :math:`2 w^2`.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    species : (n,) int
        Of each particle, from 1. There are as many as the largest says.
    radii : (m,) float
        Distances, from 0 on [length].
    width : float
        Standard deviation of each function [length].
    cutoff : float, optional
        Distance that neighbours are nearer than; may exceed the box, whose images all count
        [length]. By default `WIDTHS` widths beyond the largest of the radii.
    only : (k,) int, optional
        Particles to do; by default all, in their order.

    Returns
    -------
    (n, n_species * m) or (k, n_species * m) float64
        A column for each species and distance, those of species 1 first [1].

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, a species is no whole number from 1, a
        distance is below 0, the width or cutoff is not above 0, or a particle does not exist.

    References
    ----------
    J. Behler and M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007);
    E. D. Cubuk et al., Phys. Rev. Lett. 114, 108001 (2015);
    S. S. Schoenholz et al., Nat. Phys. 12, 469 (2016).
    """
    lattice, positions = as_lattice(box), as_positions(positions)
    kind = as_species(species, len(positions)) - 1
    distances = _as_radii(radii)
    reach = distances.max() + WIDTHS * width if cutoff is None else cutoff
    if not (0 < width < math.inf and 0 < reach < math.inf):
        msg = f"width and cutoff must be finite and above 0, got {width} and {cutoff}"
        raise ValueError(msg)
    rows, back = np.unique(as_particles(only, len(positions)), return_inverse=True)
    row_of = np.full(len(positions), -1)
    row_of[rows] = np.arange(len(rows))
    wrapped, _ = wrap(positions, lattice)
    cells = padded_cells(wrapped, lattice, float(reach))
    sums = np.zeros((len(rows), int(kind.max(initial=0)) + 1, len(distances)))
    _add_functions(sums, cells, kind, row_of, distances, float(width), float(reach) ** 2)
    return sums.reshape(len(rows), sums.shape[1] * sums.shape[2])[back]


def _as_radii(radii: ArrayLike) -> NDArray[np.float64]:
    distances = np.require(radii, np.float64, ("C", "W"))
    if distances.ndim == 1 and len(distances) and np.all((distances >= 0) & (distances < np.inf)):
        return distances
    msg = f"radii must be (m,), finite and from 0 on, got {distances.tolist()}"
    raise ValueError(msg)


@compiled
def _add_functions(
    sums: NDArray[np.float64],
    cells: PaddedCells,
    kind: NDArray[np.int64],
    row_of: NDArray[np.int64],
    radii: NDArray[np.float64],
    width: float,
    squared_cutoff: float,
) -> None:
    x, y, z, particle = cells.x, cells.y, cells.z, cells.particle
    first, shape, pad = cells.first, cells.shape, cells.pad
    steep = -0.5 / (width * width)
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for i in range(first[cell], first[cell + 1]):
                    if row_of[particle[i]] < 0:
                        continue
                    own = sums[row_of[particle[i]]]
                    for row in range(len(cells.row_start)):
                        start = first[cell + cells.row_start[row]]
                        stop = first[cell + cells.row_stop[row]]
                        for j in range(start, stop):
                            dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                            squared = dx * dx + dy * dy + dz * dz
                            if squared >= squared_cutoff or j == i:
                                continue
                            distance, found = math.sqrt(squared), own[kind[particle[j]]]
                            for k in range(len(radii)):
                                off = distance - radii[k]
                                found[k] += math.exp(steep * off * off)
