"""Which particles are near: a cell list of a periodic box, padded with images."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.box import heights, inverse_of
from glasscreep.analysis.compiled import compiled, compiled_without_memory

MOST_POINTS = 2**26
"""Particles and images together that a cell list may hold."""
IMAGE_STEPS = (2**20, 2**10, 1)
"""What one edge of the box adds to the number of an image."""
_MARGIN = 1e-12
_MOST_CELLS = 1024
"""Along one axis."""


class PaddedCells(NamedTuple):
    """Particles and their images, sorted by cell.

    The outer ``pad`` layers of cells hold images only, the others hold each particle once, so
    that the neighbours of a particle are found in the cells around its own with no regard to
    the box, however small that is. The last coordinate of a cell varies fastest: cells in a
    row are one stretch of points.
    """

    x: NDArray[np.float64]
    """(n_points,) coordinate of each point [length]."""
    y: NDArray[np.float64]
    """(n_points,) [length]."""
    z: NDArray[np.float64]
    """(n_points,) [length]."""
    particle: NDArray[np.uint32]
    """(n_points,) which particle the point is or is an image of."""
    image: NDArray[np.int32]
    """(n_points,) which image: the edges added, each times its part of `IMAGE_STEPS`."""
    first: NDArray[np.int64]
    """(n_cells + 1,) first point of each cell."""
    shape: NDArray[np.int64]
    """(3,) number of cells along each axis."""
    pad: NDArray[np.int64]
    """(3,) layers of images at each side."""
    row_start: NDArray[np.int64]
    """(n_rows,) first cell of each row that may hold neighbours, relative to the cell."""
    row_stop: NDArray[np.int64]
    """(n_rows,) one beyond the last."""


def padded_cells(
    wrapped: NDArray[np.float64],
    lattice: NDArray[np.float64],
    cutoff: float,
    cells_per_cutoff: int | NDArray[np.int64] = 1,
) -> PaddedCells:
    """Sort particles, and the images within the cutoff of the box, into cells.

    Parameters
    ----------
    wrapped : (n, 3) float64
        Positions in the box, up to rounding [length].
    lattice : (3, 3) float64
        One edge vector a row [length].
    cutoff : float
        Largest distance between neighbours; may exceed the box [length].
    cells_per_cutoff : int or (3,) int
        Of each axis. More are smaller, and follow the sphere of the cutoff more closely.

    Returns
    -------
    PaddedCells

    Raises
    ------
    ValueError
        If there would be more than `MOST_POINTS` points.
    """
    high = heights(lattice)
    reach = cutoff * (1 + _MARGIN)
    with np.errstate(over="ignore"):  # of absurd cutoffs: infinitely many is too many, too
        wanted = np.floor(high / reach * cells_per_cutoff)
    inner = np.clip(wanted, 1, _MOST_CELLS).astype(np.int64)
    while inner.prod() > max(64, 4 * len(wrapped)):  # no more cells than particles fill
        inner[np.argmax(inner)] = max(1, inner.max() // 2)
    with np.errstate(over="ignore"):
        layers = np.ceil(reach * inner / high)
        points = len(wrapped) * np.prod(1.0 + 2.0 * layers / inner)
    if points > MOST_POINTS:
        msg = (
            f"within {cutoff:g} of a box of heights {high.tolist()} there are {points:.2g} "
            f"images of its {len(wrapped)} particles, and at most {MOST_POINTS} can be searched"
        )
        raise ValueError(msg)
    pad, widths = layers.astype(np.int64), high / inner
    square = not np.any(lattice - np.diag(np.diag(lattice)))
    rows = _rows(inner + 2 * pad, pad, widths, reach, square)
    return _fill(wrapped, lattice, inverse_of(lattice), inner, pad, *rows)


def _rows(
    shape: NDArray[np.int64],
    pad: NDArray[np.int64],
    widths: NDArray[np.float64],
    cutoff: float,
    square: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the rows of cells around a cell that come nearer to it than the cutoff."""
    start, stop = [], []
    for x in range(-pad[0], pad[0] + 1):
        for y in range(-pad[1], pad[1] + 1):
            gaps = [max(abs(x) - 1, 0) * widths[0], max(abs(y) - 1, 0) * widths[1]]
            # Cells that are not square to each other are as far apart as along one axis.
            left = cutoff**2 - sum(gap * gap for gap in gaps) if square else cutoff**2
            if left < 0 or max(gaps) > cutoff:
                continue
            most = min(int(pad[2]), math.floor(math.sqrt(left) / widths[2]) + 1)
            middle = (x * shape[1] + y) * shape[2]
            start.append(middle - most)
            stop.append(middle + most + 1)
    return np.array(start, np.int64), np.array(stop, np.int64)


