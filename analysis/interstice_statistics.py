"""Mean, maximum, minimum and standard deviation over what surrounds each particle.

Statistics of nothing are 0. Where one number is `nan`, all four are.
"""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.lanes import larger, load, root, smaller, spread, store
from glasscreep.analysis.lanes import total as sum_of


@compiled
def distances(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    inverse: NDArray[np.float64],
    longest: float,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    fraction: bool,
    ddof: int,
    table: NDArray[np.float64],
) -> None:
    """Write the statistics of free distances into columns 0 to 3 of `table`.

    Parameters
    ----------
    points : (n, 4) float64
        Position and radius of each particle [length].
    lattice, inverse : (3, 3) float64
        Edge vectors of the box, one a row, and the inverse. Neighbours are less than half the
        smallest height away.
    longest : float
        No neighbour is farther, and no image of one nearer [length].
    indptr, indices : (n + 1,) int64 and (n_bonds,) int32
        Rows of neighbours.
    fraction : bool
        Whether to divide by the sum of the radii.
    ddof : int
        What is taken from the number of neighbours for their standard deviation.
    table : (n, 12) float64
        Written to.
    """
    near = longest * longest * (1 + 1e-9)
    for i in range(len(points)):
        x, y, z, radius = points[i, 0], points[i, 1], points[i, 2], points[i, 3]
        start, stop = indptr[i], indptr[i + 1]
        first = total = squares = 0.0
        high, low = -np.inf, np.inf
        for q in range(start, stop):
            j = np.uint64(indices[q])
            dx, dy, dz = points[j, 0] - x, points[j, 1] - y, points[j, 2] - z
            if dx * dx + dy * dy + dz * dz > near:
                a = np.rint(dx * inverse[0, 0] + dy * inverse[1, 0] + dz * inverse[2, 0])
                b = np.rint(dx * inverse[0, 1] + dy * inverse[1, 1] + dz * inverse[2, 1])
                c = np.rint(dx * inverse[0, 2] + dy * inverse[1, 2] + dz * inverse[2, 2])
                dx -= a * lattice[0, 0] + b * lattice[1, 0] + c * lattice[2, 0]
                dy -= a * lattice[0, 1] + b * lattice[1, 1] + c * lattice[2, 1]
                dz -= a * lattice[0, 2] + b * lattice[1, 2] + c * lattice[2, 2]
            touching = radius + points[j, 3]
            free = np.sqrt(dx * dx + dy * dy + dz * dz) - touching
            free = free / touching if fraction else free
            first = free if q == start else first
            total += free - first
            squares += (free - first) ** 2
            high, low = max(high, free), min(low, free)
        _write(first, total, squares, high, low, stop - start, 1.0, ddof, table, i, 0)


@compiled
def sizes(
    free: NDArray[np.float64],
    first: NDArray[np.int64],
    corner: NDArray[np.uint32],
    facet: bool,
    ddof: int,
    table: NDArray[np.float64],
    start: int,
) -> None:
    """Write the statistics of free areas and volumes into columns 4 to 11 of `table`.

    Parameters
    ----------
    free : (5 m,) float64
        What `free_elements` returns, row by row.
    first, corner : (n + 1,) int64 and (n_corners,) uint32
        Tetrahedra around each particle, as `stars` lists them.
    facet : bool
        Whether the triangle opposite the particle counts, and not the three that it is a
        corner of; of these each belongs to two tetrahedra.
    ddof : int
        What is taken from the number of elements for their standard deviation.
    table : (>= start + n, 12) float64
        Written to.
    start : int
        Row of the first particle.
    """
    # For each corner: 1 for faces that count and 0 for others, then what leaves the former and
    # takes the latter out of a maximum, then the negative of that for a minimum.
    masks = np.zeros(48)
    for k in range(4):
        for face in range(4):
            counts = (face == k) == facet
            masks[4 * k + face] = 1.0 if counts else 0.0
            masks[16 + 4 * k + face] = 0.0 if counts else -np.inf
            masks[32 + 4 * k + face] = 0.0 if counts else np.inf
    faces, copies = (1, 1.0) if facet else (3, 2.0)
    lanes = np.empty(8)
    for i in range(len(first) - 1):
        n = first[i + 1] - first[i]
        area = volume = 0.0
        if n > 0:
            code = int(corner[first[i]])
            row, k = (code >> 2) * 5, code & 3 if facet else (code + 1) & 3
            area, volume = free[row + k], free[row + 4]
        total = squares = 0.0
        high, low = -np.inf, np.inf
        areas = areas_squared = spread(0.0)
        highest, lowest, area_lanes = spread(-np.inf), spread(np.inf), spread(area)
        for e in range(first[i], first[i + 1]):
            code = int(corner[e])
            row, mask = (code >> 2) * 5, (code & 3) * 4
            faces_here = load(free, row)
            off = (faces_here - area_lanes) * load(masks, mask)
            areas += off
            areas_squared += off * off
            highest = larger(highest, faces_here + load(masks, 16 + mask))
            lowest = smaller(lowest, faces_here + load(masks, 32 + mask))
            this = free[row + 4]
            total += this - volume
            squares += (this - volume) ** 2
            high, low = max(high, this), min(low, this)
        store(lanes, 0, highest)
        store(lanes, 4, lowest)
        _write(
            area,
            sum_of(areas),
            sum_of(areas_squared),
            max(max(lanes[0], lanes[1]), max(lanes[2], lanes[3])),
            min(min(lanes[4], lanes[5]), min(lanes[6], lanes[7])),
            faces * n,
            copies,
            ddof,
            table,
            start + i,
            4,
        )
        _write(volume, total, squares, high, low, n, 1.0, ddof, table, start + i, 8)


