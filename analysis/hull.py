"""Convex hulls of few points: of the neighbours of each particle."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled

FLAT = 1e-13
"""Four points whose edges have a triple product below this part of their width cubed are taken
as in one plane: rounding can't tell."""


@compiled
def hull_cells(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    inverse: NDArray[np.float64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    start: int,
    stop: int,
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int64]]:
    """Join each particle with the facets of its neighbours' convex hull.

    Parameters
    ----------
    points : (n, 4) float64
        Position and radius of each particle [length].
    lattice, inverse : (3, 3) float64
        Edge vectors of the box, one a row, and the inverse. Neighbours are less than half the
        smallest height away.
    indptr, indices : (n + 1,) int64 and (n_bonds,) int32
        Rows of neighbours.
    start, stop : int
        The particles to do.

    Returns
    -------
    vertices : (m, 4) int32
        Of each tetrahedron the particle, then the corners of the facet, which turn positively
        seen from outside.
    images : (m, 4, 3) int8
        Edges of the box to add to their positions; 0 for the particle.
    first : (stop - start + 1,) int64
        Where the tetrahedra of each particle start. There are none where its neighbours are
        fewer than four or in one plane.
    """
    width = 4
    for i in range(start, stop):
        width = max(width, indptr[i + 1] - indptr[i])
    capacity = 2 * (indptr[stop] - indptr[start])
    vertices, images = np.empty((capacity, 4), np.int32), np.zeros((capacity, 4, 3), np.int8)
    first = np.zeros(stop - start + 1, np.int64)
    bond, image = np.empty((width, 3)), np.empty((width, 3), np.int8)
    facets, planes = np.empty((4 * width, 3), np.int64), np.empty((4 * width, 4))
    seen = np.zeros((width, width), np.bool_)
    m = 0
    for i in range(start, stop):
        row = indices[indptr[i] : indptr[i + 1]]
        _bonds(points, lattice, inverse, i, row, bond, image)
        n_facets = _hull(bond[: len(row)], facets, planes, seen)
        for f in range(n_facets):
            vertices[m, 0] = i
            for k in range(3):
                vertices[m, 1 + k] = row[facets[f, k]]
                images[m, 1 + k] = image[facets[f, k]]
            m += 1
        first[i - start + 1] = m
    return vertices[:m], images[:m], first


@compiled
def _bonds(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    inverse: NDArray[np.float64],
    i: int,
    row: NDArray[np.int32],
    bond: NDArray[np.float64],
    image: NDArray[np.int8],
) -> None:
    """Write the vectors from a particle to its neighbours, and the images that these are."""
    for q in range(len(row)):
        for c in range(3):
            bond[q, c] = points[row[q], c] - points[i, c]
        for a in range(3):
            edges = 0.0
            for c in range(3):
                edges -= (points[row[q], c] - points[i, c]) * inverse[c, a]
            image[q, a] = np.rint(edges)
            for c in range(3):
                bond[q, c] += image[q, a] * lattice[a, c]


@compiled
def _hull(
    points: NDArray[np.float64],
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
    seen: NDArray[np.bool_],
) -> int:
    """Write the facets of the hull, one point after another, and return how many there are.

    A point that is outside of some facets takes their place, joined with their rim.
    """
    n = len(points)
    size = 0.0
    for q in range(n):
        for c in range(3):
            size = max(size, abs(points[q, c] - points[0, c]))
    flat = FLAT * size**3
    n_facets = _first_four(points, facets, planes, flat)
    if n_facets == 0:
        return 0
    corners = facets[0, 0], facets[0, 1], facets[0, 2], facets[1, 2]
    for q in range(n):
        if q in corners:
            continue
        x, y, z = points[q]
        kept, ahead = 0, 0
        rim = n_facets
        for f in range(n_facets):
            a, b, c, d = planes[f]
            outside = a * x + b * y + c * z - d > flat
            if outside:
                u, v, w = facets[f]
                seen[u, v] = seen[v, w] = seen[w, u] = True
                ahead += 1
                # Facets that go are kept in the upper half, as the rim is not yet known.
                facets[len(facets) - ahead] = facets[f]
            else:
                facets[kept] = facets[f]
                planes[kept] = planes[f]
                kept += 1
        rim = kept
        for f in range(len(facets) - ahead, len(facets)):
            for k in range(3):
                u, v = facets[f, k], facets[f, (k + 1) % 3]
                if not seen[v, u]:
                    _set(points, u, v, q, rim, facets, planes)
                    rim += 1
        for f in range(len(facets) - ahead, len(facets)):
            for k in range(3):
                seen[facets[f, k], facets[f, (k + 1) % 3]] = False
        n_facets = rim
    return n_facets


@compiled
def _first_four(
    points: NDArray[np.float64],
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
    flat: float,
) -> int:
    """Write the facets of a tetrahedron of far points: 4, or 0 if all are in one plane."""
    n = len(points)
    if n < 4:
        return 0
    b = _farthest(points, 0, 0, 0)
    c = _farthest(points, 0, b, 0)
    d = _farthest(points, 0, b, c)
    _set(points, 0, b, c, 0, facets, planes)
    height = 0.0
    for k in range(3):
        height += planes[0, k] * (points[d, k] - points[0, k])
    if abs(height) <= flat:
        return 0
    if height > 0:
        b, c = c, b
    _set(points, 0, b, c, 0, facets, planes)
    _set(points, b, 0, d, 1, facets, planes)
    _set(points, c, b, d, 2, facets, planes)
    _set(points, 0, c, d, 3, facets, planes)
    return 4


@compiled
def _farthest(points: NDArray[np.float64], a: int, b: int, c: int) -> int:
    """Find the point farthest from point a, from the line a-b, or from the plane a-b-c."""
    best, most = a, -1.0
    ux, uy, uz = points[b] - points[a]
    vx, vy, vz = points[c] - points[a]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    for q in range(len(points)):
        x, y, z = points[q] - points[a]
        if c != a:
            far = (nx * x + ny * y + nz * z) ** 2
        elif b != a:
            px, py, pz = uy * z - uz * y, uz * x - ux * z, ux * y - uy * x
            far = px * px + py * py + pz * pz
        else:
            far = x * x + y * y + z * z
        if far > most:
            best, most = q, far
    return best


@compiled
def _set(
    points: NDArray[np.float64],
    a: int,
    b: int,
    c: int,
    f: int,
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
) -> None:
    """Write facet f and its plane: the outward normal, and its product with a corner."""
    facets[f, 0], facets[f, 1], facets[f, 2] = a, b, c
    ux, uy, uz = (
        points[b, 0] - points[a, 0],
        points[b, 1] - points[a, 1],
        points[b, 2] - points[a, 2],
    )
    vx, vy, vz = (
        points[c, 0] - points[a, 0],
        points[c, 1] - points[a, 1],
        points[c, 2] - points[a, 2],
    )
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    planes[f, 0], planes[f, 1], planes[f, 2] = nx, ny, nz
    planes[f, 3] = nx * points[a, 0] + ny * points[a, 1] + nz * points[a, 2]
