"""Periodic Delaunay triangulation by scipy's Qhull and explicit images: slow, independent.

For points in general position only: where five lie on one sphere, Qhull splits the images of
one cell in different ways, and `qhull_tetrahedra` says so.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.spatial import Delaunay


class QhullTetrahedra(NamedTuple):
    """In the form of `glasscreep.analysis.triangulation.Tetrahedra`."""

    vertices: np.ndarray
    images: np.ndarray


def qhull_tetrahedra(positions, box):
    """Triangulate periodic points.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths, or one edge vector a row [length].

    Returns
    -------
    vertices : (m, 4) int32
        Particles of each tetrahedron, each periodic tetrahedron once: ascending, but for the
        last two where the orientation demands it, det(v1 - v0, v2 - v0, v3 - v0) > 0.
        Rows are sorted by (v0, v1, v2, v3), the vertices taken in ascending order.
    images : (m, 4, 3) int8
        Edges of the box to add to each vertex's given position; 0 for the first.
    """
    box = np.asarray(box, float)
    lattice = np.diag(box) if box.shape == (3,) else box
    fraction = np.asarray(positions, float) @ np.linalg.inv(lattice)
    home = np.floor(fraction).astype(int)
    fraction -= home
    spacing = (abs(np.linalg.det(lattice)) / len(fraction)) ** (1 / 3)
    skin = 2.1 * spacing
    while True:
        particle, shift, point = _ghosts(fraction, lattice, skin)
        vertices = Delaunay(point).simplices
        vertices, shifts = _sorted_vertices(vertices, particle, shift)
        # All that touch a particle of the box must be right, or those that are its own may lack.
        near = (shifts == 0).all(axis=2).any(axis=1)
        vertices, shifts = vertices[near], shifts[near]
        corner = (fraction[vertices] + shifts) @ lattice
        reach = _reach(corner, lattice)
        if reach <= skin:
            break
        # A far vertex of the hull can make a sphere that is absurdly large.
        skin = min(1.05 * reach, 2 * skin)
    own = (shifts[:, 0] == 0).all(axis=1)
    vertices, shifts, corner = vertices[own], shifts[own], corner[own]
    volume = np.linalg.det(corner[:, 1:] - corner[:, :1])
    total = abs(volume).sum() / 6
    if not np.isclose(total, abs(np.linalg.det(lattice)), rtol=1e-9):
        msg = f"Qhull's tetrahedra fill {total}, not the box: points are not in general position"
        raise ValueError(msg)
    images = shifts - home[vertices]
    images -= images[:, :1]
    ascending = np.lexsort((*images.reshape(-1, 12).T[::-1], *vertices.T[::-1]))
    turned = volume < 0
    vertices[turned, 2:] = vertices[turned, :1:-1]
    images[turned, 2:] = images[turned, :1:-1]
    return QhullTetrahedra(vertices[ascending].astype(np.int32), images[ascending].astype(np.int8))


def qhull_neighbors(positions, box):
    """List Voronoi neighbours, the ends of Delaunay edges, in compressed rows.

    A particle that is a neighbour through several images is in the row as many times; an
    image of itself is in its own row.

    Returns
    -------
    indptr : (n + 1,) int64
    indices : (number of bonds,) int64
        Each row sorted.
    """
    vertices, images = qhull_tetrahedra(positions, box)
    pairs = []
    for a, b in combinations(range(4), 2):
        for i, j in ((a, b), (b, a)):
            apart = images[:, j].astype(int) - images[:, i]
            pairs.append(np.column_stack([vertices[:, i], vertices[:, j], apart]))
    bonds = np.unique(np.concatenate(pairs), axis=0)
    degree = np.bincount(bonds[:, 0], minlength=len(positions))
    return np.concatenate([[0], np.cumsum(degree)]).astype(np.int64), bonds[:, 1].astype(np.int64)


def _ghosts(fraction, lattice, skin):
    """List the points of the box and all images within `skin` of it."""
    depth = skin * np.linalg.norm(np.linalg.inv(lattice), axis=0)
    layers = [np.arange(-np.ceil(d), np.ceil(d) + 1, dtype=int) for d in depth]
    shifts = np.stack(np.meshgrid(*layers, indexing="ij"), axis=-1).reshape(-1, 3)
    point = fraction + shifts[:, None, :]
    kept = ((point >= -depth) & (point < 1 + depth)).all(axis=-1)
    shift, particle = np.nonzero(kept)
    return particle, shifts[shift], point[kept] @ lattice


def _sorted_vertices(vertices, particle, shift):
    """Sort the vertices of each tetrahedron by particle, then by image."""
    order = np.lexsort((*shift.T[::-1], particle))
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order))
    vertices = order[np.sort(rank[vertices], axis=1)]
    return particle[vertices], shift[vertices]


def _reach(corner, lattice):
    """Measure how far circumscribed spheres stick out of the box."""
    edge = corner[:, 1:] - corner[:, :1]
    center = np.linalg.solve(edge, (edge**2).sum(axis=-1)[..., None] / 2)[..., 0]
    radius = np.linalg.norm(center, axis=-1)
    height = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    above = (center + corner[:, 0]) @ np.linalg.inv(lattice) * height
    below_or_above = np.maximum(-above, above - height).max(axis=1)
    return (below_or_above + radius).max()
