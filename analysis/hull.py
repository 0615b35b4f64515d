"""Convex hulls of the neighbours of each particle, as tetrahedra around it."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.convex_hull import UNCERTAIN, round_points, write_hull


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

    Notes
    -----
    What is within `convex_hull.FLAT` of a facet's plane counts as in it, so that rounding adds no slivers to
    the faces of a crystal. Points that differ from a crystal's by somewhat more make slivers,
    whose planes say nothing, and facets of one face that are said to be seen where others are
    not. Where a facet is thin or not seen from within, the hull is that of the rounded points,
    by exact signs.
    """
    width = 4
    for i in range(start, stop):
        width = max(width, indptr[i + 1] - indptr[i])
    capacity = 2 * (indptr[stop] - indptr[start])
    vertices, images = np.empty((capacity, 4), np.int32), np.zeros((capacity, 4, 3), np.int8)
    first = np.zeros(stop - start + 1, np.int64)
    bond, image = np.empty((width, 3)), np.empty((width, 3), np.int8)
    # Facets of the hull so far, below 2 width, and at the end those that the next point replaces:
    # each edge of these may be joined with it, before that is found to be wrong.
    facets, planes = np.empty((8 * width, 3), np.int64), np.empty((6 * width, 4))
    replaced = np.zeros((width, width), np.bool_)
    m = 0
    for i in range(start, stop):
        row = indptr[i]
        n = indptr[i + 1] - row
        _bonds(points, lattice, inverse, i, indices, row, n, bond, image)
        n_facets = write_hull(bond, n, facets, planes, replaced, False)
        if n_facets == UNCERTAIN:
            round_points(bond, n)
            n_facets = write_hull(bond, n, facets, planes, replaced, True)
        for f in range(n_facets):
            vertices[m, 0] = i
            for k in range(3):
                q = facets[f, k]
                vertices[m, 1 + k] = indices[row + q]
                for axis in range(3):
                    images[m, 1 + k, axis] = image[q, axis]
            m += 1
        first[i - start + 1] = m
    return vertices[:m], images[:m], first


@compiled
def _bonds(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    inverse: NDArray[np.float64],
    i: int,
    indices: NDArray[np.int32],
    row: int,
    n: int,
    bond: NDArray[np.float64],
    image: NDArray[np.int8],
) -> None:
    """Write the vectors from particle i to its n neighbours, and the images that these are."""
    for q in range(n):
        j = indices[row + q]
        dx, dy, dz = (
            points[j, 0] - points[i, 0],
            points[j, 1] - points[i, 1],
            points[j, 2] - points[i, 2],
        )
        bond[q, 0], bond[q, 1], bond[q, 2] = dx, dy, dz
        for a in range(3):
            edges = -np.rint(dx * inverse[0, a] + dy * inverse[1, a] + dz * inverse[2, a])
            image[q, a] = edges
            for c in range(3):
                bond[q, c] += edges * lattice[a, c]
