"""Positions within a box, and the images that they are of."""

import numpy as np
from numpy.typing import NDArray


def wrapped(
    positions: NDArray[np.float64], box: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Move positions into a box by whole edges.

    Parameters
    ----------
    positions : (n, 3) float
        From the corner of the box [length].
    box : (3, 3) float
        One edge vector a row [length].

    Returns
    -------
    positions : (n, 3) float64
        In the box. Those that were there are not touched [length].
    crossed : (n, 3) int64
        `positions + crossed @ box` is what was given.
    """
    crossed = np.floor(positions @ np.linalg.inv(box)).astype(np.int64)
    outside = crossed.any(axis=1)
    inside = positions.copy()
    inside[outside] -= crossed[outside] @ box
    return inside, crossed
