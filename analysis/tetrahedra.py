"""The tetrahedra of a periodic triangulation, written in an order of their own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled, compiled_into_callers
from glasscreep.analysis.neighbors import decoded
from glasscreep.analysis.stars import ACROSS, IMAGE, VERTEX


class Tetrahedra(NamedTuple):
    """Tetrahedra of a periodic triangulation, each once, in an order of their own.

    Vertices are by increasing particle, but for the last two, which are swapped where the
    tetrahedron turns positively so; tetrahedra are by increasing vertices, then images.
    """

    vertices: NDArray[np.int32]
    """(m, 4) particle of each vertex."""
    images: NDArray[np.int8]
    """(m, 4, 3) edges of the box to add to each vertex's given position; none for the first."""
    across: NDArray[np.int32]
    """(m, 4) tetrahedron on the other side of the facet opposite each vertex."""
    is_degenerate: bool
    """Whether five particles are on one sphere with none inside, so that others would be as good:
    of positions and box as `glasscreep.analysis.triangulation.delaunay` rounds them."""


class Kept(NamedTuple):
    """Tetrahedra of an earlier triangulation, some of which are to be part of the next."""

    vertex: NDArray[np.int32]
    """(m, 4) particle of each vertex."""
    image: NDArray[np.int32]
    """(m, 4) image of each vertex, relative to the first."""
    across: NDArray[np.int32]
    """(m, 4) tetrahedron on the other side of the facet opposite each vertex."""
    good: NDArray[np.bool_]
    """(m,) whether a tetrahedron is kept."""
    volume: NDArray[np.float64]
    """(m,) six times the volume of each [length^3]."""


NOTHING_KEPT = Kept(
    np.empty((0, 4), np.int32),
    np.empty((0, 4), np.int32),
    np.empty((0, 4), np.int32),
    np.empty(0, np.bool_),
    np.empty(0),
)


def in_order(
    row: NDArray[np.int32],
    order: NDArray[np.int32],
    images: NDArray[np.int64],
    is_degenerate: bool,
    kept: Kept = NOTHING_KEPT,
    origin: NDArray[np.int32] | None = None,
) -> Tetrahedra:
    """Put found tetrahedra in order, together with those that were kept.

    Parameters
    ----------
    row : (count, 16) int32
        As in `glasscreep.analysis.stars.Complex`.
    order : (n,) int32
        What each particle of `row` is called outside.
    images : (n, 3) int64
        Edges of the box between a particle's place in the box and the position given for it.
    is_degenerate : bool
        As in the result.
    kept : Kept
        In terms of particles as they are called outside.
    origin : (borders,) int32, optional
        Which of the kept the first tetrahedra of `row` are.

    Returns
    -------
    Tetrahedra

    Raises
    ------
    ValueError
        If neighbours are given by positions more than 127 boxes apart.
    """
    borders = np.empty(0, np.int32) if origin is None else origin
    found = _sorted(row[len(borders) :], order)
    vertices, moved, across, spread = _merged(row, images, found, kept, borders)
    if spread > np.iinfo(np.int8).max:
        msg = f"positions of neighbours are {spread} boxes apart; wrap them into the box first"
        raise ValueError(msg)
    return Tetrahedra(vertices, moved, across, is_degenerate)


