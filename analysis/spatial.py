"""Correlations in space."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, demand_room, heights, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells

MOST_BINS = 2**20
"""Bins that a correlation may have."""


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
    the same width, holds pairs of :math:`k \le \sqrt{r^2 (\mathtt{bins} /
    \mathtt{reach})^2} < k + 1`. At r = 0 it is 1. Uncorrelated values give -1 / (n - 1), as the mean is
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
    widths = heights(lattice) / (cells.shape - 2 * cells.pad)
    # Unless edges are along the axes, all of a row is taken to be near.
    square = np.array_equal(lattice, np.diag(np.abs(np.diag(lattice))))
    most = float(reach) * (1 + _MARGIN) if square else math.inf
    sums = _sum_pairs(
        cells, _rows_after(cells), widths, most**2, deviation, float(reach), int(bins)
    )
    return SpatialCorrelation(
        edges=np.asarray(np.arange(bins + 1) * (reach / bins), np.float64),
        pairs=np.append(len(values), sums[:bins, 0]).astype(np.int64),
        products=np.append(deviation @ deviation, sums[:bins, 1]),
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


_CELLS_PER_REACH = np.array([2, 2, 8])
"""Long rows, since each has a price, but in small steps, since so have points out of reach."""
_MARGIN = 1e-9


def _rows_after(cells: PaddedCells) -> NDArray[np.int64]:
    """List the rows of cells of which one of every two that are near each other has to look.

    Returns (rows, 4): cells along the first and the second axis to the row, from a cell to
    that of the row beside it, and how far from there the row extends; its own row first.
    """
    middle = (cells.row_start + cells.row_stop - 1) // 2
    across = middle // cells.shape[2]
    y = (across + cells.pad[1]) % cells.shape[1] - cells.pad[1]
    rows = np.stack([(across - y) // cells.shape[1], y, middle, cells.row_stop - 1 - middle], 1)
    return np.ascontiguousarray(rows[middle >= 0])


@compiled
def _sum_pairs(
    cells: PaddedCells,
    rows: NDArray[np.int64],
    widths: NDArray[np.float64],
    most: float,
    deviation: NDArray[np.float64],
    reach: float,
    bins: int,
) -> NDArray[np.float64]:
    """Sum pairs, and products of both ends' deviations, in each bin and beyond the last."""
    first, shape, pad = cells.first, cells.shape, cells.pad
    n_points = len(cells.x)
    # As many are located at once as a vector holds; what is too much is written over.
    x, y, z = np.zeros(n_points + 4), np.zeros(n_points + 4), np.zeros(n_points + 4)
    value, product = np.zeros(n_points + 4), np.empty(n_points + 4)
    place = np.empty(n_points + 4, np.int32)
    for point in range(n_points):
        x[point], y[point], z[point] = cells.x[point], cells.y[point], cells.z[point]
        value[point] = deviation[cells.particle[point]]
    sums = np.zeros((4, bins + 1, 2))
    margin = _MARGIN * reach
    gap_x, gap_y = np.zeros(pad[0] + 1), np.zeros(2 * pad[1] + 1)
    for cell in range(len(first) - 1):
        cx = cell // (shape[1] * shape[2]) - pad[0]
        cy, cz = cell // shape[2] % shape[1] - pad[1], cell % shape[2] - pad[2]
        if (
            min(cx, cy, cz) < 0
            or cx >= shape[0] - 2 * pad[0]
            or cy >= shape[1] - 2 * pad[1]
            or cz >= shape[2] - 2 * pad[2]
        ):
            continue
        for i in range(first[cell], first[cell + 1]):
            for k in range(1, pad[0] + 1):
                gap_x[k] = max(0.0, (cx + k) * widths[0] - x[i] - margin) ** 2
            for k in range(1, pad[1] + 1):
                gap_y[pad[1] + k] = max(0.0, (cy + k) * widths[1] - y[i] - margin) ** 2
                gap_y[pad[1] - k] = max(0.0, y[i] - (cy - k + 1) * widths[1] - margin) ** 2
            along = z[i] / widths[2] - cz
            n = 0
            for row in range(len(rows)):
                left = most - gap_x[rows[row, 0]] - gap_y[rows[row, 1] + pad[1]]
                if left < 0:
                    continue
                half = math.sqrt(left) / widths[2]
                start = math.floor(max(along - half, -rows[row, 3]))
                stop = math.floor(min(along + half, rows[row, 3]))
                beside = cell + rows[row, 2]
                begin = first[beside + start] if row > 0 else i + 1
                count = first[beside + stop + 1] - begin
                _locate(x, y, z, value, i, begin, count, reach, bins, n, place, product)
                n += count
            for j in range(n):
                # Four copies of the sums in turn: a pair often falls in the bin of the one
                # before, and would wait for its sum to be stored.
                b = np.uint64(place[j])
                sums[j & 3, b, 0] += 1.0
                sums[j & 3, b, 1] += product[j]
    return np.asarray(sums[0] + sums[1] + sums[2] + sums[3])


@compiled
def _locate(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    value: NDArray[np.float64],
    i: int,
    begin: int,
    count: int,
    reach: float,
    bins: int,
    at: int,
    place: NDArray[np.int32],
    product: NDArray[np.float64],
) -> None:
    """Write the bins of the distances of point i to those from `begin` on, and the products."""
    x_i, y_i, z_i, value_i = x[i], y[i], z[i], value[i]
    scale, beyond = bins * bins / (reach * reach), float(bins)
    # Unsigned, or each index is asked whether it counts from the end.
    source, target = np.uint64(begin), np.uint64(at)
    for j in range(np.uint64((count + 3) // 4 * 4)):
        dx, dy, dz = x[source + j] - x_i, y[source + j] - y_i, z[source + j] - z_i
        squared = (dx * dx + dy * dy + dz * dz) * scale
        place[target + j] = np.int32(min(np.sqrt(squared), beyond))
        product[target + j] = value[source + j] * value_i
