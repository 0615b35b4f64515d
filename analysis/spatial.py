"""Correlations in space."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, demand_room, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells

MOST_BINS = 1000
"""Bins that a correlation may have: what finds a pair's bin grows with their square."""


@dataclass(frozen=True, slots=True)
class SpatialCorrelation:
    """Correlation of a quantity of particles with that of others; sums of frames by `+`.

    Element 0 is of each particle with itself, at distance 0; the others are of pairs in
    bins of distance, from which particles with themselves are excluded.
    """

    edges: NDArray[np.float64]
    """(bins + 1,) of the bins of distance, the first 0 [length]."""
    pairs: NDArray[np.int64]
    """(bins + 1,) particles, then pairs in each bin, each counted once."""
    products: NDArray[np.float64]
    """(bins + 1,) sum of the products of both deviations from the frame's mean [value**2]."""
    normalised: bool
    """Whether `value` is divided by the variance."""

    @property
    def distance(self) -> NDArray[np.float64]:
        """(bins + 1,) 0, then the centre of each bin [length]."""
        return np.append(0.0, 0.5 * (self.edges[1:] + self.edges[:-1]))

    @property
    def value(self) -> NDArray[np.float64]:
        """(bins + 1,) mean product; `nan` without pairs [1, or value**2 if not normalised].

        If normalised, the first is 1, and all are `nan` where values do not vary.
        """
        mean = np.full(len(self.pairs), np.nan)
        np.divide(self.products, self.pairs, out=mean, where=self.pairs > 0)
        if not self.normalised:
            return mean
        return mean / (mean[0] if mean[0] > 0 else math.nan)

    @property
    def decay_length(self) -> float:
        r"""Distance at which the correlation first falls to 1/e of that at distance 0 [length].

        Between the distances that have pairs it is taken to fall exponentially, so that
        :math:`e^{-r/\xi}` gives :math:`\xi` however coarse the bins; no two particles are
        nearer than their first shell. Where it goes from above 1/e to 0 or below, it is the
        last distance above 1/e. `nan` if it does not fall so far.
        """
        known = ~np.isnan(self.value)
        distance, value = self.distance[known], self.value[known]
        below = value * math.e <= value[:1]
        if not (below.any() and value[0] > 0):
            return math.nan
        after = int(np.argmax(below))
        if value[after] <= 0:
            return float(distance[after - 1])
        fall = np.log(value[0] / value[after - 1 : after + 1])
        step = distance[after] - distance[after - 1]
        return float(distance[after - 1] + step * (1 - fall[0]) / (fall[1] - fall[0]))

    def __add__(self, other: "SpatialCorrelation") -> "SpatialCorrelation":
        """Take the pairs of both."""
        if self.normalised != other.normalised or not np.array_equal(self.edges, other.edges):
            msg = (
                "only correlations in the same bins, both normalised or both not, can be added, "
                f"got {len(self.edges) - 1} bins to {self.edges[-1]:g}, normalised "
                f"{self.normalised} and {len(other.edges) - 1} bins to {other.edges[-1]:g}, "
                f"normalised {other.normalised}"
            )
            raise ValueError(msg)
        return SpatialCorrelation(
            self.edges,
            self.pairs + other.pairs,
            self.products + other.products,
            self.normalised,
        )


def spatial_autocorrelation(
    positions: ArrayLike,
    box: ArrayLike,
    values: ArrayLike,
    reach: float = 5.0,
    bins: int = 50,
    normalised: bool = True,
) -> SpatialCorrelation:
    r"""Correlate a quantity of particles with that of particles some distance away.

    .. math:: C(r) = \frac{\langle \delta L_i \, \delta L_j \rangle_{r_{ij} \in r}}
                          {\langle \delta L_i^2 \rangle_i} ,
              \qquad \delta L_i = L_i - \langle L \rangle ,

    over pairs of different particles, with the mean of this frame. Bin k, of ``bins`` of
    the same width, holds pairs of :math:`k^2 \le r^2 (\mathtt{bins}/\mathtt{reach})^2 <
    (k + 1)^2`. At r = 0 it is 1. Uncorrelated values give -1 / (n - 1), as the mean is
    their own. The paper's formula is without the denominator: ``normalised=False``.

    Of several frames, add the results: products and pairs are summed before they are
    divided.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle; those of one species alone if that is what correlates
        [length].
    box : (3,) or (3, 3) float
        Edge lengths, or edge vectors as rows, of the periodic box [length].
    values : (n,) float
        Of each particle [value].
    reach : float
        Distance at which the last bin ends [length].
    bins : int
        From 1 to `MOST_BINS`.
    normalised : bool
        Divide by the variance.

    Returns
    -------
    SpatialCorrelation

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are too few or too many bins, or
        the box is too small: its heights must be above ``2 * reach``.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), equation 2.
    """
    positions, lattice = as_positions(positions), as_lattice(box)
    values = as_values(values, len(positions))
    demand_room(lattice, reach)
    if not 1 <= bins <= MOST_BINS:
        msg = f"bins must be from 1 to {MOST_BINS}, got {bins}"
        raise ValueError(msg)
    deviation = deviations(values)
    cells = padded_cells(wrap(positions, lattice)[0], lattice, float(reach), _CELLS_PER_REACH)
    pairs, products = _sum_pairs(cells, deviation, float(reach), int(bins))
    return SpatialCorrelation(
        edges=np.asarray(np.arange(bins + 1) * (reach / bins), np.float64),
        pairs=np.append(len(values), pairs),
        products=np.append(deviation @ deviation, products),
        normalised=normalised,
    )


