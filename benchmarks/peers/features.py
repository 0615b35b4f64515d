"""The sixty features: all at once in numpy, and particle by particle with the published formulas.

Features are read as (particles, columns), with those particles left out that were not computed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from glasscreep.analysis.tetrahedra import Tetrahedra
from peers import Peer

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

MIRACLE_RADII = (1.58, 1.26)
"""Of zirconium and copper, which stand for the two species in matminer [Angstrom]."""
METAL_RADII = (0.5, 0.5 * MIRACLE_RADII[1] / MIRACLE_RADII[0])
"""The same to the scale of the frames [length]."""
SITES = 20
"""Particles that matminer does: it takes 20 ms for each."""


def numpy_at_once(position: Array, box: Array, radius: Array, tets: Tetrahedra) -> Peer:
    """Prepare numpy on whole arrays, by the definitions of ``wu2023``."""

    def work() -> Array:
        vertex, n = tets.vertices, len(position)
        corner = position[vertex] + tets.images * box
        free = _volumes(corner, radius[vertex])
        columns = [_by_particle(vertex.ravel(), np.repeat(free, 4), n)]
        facets, areas, ends, lengths = [], [], [], []
        for k in range(4):
            others = [m for m in range(4) if m != k]
            once = tets.across[:, k] > np.arange(len(vertex))  # of two that have the facet
            facet = vertex[once][:, others]
            facets.append(facet)
            areas.append(_areas(corner[once][:, others], radius[facet]))
            for m in range(k):
                ends.append(vertex[:, [k, m]])
                lengths.append(np.linalg.norm(corner[:, k] - corner[:, m], axis=1))
        facet, area = np.concatenate(facets), np.concatenate(areas)
        columns.append(_by_particle(facet.ravel(), np.repeat(area, 3), n))
        end, length = np.sort(np.concatenate(ends)), np.concatenate(lengths)
        _, first = np.unique(end[:, 0].astype(np.int64) * n + end[:, 1], return_index=True)
        end, length = end[first], length[first]
        gap = length - radius[end].sum(axis=1)
        columns.append(_by_particle(end.ravel(), np.repeat(gap, 2), n))
        short = np.concatenate(columns[::-1], axis=1)
        from_, to = end.ravel(), end[:, ::-1].ravel()
        medium = [_by_particle(from_, column[to], n) for column in short.T]
        return np.concatenate([short, *medium], axis=1)

    return Peer(work)


def _by_particle(particle: NDArray[np.int32], values: Array, n: int) -> Array:
    """Mean, maximum, minimum and standard deviation of the values of each particle."""
    order = np.argsort(particle, kind="stable")
    values, count = values[order], np.bincount(particle, minlength=n)
    start = np.cumsum(count) - count
    mean = np.add.reduceat(values, start) / count
    off = values - np.repeat(mean, count)
    spread = np.sqrt(np.add.reduceat(off * off, start) / count)
    largest, smallest = np.maximum.reduceat(values, start), np.minimum.reduceat(values, start)
    return np.stack([mean, largest, smallest, spread], axis=1)


def _volumes(corner: Array, radius: Array, fraction: bool = False) -> Array:
    """Free volume of tetrahedra, (m, 4, 3) corners."""
    volume = np.abs(np.linalg.det(corner[:, 1:] - corner[:, :1])) / 6
    inside = np.zeros(len(corner))
    for k in range(4):
        edge = np.delete(corner, k, axis=1) - corner[:, k : k + 1]
        length = np.linalg.norm(edge, axis=2)
        a, b, c = edge[:, 0], edge[:, 1], edge[:, 2]
        cosines = (a * b).sum(1) * length[:, 2] + (a * c).sum(1) * length[:, 1]
        cosines += (b * c).sum(1) * length[:, 0] + length.prod(axis=1)
        inside += 2 * np.arctan2(6 * volume, cosines) / 3 * radius[:, k] ** 3
    return np.maximum(0, 1 - inside / volume) if fraction else volume - inside


def _areas(corner: Array, radius: Array, fraction: bool = False) -> Array:
    """Free area of triangles, (m, 3, 3) corners."""
    size = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    inside = np.zeros(len(corner))
    for k in range(3):
        a, b = (corner[:, (k + step) % 3] - corner[:, k] for step in (1, 2))
        inside += np.arctan2(size, (a * b).sum(1)) / 2 * radius[:, k] ** 2
    return np.maximum(0, 1 - inside / (size / 2)) if fraction else size / 2 - inside


def _statistics(values: Array) -> Array:
    spread = values.std(axis=0)
    return np.array([values.mean(axis=0), values.max(axis=0), values.min(axis=0), spread])


def particle_by_particle(
    position: Array, box: Array, radius: Array, indptr: Numbers, indices: Numbers
) -> Peer:
    """Prepare the formulas of amlearn, numpy and Qhull for each particle in turn."""
    n = len(position)

    def short_range(i: int) -> Array:
        near = indices[indptr[i] : indptr[i + 1]]
        bond = position[near] - position[i]
        bond -= box * np.rint(bond / box)
        facets = ConvexHull(bond).simplices
        centre = np.zeros((len(facets), 1, 3))
        corner, size = bond[facets], radius[near][facets]
        with_centre = np.concatenate([centre, corner], axis=1)
        sizes = np.c_[np.full(len(facets), radius[i]), size]
        parts = (
            np.linalg.norm(bond, axis=1) / (radius[i] + radius[near]) - 1,
            _areas(corner, size, fraction=True),
            _volumes(with_centre, sizes, fraction=True),
        )
        return np.concatenate([_statistics(part) for part in parts])

    def work() -> Array:
        short = np.array([short_range(i) for i in range(n)])
        rows = (short[indices[indptr[i] : indptr[i + 1]]] for i in range(n))
        medium = np.array([_statistics(row).T.ravel() for row in rows])
        return np.c_[short, medium]

    return Peer(work)


def matminer(position: Array, box: Array, species: Numbers) -> Peer:
    """Prepare matminer on a few particles: it has their 12 short-range features alone."""
    from matminer.featurizers.site import IntersticeDistribution
    from pymatgen.core import Structure

    names, scale = np.where(species == 1, "Zr", "Cu").tolist(), MIRACLE_RADII[0] / METAL_RADII[0]
    structure = Structure(np.diag(box * scale), names, position * scale, coords_are_cartesian=True)
    featurizer = IntersticeDistribution(cutoff=2.0 * scale)
    featurizer.featurize(structure, 0)  # it reads tables at first

    def work() -> Array:
        return np.array([featurizer.featurize(structure, i) for i in range(SITES)])

    # It has mean, std, min and max, where we have mean, max, min and std.
    order = [4 * group + k for group in range(3) for k in (0, 3, 2, 1)]
    return Peer(work, lambda found: found[:, order], SITES / len(position))
