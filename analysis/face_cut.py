"""Leaving out neighbours whose Voronoi face is small."""

import math

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.vectors import Vector, cross, dot, minus


@compiled
def cut_small_faces(
    points: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    lattice: NDArray[np.float64],
    first: NDArray[np.int64],
    corner: NDArray[np.uint32],
    number: NDArray[np.int32],
    rank: NDArray[np.int32],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    part: float,
) -> None:
    """Drop from each particle's neighbours those whose face is small.

    As the code that Wang and Jain (2019) published does: in ascending order, a neighbour is
    dropped if its face is below `part` times the sum of all faces over the number of faces not
    yet dropped. So a particle may drop another that keeps it.

    Parameters
    ----------
    points : (n, 4) float64
        Position and radius of each particle [length].
    vertices, images : (m, 4) int32 and (m, 4, 3) int8
        Delaunay tetrahedra: particles, and edges of the box to add to their positions.
    lattice : (3, 3) float64
        Edge vectors of the box, one a row [length].
    first, corner : (n + 1,) int64 and (4 m,) uint32
        Tetrahedra around each particle.
    number, rank : (n,) int32
        The number whose order counts for each particle, and the particle of each number.
    indptr, indices : (n + 1,) int64 and (n_bonds,) int32
        Rows of neighbours in any order; written over by those that are kept, ascending.
    part : float
        Of the mean face.
    """
    n = len(first) - 1
    area = np.empty(n)
    start = found = 0
    for i in range(n):
        stop = indptr[i + 1]
        row = np.sort(number[indices[start:stop]])
        for q in range(len(row)):
            row[q] = rank[row[q]]
        start = stop
        for j in row:
            area[j] = 0.0
        for e in range(first[i], first[i + 1]):
            t, k = int(corner[e] >> 2), int(corner[e] & 3)
            _add_faces(points, vertices, images, lattice, t, k, area)
        total = 0.0
        for j in row:
            total += area[j]
        left = len(row)
        for j in row:
            if area[j] < part * total / left:
                left -= 1
            else:
                indices[found] = j
                found += 1
        indptr[i + 1] = found


@compiled
def _add_faces(
    points: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    lattice: NDArray[np.float64],
    t: int,
    k: int,
    area: NDArray[np.float64],
) -> None:
    """Add a tetrahedron's share of the faces between its corner k and the other three.

    A face is seen from the middle of the bond that it cuts in half, so shares may be negative.
    """
    a = _edge(points, vertices, images, lattice, t, k, (k + 1) % 4)
    b = _edge(points, vertices, images, lattice, t, k, (k + 2) % 4)
    c = _edge(points, vertices, images, lattice, t, k, (k + 3) % 4)
    triple = dot(a, cross(b, c))
    if triple == 0:  # the vertices of all its faces coincide
        return
    aa, bb, cc = dot(a, a), dot(b, b), dot(c, c)
    bc, ca, ab = cross(b, c), cross(c, a), cross(a, b)
    scale = 0.5 / triple
    x = (aa * bc[0] + bb * ca[0] + cc * ab[0]) * scale
    y = (aa * bc[1] + bb * ca[1] + cc * ab[1]) * scale
    z = (aa * bc[2] + bb * ca[2] + cc * ab[2]) * scale
    center, sign = (x, y, z), np.sign(triple)
    area[vertices[t, (k + 1) % 4]] += sign * _share(a, b, c, center)
    area[vertices[t, (k + 2) % 4]] += sign * _share(b, c, a, center)
    area[vertices[t, (k + 3) % 4]] += sign * _share(c, a, b, center)


@compiled
def _share(a: Vector, b: Vector, c: Vector, center: Vector) -> float:
    """Area between the middle of a, the centre, and those of the faces (a, b) and (a, c)."""
    middle = (0.5 * a[0], 0.5 * a[1], 0.5 * a[2])
    before = minus(_circumcenter(a, b), middle)
    after = minus(_circumcenter(a, c), middle)
    to_center = minus(center, middle)
    # before x to_center + to_center x after
    normal = cross(to_center, minus(after, before))
    return 0.5 * dot(a, normal) / math.sqrt(dot(a, a))


@compiled
def _circumcenter(a: Vector, b: Vector) -> Vector:
    """Centre of the circle through 0, a and b."""
    aa, bb, normal = dot(a, a), dot(b, b), cross(a, b)
    across = cross((aa * b[0] - bb * a[0], aa * b[1] - bb * a[1], aa * b[2] - bb * a[2]), normal)
    scale = 0.5 / dot(normal, normal)
    return across[0] * scale, across[1] * scale, across[2] * scale


@compiled
def _edge(
    points: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    lattice: NDArray[np.float64],
    t: int,
    k: int,
    m: int,
) -> Vector:
    """Vector from corner k to corner m."""
    i, j = vertices[t, k], vertices[t, m]
    u, v, w = images[t, m, 0], images[t, m, 1], images[t, m, 2]
    u, v, w = u - images[t, k, 0], v - images[t, k, 1], w - images[t, k, 2]
    return (
        points[j, 0] - points[i, 0] + u * lattice[0, 0] + v * lattice[1, 0] + w * lattice[2, 0],
        points[j, 1] - points[i, 1] + u * lattice[0, 1] + v * lattice[1, 1] + w * lattice[2, 1],
        points[j, 2] - points[i, 2] + u * lattice[0, 2] + v * lattice[1, 2] + w * lattice[2, 2],
    )
