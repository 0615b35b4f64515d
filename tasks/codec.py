"""Positions as whole multiples of 2**-34, wrapped into the box, with their images."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.errors import DivergedError

RESOLUTION = 2.0**-34
POSITION_FILL = -(2**63)
IMAGE_FILL = -128
LARGEST_IMAGE = 127


def encode_positions(
    position: NDArray[np.float64], image: NDArray[np.integer], box_edges: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Wrap positions into the box and round them to whole multiples of 2**-34.

    Parameters
    ----------
    position : (N, 3) float
        Cartesian, in any periodic image, origin at the corner of the box [length].
    image : (N, 3) int
        Image of each position: ``position + box_edges * image`` is the unwrapped position.
    box_edges : (3,) float
        Edges of the orthogonal periodic box [length].

    Returns
    -------
    (N, 3) int64
        Multiples of 2**-34, in [0, box edge) when decoded.
    (N, 3) int8
        Images, so that the unwrapped position is unchanged but for the rounding.
    """
    if not (np.isfinite(position).all() and np.isfinite(box_edges).all() and (box_edges > 0).all()):
        msg = f"positions or box {box_edges.tolist()} are not finite and positive"
        raise DivergedError(msg)
    crossed = np.floor(position / box_edges)
    fixed = np.rint((position - crossed * box_edges) / RESOLUTION).astype(np.int64)
    # Just below the upper edge a position rounds up to it, which is the lower edge again.
    at_edge = decode_positions(fixed) >= box_edges
    fixed[at_edge] = 0
    images = image + crossed.astype(np.int64) + at_edge
    if np.abs(images).max(initial=0) > LARGEST_IMAGE:
        msg = f"a particle is more than {LARGEST_IMAGE} boxes away from where it started"
        raise DivergedError(msg)
    return np.maximum(fixed, 0), images.astype(np.int8)


def decode_positions(fixed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn whole multiples of 2**-34 into lengths; nan where nothing is written."""
    return np.where(fixed == POSITION_FILL, np.nan, fixed * RESOLUTION)
