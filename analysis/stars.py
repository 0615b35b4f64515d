"""Completing the stars of a periodic Delaunay triangulation, particle by particle.

The star of a particle is complete when each facet of its tetrahedra that contains it belongs to
two of them. A facet that belongs to one tetrahedron only is open. It waits in the list of that of
its particles whose turn comes next, and what it lacks on its other side is found there. The stars
asked for are those of the first particles: all, or a few; a facet without any of them never waits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.apex import NONE, Around, find_apex, is_delaunay
from glasscreep.analysis.compiled import (
    compiled,
    compiled_into_callers,
    compiled_without_memory,
)
from glasscreep.analysis.neighbors import PaddedCells
from glasscreep.analysis.vicinity import Link, Room, find, forget, index, look_around

DONE, FULL, CROWDED, TWICE = 0, 1, 2, 3
"""How a sweep ends: at its end; no room for tetrahedra, or for the edges around a particle; two
particles at one place."""

VERTEX, IMAGE, NEXT, ACROSS = 0, 4, 8, 12
WAITING = -2

_TIE = 1e-6

# The others of a tetrahedron's vertices, in the order in which they turn positively around each.
_AROUND = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


class Complex(NamedTuple):
    """Tetrahedra found so far, what is open of them, and which stars are complete.

    All that concerns a tetrahedron is in one row, and that in one line of the cache. Facet k of
    tetrahedron t is the one opposite its vertex k, and has the number 4 t + k.
    """

    row: NDArray[np.int32]
    """(capacity, 16) from `VERTEX` on the particle of each vertex; from `IMAGE` on the image of
    each, relative to any one image of the tetrahedron; from `NEXT` on, of each facet that is
    open, the next in its list, or `NONE`; from `ACROSS` on, of each that is not, the facet that
    it is the other side of."""
    open: NDArray[np.int32]
    """(count,) first open facet in the list of each particle whose star is asked for, or `NONE`."""
    touched: NDArray[np.bool_]
    """(n,) whether any tetrahedron has the particle."""
    complete: NDArray[np.bool_]
    """(count,) whether the star of each is."""
    size: NDArray[np.int64]
    """(1,) tetrahedra."""


@compiled_without_memory
def sweep(
    cells: PaddedCells,
    radius: float,
    first: int,
    tets: Complex,
    around: Around,
    link: Link,
    room: Room,
) -> int:
    """Complete every star asked for whose tetrahedra can be told from the points within `radius`.

    Parameters
    ----------
    cells : PaddedCells
        Points whose coordinates are whole numbers.
    radius : float
        As far as which `cells` are padded [length].
    first : int
        Particle to begin with: 0, or the one that the last sweep came to a halt at.
    tets : Complex
        Taken further.
    around, link, room
        Scratch.

    Returns
    -------
    int
        `DONE`; or why it came to a halt: after mending that, the sweep may be called again.
    """
    all_are_asked = len(tets.complete) == len(tets.touched)
    for particle in range(first, len(tets.complete)):
        if tets.complete[particle]:
            continue
        # The stars of all hang together, and one tetrahedron leads to the others; few need not.
        begun = tets.touched[particle] or (all_are_asked and tets.size[0] > 0)
        if begun and tets.open[particle] == NONE:
            tets.complete[particle] = tets.touched[particle]
            continue
        n = look_around(cells, particle, radius, around, room)
        if n < 0:
            room.met[0], room.met[1] = particle, -n - 1
            return TWICE
        index(around, n, link)
        status = _star(particle, n, radius, tets, around, link)
        # After a halt it is this particle's turn again.
        _pass_on(particle if status == DONE else particle - 1, tets, link)
        forget(n, around, link)
        if status != DONE:
            room.met[0] = particle
            return status
    return DONE


@compiled_into_callers
def _pass_on(present: int, tets: Complex, link: Link) -> None:
    """Let the facets that are still open wait for another particle."""
    for e in range(link.used[1]):
        u, v = link.number[link.edge[e, 0]], link.number[link.edge[e, 1]]
        facet = int(link.facet[u, v])
        if facet != NONE:
            link.facet[u, v] = NONE
            wait(facet, present, tets)


@compiled_into_callers
def wait(facet: int, present: int, tets: Complex) -> None:
    """Put an open facet into the list of its particle whose turn is next after the present one."""
    tet, apex = facet >> 2, facet & 3
    if tets.row[tet, ACROSS + apex] == WAITING:
        return  # it holds a particle in two images, and was met at both
    later, soonest = len(tets.open), len(tets.open)
    for k in range(4):
        vertex = int(tets.row[tet, VERTEX + k])
        if k != apex:
            soonest = min(soonest, vertex)
            if vertex > present:
                later = min(later, vertex)
    turn = later if later < len(tets.open) else soonest
    if turn == len(tets.open):
        return
    tets.row[tet, ACROSS + apex] = WAITING
    tets.row[tet, NEXT + apex] = tets.open[turn]
    tets.open[turn] = facet


@compiled_without_memory
def _star(particle: int, n: int, radius: float, tets: Complex, around: Around, link: Link) -> int:
    """Complete the star of a particle as far as can be told."""
    if not tets.touched[particle]:
        status = _begin(particle, n, radius, tets, around, link)
        can_be_told = link.used[1] > 0
    else:
        status, can_be_told = _load(particle, tets, around, link)
    if status != DONE or not can_be_told:
        return status
    e = 0
    while e < link.used[1]:
        u, v = int(link.edge[e, 0]), int(link.edge[e, 1])
        e += 1
        if link.facet[link.number[u], link.number[v]] == NONE:
            continue
        apex = find_apex(around, n, v, u, radius)
        if apex == NONE:
            return DONE
        status = _add(particle, v, u, apex, tets, around, link)
        if status != DONE:
            return status
    tets.complete[particle] = True
    return DONE


@compiled_into_callers
def _load(particle: int, tets: Complex, around: Around, link: Link) -> tuple[int, bool]:
    """Take the open facets that wait for a particle, if all their particles are near enough."""
    status, all_near = DONE, True
    facet = int(tets.open[particle])
    while facet != NONE:
        all_near &= _take(facet, particle, False, tets, around, link)
        facet = int(tets.row[facet >> 2, NEXT + (facet & 3)])
    facet = int(tets.open[particle])
    tets.open[particle] = NONE
    while facet != NONE:
        this, facet = facet, int(tets.row[facet >> 2, NEXT + (facet & 3)])
        tets.row[this >> 2, ACROSS + (this & 3)] = NONE
        if not _has_room(link):
            status = CROWDED
        if status == DONE and all_near:
            _take(this, particle, True, tets, around, link)
        else:
            wait(this, particle if status == DONE else particle - 1, tets)
    return status, all_near


@compiled_into_callers
def _take(
    facet: int, particle: int, for_good: bool, tets: Complex, around: Around, link: Link
) -> bool:
    """Add the edges of a facet opposite the particle to its link, if they are near enough."""
    tet, apex = facet >> 2, facet & 3
    for corner in range(4):
        if corner == apex or tets.row[tet, VERTEX + corner] != particle:
            continue
        k = 0
        while _AROUND[corner, k] != apex:
            k += 1
        here = tets.row[tet, IMAGE + corner]
        p, q = _AROUND[corner, (k + 1) % 3], _AROUND[corner, (k + 2) % 3]
        u = find(tets.row[tet, VERTEX + p], tets.row[tet, IMAGE + p] - here, around, link)
        v = find(tets.row[tet, VERTEX + q], tets.row[tet, IMAGE + q] - here, around, link)
        if u == NONE or v == NONE:
            return False
        if for_good:
            _meet(u, v, facet, tets, link)
    return True


@compiled_into_callers
def _has_room(link: Link) -> bool:
    """Tell whether a tetrahedron can be added, be each of its vertices the particle."""
    return bool(link.used[0] + 12 <= len(link.facet) and link.used[1] + 12 <= len(link.edge))


@compiled_into_callers
def _meet(u: int, v: int, facet: int, tets: Complex, link: Link) -> None:
    """Add an edge to the link: it closes the facet on its other side, or is open itself."""
    for j in (u, v):
        if link.number[j] == NONE:
            link.number[j] = link.used[0]
            link.used[0] += 1
    k, m = link.number[u], link.number[v]
    other = int(link.facet[m, k])
    if other != NONE:
        link.facet[m, k] = NONE
        tets.row[other >> 2, ACROSS + (other & 3)] = facet
        tets.row[facet >> 2, ACROSS + (facet & 3)] = other
    else:
        link.facet[k, m] = facet
        link.edge[link.used[1], 0], link.edge[link.used[1], 1] = u, v
        link.used[1] += 1


@compiled_into_callers
def _add(particle: int, b: int, c: int, d: int, tets: Complex, around: Around, link: Link) -> int:
    """Add a tetrahedron, and what it is seen as from the particle to the link."""
    tet = tets.size[0]
    if tet == len(tets.row):
        return FULL
    if not _has_room(link):
        return CROWDED
    tets.size[0] += 1
    tets.row[tet, VERTEX], tets.row[tet, IMAGE] = particle, 0
    k = 1
    for j in (b, c, d):
        tets.row[tet, VERTEX + k], tets.row[tet, IMAGE + k] = around.particle[j], around.image[j]
        k += 1
    for k in range(4):
        tets.row[tet, ACROSS + k] = NONE
        tets.touched[tets.row[tet, VERTEX + k]] = True
    _meet(b, c, 4 * tet + 3, tets, link)
    _meet(c, d, 4 * tet + 1, tets, link)
    _meet(d, b, 4 * tet + 2, tets, link)
    alone = True
    for corner in range(1, 4):  # in a small box a vertex may be an image of the particle itself
        if tets.row[tet, VERTEX + corner] == particle:
            alone = False
            _see(tet, corner, tets, around, link)
    if alone:
        wait(4 * tet, particle, tets)
    return DONE


@compiled_without_memory
def _see(tet: int, corner: int, tets: Complex, around: Around, link: Link) -> None:
    """Add what a new tetrahedron is seen as from another image of the particle."""
    here = tets.row[tet, IMAGE + corner]
    for k in range(3):
        p, q, apex = _AROUND[corner, k], _AROUND[corner, (k + 1) % 3], _AROUND[corner, (k + 2) % 3]
        u = find(tets.row[tet, VERTEX + p], tets.row[tet, IMAGE + p] - here, around, link)
        v = find(tets.row[tet, VERTEX + q], tets.row[tet, IMAGE + q] - here, around, link)
        _meet(u, v, 4 * tet + apex, tets, link)


@compiled
def _begin(particle: int, n: int, radius: float, tets: Complex, around: Around, link: Link) -> int:
    """Find a first tetrahedron: with the nearest point, and the smallest circle through both.

    These are an edge and a facet of the triangulation; where several are as near or as small,
    which ones are is left to trying.
    """
    if n == 0:
        return DONE
    nearest, size = around.at[4, :n].min(), np.empty(n)
    for b in range(n):
        if around.at[4, b] > nearest * (1 + _TIE):
            continue
        for c in range(n):
            size[c] = np.inf if c == b or around.particle[c] < 0 else _circle(around, b, c)
        smallest = size.min()
        for c in range(n):
            if size[c] < np.inf and size[c] <= smallest * (1 + _TIE):
                d = find_apex(around, n, b, c, radius)
                if d != NONE and is_delaunay(around, n, b, c, d, radius):
                    return _add(particle, b, c, d, tets, around, link)
    return DONE


@compiled_without_memory
def _circle(around: Around, b: int, c: int) -> float:
    """Squared diameter of the circle through the particle and two points."""
    x_b, y_b, z_b = around.at[0, b], around.at[1, b], around.at[2, b]
    x_c, y_c, z_c = around.at[0, c], around.at[1, c], around.at[2, c]
    n_x, n_y, n_z = y_b * z_c - z_b * y_c, z_b * x_c - x_b * z_c, x_b * y_c - y_b * x_c
    apart = (x_b - x_c) ** 2 + (y_b - y_c) ** 2 + (z_b - z_c) ** 2
    height = n_x * n_x + n_y * n_y + n_z * n_z
    return float(around.at[3, b] * around.at[3, c] * apart / height)