@compiled
def _sorted(row: NDArray[np.int32], order: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sort the vertices of each tetrahedron, then the tetrahedra.

    Returns
    -------
    (count, 13) int32
        Of each tetrahedron in order: the vertices, their images relative to the first, what is
        across the facets opposite each, and which row it is.
    """
    count = len(row)
    end = np.zeros(len(order) + 1, np.int64)
    for t in range(count):
        first = min(
            min(order[row[t, VERTEX]], order[row[t, VERTEX + 1]]),
            min(order[row[t, VERTEX + 2]], order[row[t, VERTEX + 3]]),
        )
        end[first + 1] += 1
    for i in range(len(order)):
        end[i + 1] += end[i]
    start, found, new = end.copy(), np.empty((count, 13), np.int32), np.empty(13, np.int32)
    for t in range(count):
        _arrange(row, t, order, new)
        at = end[new[0]]
        end[new[0]] += 1
        # Few have the same first vertex: those are sorted as they come.
        while at > start[new[0]] and _comes_before(new, found, at - 1):
            for k in range(13):
                found[at, k] = found[at - 1, k]
            at -= 1
        for k in range(13):
            found[at, k] = new[k]
    return found


@compiled_into_callers
def _arrange(
    row: NDArray[np.int32], t: int, order: NDArray[np.int32], new: NDArray[np.int32]
) -> None:
    """Sort the vertices of a tetrahedron, so that it still turns positively."""
    odd = False
    for k in range(4):
        name, image = np.int32(order[row[t, VERTEX + k]]), row[t, IMAGE + k]
        m = k
        while m > 0 and (new[m - 1] > name or (new[m - 1] == name and new[m + 3] > image)):
            new[m], new[m + 4], new[m + 8] = new[m - 1], new[m + 3], new[m + 7]
            m -= 1
            odd = not odd
        new[m], new[m + 4], new[m + 8] = name, image, row[t, ACROSS + k]
    for k in range(7, 3, -1):
        new[k] -= new[4]
    if odd:
        for k in (2, 6, 10):
            new[k], new[k + 1] = new[k + 1], new[k]
    new[12] = t


@compiled_into_callers
def _comes_before(new: NDArray[np.int32], found: NDArray[np.int32], at: int) -> bool:
    """Compare by increasing vertices, then by images; the last two may be swapped."""
    if new[1] != found[at, 1]:
        return bool(new[1] < found[at, 1])
    lower, other = min(new[2], new[3]), min(found[at, 2], found[at, 3])
    if lower != other:
        return bool(lower < other)
    upper, other = max(new[2], new[3]), max(found[at, 2], found[at, 3])
    if upper != other:
        return bool(upper < other)
    # Only in small boxes do several tetrahedra have the same vertices.
    p, q = 2 + (new[2] > new[3]), 2 + (found[at, 2] > found[at, 3])
    if new[2] == new[3]:
        p, q = 2 + (new[6] > new[7]), 2 + (found[at, 6] > found[at, 7])
    for mine, theirs in ((5, 5), (p + 4, q + 4), (9 - p, 9 - q)):
        if new[mine] != found[at, theirs]:
            return bool(new[mine] < found[at, theirs])
    return False


@compiled
def _merged(
    row: NDArray[np.int32],
    images: NDArray[np.int64],
    found: NDArray[np.int32],
    kept: Kept,
    origin: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int32], int]:
    """Write kept and found tetrahedra in their common order; also tell the largest image."""
    borders, olds = len(origin), len(kept.good)
    count = kept.good.sum() + len(found)
    vertices, moved = np.empty((count, 4), np.int32), np.empty((count, 4, 3), np.int8)
    across = np.empty((count, 4), np.int32)
    rank, rank_of_kept = np.empty(borders + len(found), np.int32), np.empty(olds, np.int32)
    old, new, spread = 0, 0, 0
    for at in range(count):
        while old < olds and not kept.good[old]:
            old += 1
        if new == len(found) or (old < olds and _comes_first(kept.vertex, old, found, new)):
            for k in range(4):
                vertices[at, k] = kept.vertex[old, k]
                spread = max(spread, _move(moved, at, k, vertices, kept.image[old, k], images))
            rank_of_kept[old] = at
            old += 1
        else:
            for k in range(4):
                vertices[at, k] = found[new, k]
                spread = max(spread, _move(moved, at, k, vertices, found[new, k + 4], images))
            rank[borders + found[new, 12]] = at
            new += 1
    for b in range(borders):
        rank[b] = rank_of_kept[origin[b]]
    for t in range(olds):
        if kept.good[t]:
            for k in range(4):
                across[rank_of_kept[t], k] = rank_of_kept[kept.across[t, k]]
    for b in range(borders):
        for k in range(4):
            if row[b, ACROSS + k] >= 0:
                across[rank[b], k] = rank[row[b, ACROSS + k] >> 2]
    for new in range(len(found)):
        for k in range(4):
            across[rank[borders + found[new, 12]], k] = rank[found[new, k + 8] >> 2]
    return vertices, moved, across, spread


@compiled_into_callers
def _comes_first(vertex: NDArray[np.int32], t: int, found: NDArray[np.int32], at: int) -> bool:
    """Compare by increasing vertices; the last two may be swapped."""
    for k in range(2):
        if vertex[t, k] != found[at, k]:
            return bool(vertex[t, k] < found[at, k])
    lower, other = min(vertex[t, 2], vertex[t, 3]), min(found[at, 2], found[at, 3])
    if lower != other:
        return bool(lower < other)
    return bool(max(vertex[t, 2], vertex[t, 3]) < max(found[at, 2], found[at, 3]))


@compiled_into_callers
def _move(
    moved: NDArray[np.int8],
    at: int,
    k: int,
    vertices: NDArray[np.int32],
    code: int,
    images: NDArray[np.int64],
) -> int:
    """Write the image of a vertex relative to the first, in terms of the positions given."""
    ix, iy, iz = decoded(int(code))
    p, q = vertices[at, 0], vertices[at, k]
    ix += images[p, 0] - images[q, 0]
    iy += images[p, 1] - images[q, 1]
    iz += images[p, 2] - images[q, 2]
    moved[at, k, 0], moved[at, k, 1], moved[at, k, 2] = ix, iy, iz
    return int(max(abs(ix), abs(iy), abs(iz)))
