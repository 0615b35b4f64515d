"""An analysis of one's own: how one-sided the neighbours of each particle lie."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis import voronoi_neighbors
from glasscreep.tasks.frame_view import FrameView


def one_sidedness(frame: FrameView, cutoff: float) -> NDArray[np.float64]:
    """Measure how far the neighbourhood of each particle is from an inversion centre.

    Parameters
    ----------
    frame : FrameView
        One relaxed frame.
    cutoff : float
        Voronoi neighbours count that are nearer than this [length].

    Returns
    -------
    (N,) float64
        Length of the mean of the unit vectors to the neighbours: 0 if each has its opposite,
        1 if all are in one place, nan without neighbours [1].
    """
    indptr, neighbor = voronoi_neighbors(frame.positions, frame.box)
    center = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    apart = (frame.positions[neighbor] - frame.positions[center]) @ np.linalg.inv(frame.box)
    bond = (apart - np.rint(apart)) @ frame.box  # to the nearest image
    distance = np.linalg.norm(bond, axis=1)
    unit = np.where(distance < cutoff, 1 / distance, 0.0)[:, None] * bond
    total = np.stack([np.bincount(center, axis, len(indptr) - 1) for axis in unit.T], axis=1)
    count = np.bincount(center[distance < cutoff], minlength=len(total))
    return np.linalg.norm(total, axis=1) / np.where(count, count, np.nan)