@compiled
def over_neighbors(
    table: NDArray[np.float64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    ddof: int,
    number: NDArray[np.int32],
    features: NDArray[np.float64],
) -> None:
    """Write each row of `table`, then the statistics of its columns over the neighbours.

    Parameters
    ----------
    table : (12 n,) float64
        Of each particle, row by row.
    indptr, indices : (n + 1,) int64 and (n_bonds,) int32
        Rows of neighbours.
    ddof : int
        What is taken from the number of neighbours for their standard deviation.
    number : (n,) int32
        Row of `features` for each particle.
    features : (n, 60) float64
        Written to.
    """
    lanes = np.empty(16)
    for i in range(len(features)):
        start, stop, into = indptr[i], indptr[i + 1], number[i]
        for column in range(12):
            features[into, column] = table[12 * i + column]
        if start == stop:
            for column in range(12, 60):
                features[into, column] = 0.0
            continue
        n = float(stop - start)
        part, widen = spread(1 / n), spread(n / (n - ddof))
        for column in range(0, 12, 4):
            first = load(table, 12 * int(indices[start]) + column)
            total = squares = spread(0.0)
            high, low = spread(-np.inf), spread(np.inf)
            for q in range(start, stop):
                value = load(table, 12 * int(indices[q]) + column)
                off = value - first
                total += off
                squares += off * off
                high, low = larger(high, value), smaller(low, value)
            mean = total * part
            variance = larger(squares * part - mean * mean, spread(0.0)) * widen
            # nan less itself is nan, all else is 0.
            undefined = mean - mean
            store(lanes, 0, first + mean)
            store(lanes, 4, high + undefined)
            store(lanes, 8, low + undefined)
            store(lanes, 12, root(variance + undefined))
            for k in range(4):
                for which in range(4):
                    features[into, 12 + 4 * (column + k) + which] = lanes[4 * which + k]


@compiled
def _write(
    first: float,
    total: float,
    squares: float,
    high: float,
    low: float,
    n: int,
    copies: float,
    ddof: int,
    table: NDArray[np.float64],
    row: int,
    column: int,
) -> None:
    """Write mean, maximum, minimum and standard deviation of n values, `copies` of each element.

    Given the sums of what they differ by from the first of them, and of its square: since that
    is one of them, it is so near their mean that one pass loses no more than a digit.
    """
    if n == 0:
        for k in range(4):
            table[row, column + k] = 0.0
        return
    part, n_elements = 1 / n, n / copies
    mean = total * part
    variance = max(squares * part - mean * mean, 0.0) * (n_elements / (n_elements - ddof))
    undefined = mean - mean
    table[row, column] = first + mean
    table[row, column + 1] = high + undefined
    table[row, column + 2] = low + undefined
    table[row, column + 3] = np.sqrt(variance + undefined)
