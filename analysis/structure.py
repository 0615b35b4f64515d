"""Partial radial distribution functions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, heights, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.species import as_species

# Neighbouring pairs often fall into one bin; counted in turn in so many histograms, the
# second need not wait for what the first has written.
_LANES = 4


@dataclass(frozen=True, slots=True, eq=False)
class PairDistribution:
    """Pairs of particles by distance and species, of one frame or of several added up.

    The sum of those of several frames is that of all their pairs together: add the frames
    of blocks, then the blocks, and the result is the same as of all frames at once.
    """

    edges: NDArray[np.float64]
    """(n_bins + 1,) distances that bound the bins, each with its lower bound [length]."""
    pairs: NDArray[np.int64]
    """(n_species, n_species, n_bins) number of ordered pairs: of two unlike particles, one
    in [a, b] and one in [b, a]; of two like ones, two in [a, a]. Sum over frames."""
    ideal: NDArray[np.float64]
    """(n_species, n_species, n_bins) number of them in an ideal gas, N_a (N_b - delta_ab)
    times the shell's part of the volume. Sum over frames."""

    @property
    def distance(self) -> NDArray[np.float64]:
        """(n_bins,) middle of each bin [length]."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def partial(self) -> NDArray[np.float64]:
        """(n_species, n_species, n_bins) g_ab(r); ``nan`` where there can be no pair [1]."""
        return _ratio(self.pairs, self.ideal)

    @property
    def total(self) -> NDArray[np.float64]:
        """(n_bins,) g(r) of all particles, whatever their species [1]."""
        return _ratio(self.pairs.sum(axis=(0, 1)), self.ideal.sum(axis=(0, 1)))

    def __add__(self, other: "PairDistribution") -> "PairDistribution":
        """Take the pairs of both together."""
        if self.pairs.shape != other.pairs.shape or not np.array_equal(self.edges, other.edges):
            msg = (
                "only pairs of the same species in the same bins can be added, "
                f"got shape {self.pairs.shape} up to {self.edges[-1]:g} "
                f"and {other.pairs.shape} up to {other.edges[-1]:g}"
            )
            raise ValueError(msg)
        return PairDistribution(self.edges, self.pairs + other.pairs, self.ideal + other.ideal)


def _ratio(pairs: NDArray[np.int64], ideal: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(pairs, ideal, out=np.full(ideal.shape, np.nan), where=ideal > 0))


def partial_rdf(
    positions: ArrayLike,
    box: ArrayLike,
    species: ArrayLike,
    reach: float = 5.0,
    bins: int = 250,
) -> PairDistribution:
    r"""Count pairs by distance, and compare with an ideal gas.

    .. math:: g_{ab}(r) = \frac{V}{N_a (N_b - \delta_{ab})}
              \frac{n_{ab}(r)}{\frac{4}{3} \pi [(r + w)^3 - r^3]}

    with :math:`n_{ab}(r)` the ordered pairs of different particles at distances in
    :math:`[r, r + w)`. Points drawn independently and uniformly have an expectation of
    exactly 1 in each bin, however few they are.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    species : (n,) int
        Of each particle, from 1. There are as many as the largest says.
    reach : float
        Largest distance [length]. Above half the box a pair counts once for each image that
        is so near, and a particle's own image never does.
    bins : int
        Number of bins of equal width.

    Returns
    -------
    PairDistribution
        Its `partial` and `total` are the distribution functions.

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, a species is no whole number from 1, there
        is no bin, or `reach` is not above 0 and below the smallest height of the box.

    References
    ----------
    M. P. Allen and D. J. Tildesley, Computer Simulation of Liquids, 2nd ed., section 8.2.
    """
    lattice, positions = as_lattice(box), as_positions(positions)
    kind = as_species(species, len(positions)) - 1
    if bins < 1 or bins % 1:
        msg = f"bins must be a whole number from 1, got {bins}"
        raise ValueError(msg)
    smallest = heights(lattice).min()
    if not 0 < reach < smallest:
        msg = (
            f"reach must be above 0 and below the smallest height of the box, {smallest:.6g}, "
            f"as beyond it particles are neighbours of their own images; got {reach:g}"
        )
        raise ValueError(msg)
    count = np.bincount(kind)
    wrapped, _ = wrap(positions, lattice)
    cells = padded_cells(wrapped, lattice, float(reach), cells_per_cutoff=4)
    half = _count_pairs(cells, kind, len(count), float(reach), int(bins))
    edges = np.linspace(0.0, reach, bins + 1)
    shell = 4 / 3 * np.pi * np.diff(edges**3) / abs(np.linalg.det(lattice))
    possible = np.outer(count, count) - np.diag(count)
    return PairDistribution(edges, half + half.swapaxes(0, 1), possible[:, :, None] * shell)


@compiled
def _count_pairs(
    cells: PaddedCells, kind: NDArray[np.int64], n_kinds: int, reach: float, bins: int
) -> NDArray[np.int64]:
    """Count each pair once, as (kind of the one, kind of the other, bin)."""
    x, y, z, particle = cells.x, cells.y, cells.z, cells.particle
    first, shape, pad = cells.first, cells.shape, cells.pad
    # One bin more, for what is farther than the reach: storing it costs less than a branch.
    width, most = bins + 1, np.float64(bins)
    scale = bins / reach
    n_points = len(x)
    offset = np.empty(n_points, np.int32)
    for point in range(n_points):
        offset[point] = kind[particle[point]] * width
    counts = np.zeros((_LANES, n_kinds, n_kinds * width), np.int64)
    at = np.empty(n_points, np.int32)

    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for i in range(first[cell], first[cell + 1]):
                    x_i, y_i, z_i = x[i], y[i], z[i]
                    n = 0
                    for row in range(len(cells.row_start)):
                        # Rows lie opposite each other: those ahead, and the rest of the
                        # particle's own, hold one particle of each pair.
                        side = cells.row_start[row] + cells.row_stop[row] - 1
                        if side < 0:
                            continue
                        start = first[cell + cells.row_start[row]] if side else i + 1
                        stop = first[cell + cells.row_stop[row]]
                        # Slices, so that the loop is vectorised.
                        row_x, row_y, row_z = x[start:stop], y[start:stop], z[start:stop]
                        base, out = offset[start:stop], at[n : n + stop - start]
                        for j in range(stop - start):
                            dx, dy, dz = row_x[j] - x_i, row_y[j] - y_i, row_z[j] - z_i
                            bin_ = np.sqrt(dx * dx + dy * dy + dz * dz) * scale
                            out[j] = np.int32(min(bin_, most)) + base[j]
                        n += stop - start
                    own = kind[particle[i]]
                    lane_0, lane_1 = counts[0, own], counts[1, own]
                    lane_2, lane_3 = counts[2, own], counts[3, own]
                    quads = n // _LANES * _LANES
                    for q in range(0, quads, _LANES):
                        lane_0[np.uint64(at[q])] += 1
                        lane_1[np.uint64(at[q + 1])] += 1
                        lane_2[np.uint64(at[q + 2])] += 1
                        lane_3[np.uint64(at[q + 3])] += 1
                    for q in range(quads, n):
                        lane_0[np.uint64(at[q])] += 1
    result = np.zeros((n_kinds, n_kinds, bins), np.int64)
    for lane in range(_LANES):
        for a in range(n_kinds):
            for b in range(n_kinds):
                for k in range(bins):
                    result[a, b, k] += counts[lane, a, b * width + k]
    return result