@compiled
def _fill(
    wrapped: NDArray[np.float64],
    lattice: NDArray[np.float64],
    inverse: NDArray[np.float64],
    inner: NDArray[np.int64],
    pad: NDArray[np.int64],
    row_start: NDArray[np.int64],
    row_stop: NDArray[np.int64],
) -> PaddedCells:
    n = len(wrapped)
    home = np.empty(n, np.int64)
    count = np.zeros(inner[0] * inner[1] * inner[2] + 1, np.int64)
    for i in range(n):
        cell = 0
        for k in range(3):
            fraction = (
                wrapped[i, 0] * inverse[0, k]
                + wrapped[i, 1] * inverse[1, k]
                + wrapped[i, 2] * inverse[2, k]
            )
            cell = cell * inner[k] + min(max(int(fraction * inner[k]), 0), inner[k] - 1)
        home[i] = cell
        count[cell + 1] += 1
    for cell in range(len(count) - 1):
        count[cell + 1] += count[cell]
    order = np.empty(n, np.int64)
    free = count.copy()
    for i in range(n):
        order[free[home[i]]] = i
        free[home[i]] += 1

    shape = inner + 2 * pad
    inside, edges = np.empty((3, shape.max()), np.int64), np.empty((3, shape.max()), np.int64)
    for k in range(3):
        for c in range(shape[k]):
            inside[k, c] = (c - pad[k]) % inner[k]
            edges[k, c] = (c - pad[k]) // inner[k]
    first = np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    c, at = 0, 0
    for cx in range(shape[0]):
        for cy in range(shape[1]):
            line = (inside[0, cx] * inner[1] + inside[1, cy]) * inner[2]
            for cz in range(shape[2]):
                cell = line + inside[2, cz]
                at += count[cell + 1] - count[cell]
                c += 1
                first[c] = at
    x, y, z = np.empty(at), np.empty(at), np.empty(at)
    particle, image = np.empty(at, np.uint32), np.empty(at, np.int32)
    point = 0
    for cx in range(shape[0]):
        for cy in range(shape[1]):
            line = (inside[0, cx] * inner[1] + inside[1, cy]) * inner[2]
            for cz in range(shape[2]):
                ix, iy, iz = edges[0, cx], edges[1, cy], edges[2, cz]
                shift_x = ix * lattice[0, 0] + iy * lattice[1, 0] + iz * lattice[2, 0]
                shift_y = ix * lattice[0, 1] + iy * lattice[1, 1] + iz * lattice[2, 1]
                shift_z = ix * lattice[0, 2] + iy * lattice[1, 2] + iz * lattice[2, 2]
                code = ix * 2**20 + iy * 2**10 + iz
                cell = line + inside[2, cz]
                for k in range(count[cell], count[cell + 1]):
                    i = order[k]
                    x[point] = wrapped[i, 0] + shift_x
                    y[point] = wrapped[i, 1] + shift_y
                    z[point] = wrapped[i, 2] + shift_z
                    particle[point] = i
                    image[point] = code
                    point += 1
    return PaddedCells(x, y, z, particle, image, first, shape, pad, row_start, row_stop)


@compiled_without_memory
def decoded(image: int) -> tuple[int, int, int]:
    """Split the number of an image into the edges added."""
    raised = image + 512 * (2**20 + 2**10 + 1)
    return (raised >> 20) - 512, ((raised >> 10) & 1023) - 512, (raised & 1023) - 512
