"""Positions as whole multiples of 2**-34, wrapped into the box, with their images."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.tasks.cell import lattice_of
from glasscreep.tasks.errors import DivergedError

RESOLUTION = 2.0**-34
POSITION_FILL = -(2**63)
IMAGE_FILL = -128
LARGEST_IMAGE = 127


def encode_positions(
    position: NDArray[np.float64],
    image: NDArray[np.integer],
    box_edges: NDArray[np.float64],
    box_tilt: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Wrap positions into the box and round them to whole multiples of 2**-34.

    Parameters
    ----------
    position : (N, 3) float
        Cartesian, in any periodic image, origin at the corner of the box [length].
    image : (N, 3) int
        Image of each position: ``position + image @ lattice`` is the unwrapped position.
    box_edges : (3,) float
        Edges of the periodic box along x, y, z, tilts left out [length].
    box_tilt : (3,) float
        Tilts xy, xz, yz [length].

    Returns
    -------
    (N, 3) int64
        Multiples of 2**-34, in [0, box edge) along x, y and z when decoded.
    (N, 3) int8
        Images, so that the unwrapped position is unchanged but for the rounding.
    """
    sane = all(np.isfinite(values).all() for values in (position, box_edges, box_tilt))
    if not (sane and (box_edges > 0).all()):
        msg = f"positions or box {box_edges.tolist()} are not finite and positive"
        raise DivergedError(msg)
    lattice = lattice_of(box_edges, box_tilt)
    wrapped, images = np.array(position, np.float64), np.array(image, np.int64)
    fixed = np.empty(wrapped.shape, np.int64)
    for axis in (2, 1, 0):  # an edge leans along the axes before its own alone
        crossed = np.floor(wrapped[:, axis] / box_edges[axis])
        rounded = np.rint((wrapped[:, axis] - crossed * box_edges[axis]) / RESOLUTION)
        # Just below the upper edge a position rounds up to it, which is the lower edge again.
        at_edge = rounded * RESOLUTION >= box_edges[axis]
        crossed += at_edge
        fixed[:, axis] = np.where(at_edge, 0, np.maximum(rounded, 0)).astype(np.int64)
        wrapped[:, :axis] -= crossed[:, None] * lattice[axis, :axis]
        images[:, axis] += crossed.astype(np.int64)
    if np.abs(images).max(initial=0) > LARGEST_IMAGE:
        msg = f"a particle is more than {LARGEST_IMAGE} boxes away from where it started"
        raise DivergedError(msg)
    return fixed, images.astype(np.int8)


def decode_positions(fixed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Turn whole multiples of 2**-34 into lengths; nan where nothing is written."""
    return np.where(fixed == POSITION_FILL, np.nan, fixed * RESOLUTION)
