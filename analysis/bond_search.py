"""Kernels that find the points within a cutoff of another, eight at a time."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.lanes import append_near
from glasscreep.analysis.neighbors import PaddedCells

# How many points that are near to nothing follow each line of cells.
GAP = 7


@compiled
def bond_tables(
    cells: PaddedCells, moved: NDArray[np.float64], cutoff: float
) -> tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    np.float32,
    NDArray[np.float64],
]:
    """Lay out coordinates for reading side by side, and with displacements for gathering.

    After the points of each line of cells comes a gap of points that are near to nothing, so
    that eight can be read from any point on, and none of another line is among them.

    Returned are the first point of each cell and one beyond its last; coordinates in units
    of the cutoff and single precision, and the square of the distance that two points within
    the cutoff can have by these; the table of coordinates and displacements.
    """
    first, along = cells.first, cells.shape[2]
    lines = (len(first) - 1) // along
    size = len(cells.x) + GAP * lines
    starts, stops = np.empty(lines * along, np.int64), np.empty(lines * along, np.int64)
    x, y, z = np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    table = np.empty((size, 6))
    farthest = 0.0
    for line in range(lines):
        start, stop, gap = first[line * along], first[(line + 1) * along], GAP * line
        for cell in range(line * along, (line + 1) * along):
            starts[cell], stops[cell] = first[cell] + gap, first[cell + 1] + gap
        for point in range(start, stop):
            at, i = point + gap, cells.particle[point]
            a, b, c = cells.x[point], cells.y[point], cells.z[point]
            x[at], y[at], z[at] = a / cutoff, b / cutoff, c / cutoff
            farthest = max(farthest, abs(a), abs(b), abs(c))
            table[at, 0], table[at, 1], table[at, 2] = a, b, c
            table[at, 3], table[at, 4], table[at, 5] = moved[i, 0], moved[i, 1], moved[i, 2]
        for at in range(stop + gap, stop + gap + GAP):
            x[at] = y[at] = z[at] = np.inf
    # Each coordinate is off by half a unit in its last place, and so is what is made of it.
    off = 2.0**-22 * (farthest / cutoff + 2)
    return starts, stops, x, y, z, np.float32((1 + off) ** 2), table


@compiled
def list_blocks(
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    row_start: NDArray[np.int64],
    row_stop: NDArray[np.int64],
    cell: int,
    blocks: NDArray[np.int64],
) -> int:
    """List from where on to read eight points at a time, to read all that may be neighbours.

    What is read beyond a row is farther than the cutoff: its continuation, or near to nothing.
    """
    n = 0
    for row in range(len(row_start)):
        start, stop = starts[cell + row_start[row]], stops[cell + row_stop[row] - 1]
        # Two blocks are written, whether the row has one or two; a branch would cost more.
        while start < stop:
            blocks[n], blocks[n + 1] = start, start + 8
            n += min((stop - start + 7) >> 3, 2)
            start += 16
    return n


@compiled
def find_near(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    blocks: NDArray[np.int64],
    n_blocks: int,
    i: int,
    near: np.float32,
    found: NDArray[np.uint32],
) -> int:
    """List in `found` all points within the cutoff of point i, and perhaps some just beyond."""
    center = x[i], y[i], z[i]
    n = 0
    for block in range(n_blocks):
        n = append_near(found, n, x, y, z, blocks[block], center, near)
    # The last four are filled up by bonds of the point to itself.
    found[n], found[n + 1], found[n + 2] = i, i, i
    return n
