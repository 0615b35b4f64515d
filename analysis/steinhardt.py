"""Bond-orientational order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, demand_cutoff, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_faces

HIGHEST_DEGREE = 100


def bond_order(
    positions: ArrayLike,
    box: ArrayLike,
    degrees: Sequence[int] = (4, 6),
    cutoff: float | None = None,
    tetrahedra: Tetrahedra | None = None,
    weighted: bool = False,
) -> NDArray[np.float64]:
    r"""Measure how alike the directions of a particle's bonds are, however it is turned.

    .. math:: q_l = \sqrt{\frac{4 \pi}{2 l + 1} \sum_{m=-l}^{l}
              \Big| \sum_j w_j Y_{lm}(r_{ij}) \Big|^2}
              = \sqrt{\sum_{jk} w_j w_k P_l(\cos \gamma_{jk})}

    with :math:`\gamma_{jk}` the angle between two bonds of particle i. The second form, by
    the addition theorem, is the one computed: it needs no spherical harmonics.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    degrees : sequence of int
        Each l, from 1 to `HIGHEST_DEGREE`.
    cutoff : float, optional
        Neighbours are nearer than this; by default they are those whose Voronoi cells touch
        [length].
    tetrahedra : Tetrahedra, optional
        Delaunay tetrahedra of these positions, if they are at hand.
    weighted : bool
        False: each of n neighbours has the weight 1 / n. True: its face's part of the area
        of the Voronoi cell; then nothing jumps when a neighbour is lost, and in a crystal
        faces of no area do not matter.

    Returns
    -------
    (n, n_degrees) float64
        From 0 to 1; ``nan`` without neighbours, and with one at the same place. Below
        1e-7 it is rounding [1].

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, a degree or the cutoff is out of range,
        or a cutoff is given beside `tetrahedra` or `weighted`, which need none.

    References
    ----------
    P. J. Steinhardt, D. R. Nelson and M. Ronchetti, Phys. Rev. B 28, 784 (1983), eq. 1.4;
    weighted, W. Mickel, S. C. Kapfer, G. E. Schroder-Turk and K. Mecke, J. Chem. Phys. 138,
    044501 (2013).
    """
    lattice, positions = as_lattice(box), as_positions(positions)
    column = _columns(degrees)
    if cutoff is None:
        if tetrahedra is None:
            tetrahedra = delaunay(positions, lattice)
        indptr, _, area, vector = voronoi_faces(positions, lattice, tetrahedra)
        weight = area if weighted else np.ones(len(area))
        return _sum_angles(indptr, vector, weight, column, len(degrees))
    if weighted or tetrahedra is not None:
        msg = "either a cutoff or Voronoi neighbours: leave out cutoff, or tetrahedra and weighted"
        raise ValueError(msg)
    demand_cutoff(cutoff)
    wrapped, _ = wrap(positions, lattice)
    cells = padded_cells(wrapped, lattice, float(cutoff))
    indptr, vector = _bonds_within(cells, len(positions), float(cutoff))
    return _sum_angles(indptr, vector, np.ones(len(vector)), column, len(degrees))


def _columns(degrees: Sequence[int]) -> NDArray[np.int64]:
    """Say which column each degree from 0 to the highest goes to; -1 for none."""
    wrong = [degree for degree in degrees if degree not in range(1, HIGHEST_DEGREE + 1)]
    if wrong or not degrees or len(set(degrees)) < len(degrees):
        msg = (
            f"degrees must be different whole numbers from 1 to {HIGHEST_DEGREE}, "
            f"got {list(degrees)}"
        )
        raise ValueError(msg)
    column = np.full(max(degrees) + 1, -1)
    column[list(degrees)] = np.arange(len(degrees))
    return column


@compiled
def _sum_angles(
    indptr: NDArray[np.int64],
    vector: NDArray[np.float64],
    weight: NDArray[np.float64],
    column: NDArray[np.int64],
    n_degrees: int,
) -> NDArray[np.float64]:
    n = len(indptr) - 1
    result = np.empty((n, n_degrees))
    unit, total = np.empty(vector.shape), np.empty(n_degrees)
    # Of the recurrence (l + 1) P_l+1 = (2 l + 1) x P_l - l P_l-1.
    rise, fall = np.empty(len(column)), np.empty(len(column))
    for degree in range(len(column)):
        rise[degree], fall[degree] = (2 * degree + 1) / (degree + 1), degree / (degree + 1)
    for i in range(n):
        own, all_weights = 0.0, 0.0
        total[:] = 0.0
        for j in range(indptr[i], indptr[i + 1]):
            x, y, z = vector[j, 0], vector[j, 1], vector[j, 2]
            length = np.sqrt(x * x + y * y + z * z)
            unit[j, 0], unit[j, 1], unit[j, 2] = x / length, y / length, z / length
            own += weight[j] * weight[j]
            all_weights += weight[j]
            for k in range(indptr[i], j):
                cosine = unit[j, 0] * unit[k, 0] + unit[j, 1] * unit[k, 1] + unit[j, 2] * unit[k, 2]
                twice = 2 * weight[j] * weight[k]
                lower, legendre = 1.0, cosine
                for degree in range(1, len(column)):
                    if column[degree] >= 0:
                        total[column[degree]] += twice * legendre
                    higher = rise[degree] * cosine * legendre - fall[degree] * lower
                    lower, legendre = legendre, higher
        for at in range(n_degrees):
            # Rounding may take a sum of nothing below 0.
            result[i, at] = np.sqrt(max(own + total[at], 0.0)) / all_weights
    return result


@compiled
def _bonds_within(
    cells: PaddedCells, n: int, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """List the bonds of each particle, in compressed rows."""
    x, y, z, particle = cells.x, cells.y, cells.z, cells.particle
    first, shape, pad = cells.first, cells.shape, cells.pad
    indptr = np.zeros(n + 1, np.int64)
    vector = np.empty((0, 3))
    for counted in range(2):
        if counted:
            for i in range(n):
                indptr[i + 1] += indptr[i]
            vector = np.empty((indptr[n], 3))
        for cx in range(pad[0], shape[0] - pad[0]):
            for cy in range(pad[1], shape[1] - pad[1]):
                for cz in range(pad[2], shape[2] - pad[2]):
                    cell = (cx * shape[1] + cy) * shape[2] + cz
                    for i in range(first[cell], first[cell + 1]):
                        at, found = indptr[particle[i]], 0
                        for row in range(len(cells.row_start)):
                            start = first[cell + cells.row_start[row]]
                            stop = first[cell + cells.row_stop[row]]
                            for j in range(start, stop):
                                dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                                near = dx * dx + dy * dy + dz * dz < cutoff * cutoff
                                if near and j != i:
                                    if counted:
                                        vector[at + found, 0] = dx
                                        vector[at + found, 1] = dy
                                        vector[at + found, 2] = dz
                                    found += 1
                        if not counted:
                            indptr[particle[i] + 1] = found
    return indptr, vector
