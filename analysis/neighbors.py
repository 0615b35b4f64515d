"""Which particles are near: a cell list of a periodic box, padded with images."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled


class PaddedCells(NamedTuple):
    """Particles and their nearest images, sorted by cell.

    Cells are at least one cutoff wide. Those with a coordinate 0 or ``shape - 1`` hold
    images only, the others hold each particle once, so that the neighbours of a particle
    are found in the 27 cells around it with no regard to the box. The last coordinate of
    a cell varies fastest: three cells in a row are one stretch of points.
    """

    x: NDArray[np.float64]
    """(n_points,) coordinate of each point [length]."""
    y: NDArray[np.float64]
    """(n_points,) [length]."""
    z: NDArray[np.float64]
    """(n_points,) [length]."""
    particle: NDArray[np.uint32]
    """(n_points,) which particle the point is or is an image of."""
    first: NDArray[np.int64]
    """(n_cells + 1,) first point of each cell."""
    shape: NDArray[np.int64]
    """(3,) number of cells along each axis."""


def check_box(box: NDArray[np.float64], cutoff: float) -> None:
    """Refuse a box in which a particle could be a neighbour of its own image.

    Parameters
    ----------
    box : (3,) float
        Edge lengths of the orthogonal periodic box [length].
    cutoff : float
        Largest distance between neighbours [length].

    Raises
    ------
    ValueError
        Unless ``0 < 2 * cutoff < min(box)`` and all are finite.
    """
    if not (np.isfinite(cutoff) and cutoff > 0):
        msg = f"cutoff must be finite and above 0, got {cutoff}"
        raise ValueError(msg)
    if box.shape != (3,) or not np.all(np.isfinite(box)) or np.any(box <= 0):
        msg = f"the box must be three finite edge lengths above 0, got {box.tolist()}"
        raise ValueError(msg)
    if not 2 * cutoff < box.min():
        msg = (
            f"the box is too small: its smallest edge is {box.min():.6g}, and it must be "
            f"above twice the cutoff, 2 * {cutoff:g} = {2 * cutoff:g}; "
            "take more particles or a smaller cutoff"
        )
        raise ValueError(msg)


@compiled
def padded_cells(
    position: NDArray[np.float64], box: NDArray[np.float64], cutoff: float
) -> PaddedCells:
    """Sort particles, and the images that are near the box, into cells.

    Parameters
    ----------
    position : (n, 3) float64
        Any image of each particle, finite [length].
    box : (3,) float64
        Edge lengths, as `check_box` wants them [length].
    cutoff : float
        Cells are at least this wide [length].

    Returns
    -------
    PaddedCells
    """
    n = len(position)
    shape = np.empty(3, np.int64)
    for k in range(3):
        shape[k] = int(box[k] / cutoff) + 2
    wrapped = np.empty((n, 3))
    # A particle in a cell at the border has an image in the padding on the other side.
    cell = np.empty((n, 3, 2), np.int64)
    shift = np.zeros((n, 3))
    for i in range(n):
        for k in range(3):
            inner = shape[k] - 2
            at = position[i, k] - np.floor(position[i, k] / box[k]) * box[k]
            home = min(max(int(at / box[k] * inner), 0), inner - 1) + 1
            wrapped[i, k] = at
            cell[i, k, 0] = home
            cell[i, k, 1] = -1
            if home == 1:
                cell[i, k, 1] = inner + 1
                shift[i, k] = box[k]
            elif home == inner:
                cell[i, k, 1] = 0
                shift[i, k] = -box[k]

    first = np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    for i in range(n):
        for image in range(8):
            at_x, at_y, at_z = image >> 2, (image >> 1) & 1, image & 1
            cx, cy, cz = cell[i, 0, at_x], cell[i, 1, at_y], cell[i, 2, at_z]
            if cx >= 0 and cy >= 0 and cz >= 0:
                first[(cx * shape[1] + cy) * shape[2] + cz + 1] += 1
    for c in range(len(first) - 1):
        first[c + 1] += first[c]

    n_points = first[-1]
    x, y, z = np.empty(n_points), np.empty(n_points), np.empty(n_points)
    particle = np.empty(n_points, np.uint32)
    free = first[:-1].copy()
    for i in range(n):
        for image in range(8):
            at_x, at_y, at_z = image >> 2, (image >> 1) & 1, image & 1
            cx, cy, cz = cell[i, 0, at_x], cell[i, 1, at_y], cell[i, 2, at_z]
            if cx >= 0 and cy >= 0 and cz >= 0:
                c = (cx * shape[1] + cy) * shape[2] + cz
                at = free[c]
                x[at] = wrapped[i, 0] + at_x * shift[i, 0]
                y[at] = wrapped[i, 1] + at_y * shift[i, 1]
                z[at] = wrapped[i, 2] + at_z * shift[i, 2]
                particle[at] = i
                free[c] = at + 1
    return PaddedCells(x, y, z, particle, first, shape)
