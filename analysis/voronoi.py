"""Which particles are neighbours: those whose Voronoi cells have a face in common."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_positions, heights
from glasscreep.analysis.compiled import (
    compiled,
    compiled_into_callers,
    compiled_without_memory,
)
from glasscreep.analysis.exact import INSIDE, OUTSIDE, sphere_side
from glasscreep.analysis.neighbors import decoded
from glasscreep.analysis.stars import ACROSS, IMAGE, VERTEX
from glasscreep.analysis.surroundings import most_bonds, neighbors, stars
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import Grid, find_tetrahedra, on_grid
from glasscreep.analysis.vectors import Vector


def voronoi_neighbors(
    positions: ArrayLike, box: ArrayLike, tetrahedra: Tetrahedra | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the Voronoi neighbours of each particle.

    Two particles are neighbours if their cells have a face in common, however small, but larger
    than none: cells that only touch at a corner or along an edge, as in crystals, are no
    neighbours. That is decided exactly. In a small box particles may have several faces in
    common, in different images, and a particle may be its own neighbour: they are listed once
    for each face.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    tetrahedra : Tetrahedra, optional
        What `glasscreep.analysis.triangulation.delaunay` makes of them, if that is known.

    Returns
    -------
    indptr : (n + 1,) int64
        Where the neighbours of each particle begin.
    indices : (indptr[-1],) int64
        Those of particle i, ascending, from ``indptr[i]`` to before ``indptr[i + 1]``.

    Raises
    ------
    ValueError
        As `glasscreep.analysis.triangulation.delaunay`.
    """
    if tetrahedra is not None and not tetrahedra.is_degenerate:
        rows = _of_tetrahedra(tetrahedra, len(as_positions(positions)))
        if rows is not None:
            return rows
    return _neighbors(on_grid(positions, box))