def as_values(values: ArrayLike, n: int) -> NDArray[np.float64]:
    """Take a quantity of each particle, refusing what is none.

    Parameters
    ----------
    values : (n,) float
        Of each particle [value].
    n : int
        Number of particles.

    Returns
    -------
    (n,) float64

    Raises
    ------
    ValueError
        If the shape is another or a number is not finite; it names the particle.
    """
    array = np.asarray(values, np.float64)
    if array.shape != (n,):
        msg = f"values must have shape ({n},), one of each position, got {array.shape}"
        raise ValueError(msg)
    finite = np.isfinite(array)
    if not finite.all():
        bad = int(np.argmin(finite))
        msg = (
            f"values must be finite, got {array[bad]} at particle {bad}; "
            "leave such particles out, their positions too"
        )
        raise ValueError(msg)
    return array


def deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract the mean.

    Parameters
    ----------
    values : (n,) float64
        Of each particle [value].

    Returns
    -------
    (n,) float64
        All exactly 0 if values are equal [value].
    """
    if len(values) == 0:
        return values
    from_first = values - values[0]
    return np.asarray(from_first - from_first.mean())


_CELLS_PER_REACH = 3


@compiled
def _sum_pairs(
    cells: PaddedCells, deviation: NDArray[np.float64], reach: float, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sum pairs, and products of both ends' deviations, in each bin of distance."""
    x, y, z, first = cells.x, cells.y, cells.z, cells.first
    shape, pad, row_start, row_stop = cells.shape, cells.pad, cells.row_start, cells.row_stop
    n_points = len(x)
    value = np.empty(n_points)
    for point in range(n_points):
        value[point] = deviation[cells.particle[point]]
    near = np.empty((4, n_points))
    place, product = np.empty(n_points, np.int32), np.empty(n_points)
    # The square of a distance, in units that make the edges of bins squares of integers,
    # is rounded down and looked up: no square root, and edges that are exact.
    bin_of = np.full(bins * bins + 1, bins, np.uint16)
    for b in range(bins):
        bin_of[b * b : (b + 1) * (b + 1)] = b
    scale = bins * bins / (reach * reach)
    sums = np.zeros((4, bins + 1, 2))
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                if first[cell + 1] == first[cell]:
                    continue
                n = _copy_half(x, y, z, value, first, cell, row_start, row_stop, near)
                for i in range(first[cell + 1] - first[cell]):
                    _locate(near, i, n, scale, bins * bins, place, product)
                    _add(place[i + 1 : n], product[i + 1 : n], bin_of, sums)
    pairs = sums[0, :bins, 0] + sums[1, :bins, 0] + sums[2, :bins, 0] + sums[3, :bins, 0]
    products = sums[0, :bins, 1] + sums[1, :bins, 1] + sums[2, :bins, 1] + sums[3, :bins, 1]
    return pairs.astype(np.int64), products


@compiled
def _copy_half(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    value: NDArray[np.float64],
    first: NDArray[np.int64],
    cell: int,
    row_start: NDArray[np.int64],
    row_stop: NDArray[np.int64],
    near: NDArray[np.float64],
) -> int:
    """Copy a cell's points, then those of the cells after it that may be near."""
    n = 0
    for row in range(len(row_start)):
        if row_stop[row] <= 0:
            continue
        start, stop = first[cell + max(row_start[row], 0)], first[cell + row_stop[row]]
        count = stop - start
        near[0, n : n + count] = x[start:stop]
        near[1, n : n + count] = y[start:stop]
        near[2, n : n + count] = z[start:stop]
        near[3, n : n + count] = value[start:stop]
        n += count
    return n


@compiled
def _locate(
    near: NDArray[np.float64],
    i: int,
    n: int,
    scale: float,
    beyond: int,
    place: NDArray[np.int32],
    product: NDArray[np.float64],
) -> None:
    """Find the scaled squared distance of point i to those after it, and the products."""
    x, y, z, value = near[0, :n], near[1, :n], near[2, :n], near[3, :n]
    x_i, y_i, z_i, value_i = x[i], y[i], z[i], value[i]
    place, product, most = place[:n], product[:n], float(beyond)
    for j in range(i + 1, n):
        dx, dy, dz = x[j] - x_i, y[j] - y_i, z[j] - z_i
        place[j] = np.int32(min((dx * dx + dy * dy + dz * dz) * scale, most))
        product[j] = value[j] * value_i


@compiled
def _add(
    place: NDArray[np.int32],
    product: NDArray[np.float64],
    bin_of: NDArray[np.uint16],
    sums: NDArray[np.float64],
) -> None:
    """Count pairs and add up products by bin."""
    # Four copies of the sums in turn: a pair mostly falls in the bin of the pair before,
    # and would wait for its sum to be stored.
    n = len(place)
    for j in range(n):
        b = bin_of[np.uint64(place[j])]
        sums[j & 3, b, 0] += 1.0
        sums[j & 3, b, 1] += product[j]
