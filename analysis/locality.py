"""Numbering particles so that neighbours are near in memory, too.

Simulations number particles at random: what is read of neighbours then comes from anywhere, and
costs the more the more particles there are.
"""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled

_MOST_BITS = 6


@compiled
def spatial_order(
    points: NDArray[np.float64],
    inverse: NDArray[np.float64],
    n_all: int,
    number: NDArray[np.int32],
    rank: NDArray[np.int32],
) -> None:
    """Order particles along a curve that visits near places one after another (Morton's).

    Parameters
    ----------
    points : (n, >= 3) float64
        Any image of each particle, and what else there is of it [length].
    inverse : (3, 3) float64
        The inverse of the edge vectors of the box, one a row.
    n_all : int
        Particles in the box: points that are some of them come in the same order as among all.
    number : (n,) int32
        Written to: the particle that comes first, and so on.
    rank : (n,) int32
        Written to: the place of each particle in this order.
    """
    n = len(points)
    bits = 0
    while bits < _MOST_BITS and 8 << 3 * bits < n_all:
        bits += 1
    edge = 1 << bits
    place = np.zeros(edge**3 + 1, np.int64)
    for i in range(n):
        key = 0
        for axis in range(3):
            at = points[i, 0] * inverse[0, axis]
            at += points[i, 1] * inverse[1, axis] + points[i, 2] * inverse[2, axis]
            cell = min(int((at - np.floor(at)) * edge), edge - 1)
            for bit in range(bits):
                key |= (cell >> bit & 1) << 3 * bit + axis
        rank[i] = key
        place[key + 1] += 1
    for key in range(edge**3):
        place[key + 1] += place[key]
    for i in range(n):
        key = rank[i]
        rank[i] = place[key]
        place[key] += 1
    for i in range(n):
        number[rank[i]] = i


@compiled
def renumber(
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    number: NDArray[np.int32],
    rank: NDArray[np.int32],
    new_vertices: NDArray[np.int32],
    new_images: NDArray[np.int8],
) -> bool:
    """Give the particles of tetrahedra new numbers, and sort these by their first particle.

    Parameters
    ----------
    vertices, images : (m, 4) int32 and (m, 4, 3) int8
        Particles at the corners, and edges of the box to add to their positions; sorted by the
        first particle.
    number, rank : (n,) int32
        The old number for each new one, and the new number for each old one.
    new_vertices, new_images : (m, 4) int32 and (m, 4, 3) int8
        Written to.

    Returns
    -------
    bool
        Whether they were sorted.
    """
    n, m = len(rank), len(vertices)
    first = np.empty(n + 1, np.int64)
    done = 0
    for t in range(m):
        if vertices[t, 0] < done - 1:
            return False
        while done <= vertices[t, 0]:
            first[done] = t
            done += 1
    first[done:] = m
    old, new = images.reshape(-1).view(np.int32), new_images.reshape(-1).view(np.int32)
    at = 0
    for i in range(n):
        for t in range(first[number[i]], first[number[i] + 1]):
            for k in range(4):
                new_vertices[at, k] = rank[vertices[t, k]]
            for k in range(3):  # the twelve numbers of its images
                new[3 * at + k] = old[3 * t + k]
            at += 1
    return True