def _of_tetrahedra(
    tetrahedra: Tetrahedra, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """List neighbours without images; None if some are neighbours through several."""
    vertices, m = tetrahedra.vertices, len(tetrahedra.vertices)
    first, corner = np.empty(n + 2, np.int64), np.empty(4 * m, np.uint32)
    indptr, indices = np.empty(n + 1, np.int64), np.empty(most_bonds(n, m), np.int32)
    stars(vertices, first, corner)
    neighbors(vertices, first[:-1], corner, indptr, indices)
    if indptr[n] != 2 * (m + n):  # by Euler
        return None
    found = indices[: indptr[n]].astype(np.int64)
    _sort_rows(indptr, found)
    return indptr, found


@compiled_without_memory
def _sort_rows(indptr: NDArray[np.int64], indices: NDArray[np.int64]) -> None:
    for i in range(len(indptr) - 1):
        _sort(indices, indptr[i], indptr[i + 1])


def _neighbors(grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    row, order, may_be_degenerate, reach = find_tetrahedra(grid)
    copies = np.floor(2 * reach / heights(grid.edges)).astype(int) + 1
    if may_be_degenerate and (copies > 1).any():
        return _of_copies(grid, copies)
    first, entry = _by_particle(row, len(order))
    if may_be_degenerate:
        corner = _corners(row, grid.places[order], grid.edges)
        return _without_touching(row, order, first, entry, corner)
    return _rows(row, order, first, entry)


def _of_copies(
    grid: Grid, copies: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take the first of several copies of a box, in which no corner of a cell meets its image."""
    shifts = np.stack(np.meshgrid(*map(np.arange, copies), indexing="ij"), axis=-1)
    places = (shifts.reshape(-1, 1, 3) @ grid.edges + grid.places).reshape(-1, 3)
    images = np.zeros(places.shape, np.int64)
    indptr, indices = _neighbors(Grid(places, grid.edges * copies[:, None], images))
    n = len(grid.places)
    indptr, indices = indptr[: n + 1], indices[: indptr[n]] % n
    return indptr, indices[np.lexsort([indices, np.repeat(np.arange(n), np.diff(indptr))])]


@compiled
def _by_particle(row: NDArray[np.int32], n: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List, particle by particle, 4 x tetrahedron + vertex of the tetrahedra that have it."""
    first, entry = np.zeros(n + 1, np.int64), np.empty(4 * len(row), np.int32)
    for t in range(len(row)):
        for k in range(4):
            first[row[t, VERTEX + k] + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    free = first.copy()
    for t in range(len(row)):
        for k in range(4):
            vertex = row[t, VERTEX + k]
            entry[free[vertex]] = 4 * t + k
            free[vertex] += 1
    return first, entry


@compiled
def _rows(
    row: NDArray[np.int32],
    order: NDArray[np.int32],
    first: NDArray[np.int64],
    entry: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the particles at the other ends of each particle's edges."""
    n = len(order)
    indptr = np.zeros(n + 1, np.int64)
    for i in range(n):  # f triangles around a particle have f / 2 + 2 corners, by Euler
        indptr[order[i] + 1] = (first[i + 1] - first[i]) // 2 + 2
    for i in range(n):
        indptr[i + 1] += indptr[i]
    indices, image = np.empty(indptr[n], np.int64), np.empty(indptr[n], np.int32)
    seen, where = np.full(n, -1, np.int32), np.empty(n, np.int64)
    for i in range(n):
        start = stop = indptr[order[i]]
        for e in range(first[i], first[i + 1]):
            t, k = entry[e] >> 2, entry[e] & 3
            for step in range(1, 4):
                j = row[t, VERTEX + ((k + step) & 3)]
                code = row[t, IMAGE + ((k + step) & 3)] - row[t, IMAGE + k]
                if seen[j] == i and image[where[j]] == code:
                    continue
                is_new = True
                if seen[j] == i:  # in a small box, by another image
                    for at in range(start, stop):
                        is_new &= not (indices[at] == order[j] and image[at] == code)
                if is_new:
                    seen[j], where[j] = i, stop
                    indices[stop], image[stop] = order[j], code
                    stop += 1
        _sort(indices, start, stop)
    return indptr, indices


@compiled_into_callers
def _sort(values: NDArray[np.int64], start: int, stop: int) -> None:
    for at in range(start + 1, stop):
        value, back = values[at], at
        while back > start and values[back - 1] > value:
            values[back] = values[back - 1]
            back -= 1
        values[back] = value


@compiled
def _without_touching(
    row: NDArray[np.int32],
    order: NDArray[np.int32],
    first: NDArray[np.int64],
    entry: NDArray[np.int32],
    corner: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List only particles whose faces have three corners or more."""
    n = len(order)
    rank = np.empty(n, np.int64)
    for i in range(n):
        rank[order[i]] = i
    indptr, indices = np.zeros(n + 1, np.int64), np.empty(3 * len(entry), np.int64)
    found = 0
    for name in range(n):
        start, stop = first[rank[name]], first[rank[name] + 1]
        ends = np.empty((3 * (stop - start), 3), np.int64)
        for e in range(start, stop):
            t, k = entry[e] >> 2, entry[e] & 3
            for step in range(3):
                other = (k + step + 1) & 3
                ends[3 * (e - start) + step, 0] = row[t, VERTEX + other]
                ends[3 * (e - start) + step, 1] = row[t, IMAGE + other] - row[t, IMAGE + k]
                ends[3 * (e - start) + step, 2] = corner[t]
        indptr[name] = found
        for e in range(len(ends)):
            corners, is_first = 0, True
            for f in range(len(ends)):
                if ends[f, 0] == ends[e, 0] and ends[f, 1] == ends[e, 1]:
                    is_first &= f >= e
                    is_new = True
                    for g in range(f):
                        is_new &= not np.array_equal(ends[f], ends[g])
                    corners += is_new
            if is_first and corners >= 3:
                indices[found] = order[ends[e, 0]]
                found += 1
        _sort(indices, indptr[name], found)
    indptr[n] = found
    return indptr, indices[:found].copy()


def _corners(
    row: NDArray[np.int32], places: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Tell which corner of the Voronoi cells each tetrahedron is: some are the same."""
    one, other = _on_one_sphere(row, places, edges)
    corner = np.arange(len(row))
    while True:
        lowest = corner.copy()
        np.minimum.at(lowest, one, corner[other])
        np.minimum.at(lowest, other, corner[one])
        lowest = lowest[lowest]
        if np.array_equal(lowest, corner):
            return corner
        corner = lowest


@compiled
def _on_one_sphere(
    row: NDArray[np.int32], places: NDArray[np.float64], edges: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List pairs of tetrahedra with a facet in common and the same sphere."""
    one, other = np.empty(2 * len(row), np.int64), np.empty(2 * len(row), np.int64)
    count = 0
    for t in range(len(row)):
        for k in range(4):
            facet = int(row[t, ACROSS + k])
            u, apex = facet >> 2, facet & 3
            if 4 * t + k < facet:
                side = sphere_side(
                    _apart(row, t, 1, t, 0, 0, places, edges),
                    _apart(row, t, 2, t, 0, 0, places, edges),
                    _apart(row, t, 3, t, 0, 0, places, edges),
                    _apart(row, u, apex, t, 0, _shift(row, t, k, u, apex), places, edges),
                )
                if side not in (INSIDE, OUTSIDE):
                    one[count], other[count] = t, u
                    count += 1
    return one[:count], other[:count]


@compiled_without_memory
def _apart(
    row: NDArray[np.int32],
    u: int,
    j: int,
    t: int,
    i: int,
    shift: int,
    places: NDArray[np.float64],
    edges: NDArray[np.float64],
) -> Vector:
    """Compute the vector from vertex i of t to vertex j of u, moved by an image."""
    p, q = row[t, VERTEX + i], row[u, VERTEX + j]
    a, b, c = decoded(int(row[u, IMAGE + j]) - row[t, IMAGE + i] + shift)
    return (
        places[q, 0] - places[p, 0] + (a * edges[0, 0] + b * edges[1, 0] + c * edges[2, 0]),
        places[q, 1] - places[p, 1] + (a * edges[0, 1] + b * edges[1, 1] + c * edges[2, 1]),
        places[q, 2] - places[p, 2] + (a * edges[0, 2] + b * edges[1, 2] + c * edges[2, 2]),
    )


@compiled_without_memory
def _shift(row: NDArray[np.int32], t: int, k: int, u: int, apex: int) -> int:
    """Find the image by which u must be moved for its facet to be that of t."""
    shift = 0
    for w in range(4):
        if w == apex or row[u, VERTEX + w] != row[t, VERTEX + ((k + 1) & 3)]:
            continue
        shift = int(row[t, IMAGE + ((k + 1) & 3)] - row[u, IMAGE + w])
        met = 0
        for step in range(1, 4):
            v = (k + step) & 3
            for x in range(4):
                if x != apex and row[u, VERTEX + x] == row[t, VERTEX + v]:
                    met += row[u, IMAGE + x] + shift == row[t, IMAGE + v]
        if met == 3:
            return shift
    return shift
