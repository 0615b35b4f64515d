"""Voronoi faces of all cells, put together from the shares of tetrahedra, in compressed rows."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.face_shares import face_shares

# Faces are told apart by a number: the neighbour, then the edges of the box between the two,
# each from -512 to 511.
_BITS = 10
_NO_TRIANGULATION = (
    "tetrahedra must be a triangulation of the periodic box, "
    "got more edges than one has of so many vertices and tetrahedra"
)


@compiled
def sum_faces(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Sum the shares of each face.

    Parameters
    ----------
    positions : (n, 3) float64
        As they were triangulated [length].
    lattice : (3, 3) float64
        Edge vectors of the box, one a row [length].
    vertices, images : (m, 4) int32 and (m, 4, 3) int8
        Of the tetrahedra.

    Returns
    -------
    indptr, indices, area, vector
        As of `glasscreep.analysis.voronoi_cells.VoronoiFaces`.

    Raises
    ------
    ValueError
        If the tetrahedra are no triangulation.
    """
    n = len(positions)
    share, room = np.empty((len(vertices), 6)), np.empty((3, 3))
    image = np.empty((len(vertices), 4), np.int32)
    around, own_images = np.zeros(n + 1, np.int64), 0
    for t in range(len(vertices)):
        face_shares(positions, lattice, vertices[t], images[t], room, share[t])
        for v in range(4):
            around[vertices[t, v] + 1] += 1
            for w in range(v):
                own_images += vertices[t, v] == vertices[t, w]
            edges = 0
            for k in range(3):
                edges = (edges << _BITS) + images[t, v, k]
            image[t, v] = edges
    for i in range(n):
        around[i + 1] += around[i]
    free, corners = around[:-1].copy(), np.empty(around[n], np.uint32)
    for t in range(len(vertices)):
        for v in range(4):
            p = vertices[t, v]
            corners[free[p]] = 4 * t + v
            free[p] += 1

    # Each face once, in the row of the lower of its two particles; twice if it separates a
    # particle from its own image. A triangulation of a periodic box has as many edges as
    # vertices and tetrahedra, and at least three tetrahedra around each.
    start = np.zeros(n + 1, np.int64)
    most = n + len(vertices) + own_images // 3
    keys, sums = np.empty(most, np.int64), np.empty(most)
    last = np.zeros(n, np.int64)  # where each neighbour's face is that was met last
    for i in range(n):
        first = stop = start[i]
        for corner in corners[around[i] : around[i + 1]]:
            t, v = int(corner >> 2), int(corner & 3)
            for w in range(4):
                j = int(vertices[t, w])
                if j < i or v == w:
                    continue
                key = (j << 3 * _BITS) + image[t, w] - image[t, v]
                at = last[j]
                if not (first <= at < stop and keys[at] == key):
                    at = first
                    while at < stop and keys[at] != key:
                        at += 1
                    last[j] = at
                if at == len(keys):
                    raise ValueError(_NO_TRIANGULATION)
                if at == stop:
                    keys[at], sums[at] = key, 0.0
                    stop += 1
                low, high = min(v, w), max(v, w)
                sums[at] += share[t, low * (5 - low) // 2 + high - 1]
        start[i + 1] = stop
    return _both_ways(positions, lattice, start, keys, sums)


@compiled
def _neighbor(key: int) -> int:
    return (key + (1 << 3 * _BITS - 1)) >> 3 * _BITS


@compiled
def _both_ways(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    start: NDArray[np.int64],
    keys: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Enter each face in the rows of both its particles."""
    n = len(positions)
    indptr = np.zeros(n + 1, np.int64)
    for i in range(n):
        indptr[i + 1] += start[i + 1] - start[i]
        for face in range(start[i], start[i + 1]):
            j = _neighbor(keys[face])
            if j != i:
                indptr[j + 1] += 1
            key, share, at = keys[face], sums[face], face
            while at > start[i] and keys[at - 1] > key:
                keys[at], sums[at] = keys[at - 1], sums[at - 1]
                at -= 1
            keys[at], sums[at] = key, share
    for i in range(n):
        indptr[i + 1] += indptr[i]
    indices, area = np.empty(indptr[n], np.int64), np.empty(indptr[n])
    vector = np.empty((indptr[n], 3))
    free, edges = indptr[:-1].copy(), np.empty(3)
    # Rows are taken in order, so that the lower neighbours of each come into its row in
    # order, and before the higher ones; backwards, as images are the other way round.
    for i in range(n):
        own = free[i] + start[i + 1] - start[i]
        free[i] = own
        for face in range(start[i + 1] - 1, start[i] - 1, -1):
            own -= 1
            j = _neighbor(keys[face])
            left, half = keys[face] - (j << 3 * _BITS), 1 << _BITS - 1
            for k in range(2, -1, -1):
                edge = ((left + half) & (2 * half - 1)) - half
                left = (left - edge) >> _BITS
                edges[k] = edge
            squared = 0.0
            for k in range(3):
                step = positions[j, k] - positions[i, k]
                for m in range(3):
                    step += edges[m] * lattice[m, k]
                vector[own, k] = step
                squared += step * step
            indices[own], area[own] = j, sums[face] / np.sqrt(squared)
            if j != i:
                other = free[j]
                free[j] += 1
                indices[other], area[other] = i, area[own]
                for k in range(3):
                    vector[other, k] = -vector[own, k]
    return indptr, indices, area, vector
