"""Completing the stars of a periodic Delaunay triangulation, particle by particle.

The star of a particle is complete when each facet of its tetrahedra that contains it belongs to
two of them. A tetrahedron found for one particle is at once part of the stars of its other three.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.apex import FAR, LANES, NONE, Around, find_apex, is_delaunay
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells

DONE, FULL, CROWDED, TWICE, TORN = 0, 1, 2, 3, 4
"""How a sweep ends: at its end; no room for tetrahedra, or for the edges around a particle; two
particles at one place; tetrahedra that can't be of one triangulation."""

UNTRIED, GOOD, BAD = 0, 1, 2

_TIE = 1e-6

# The others of a tetrahedron's vertices, in the order in which they turn positively around each.
_AROUND = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


class Complex(NamedTuple):
    """Tetrahedra found so far, each in a list of every vertex, and which stars are complete."""

    vertex: NDArray[np.int32]
    """(capacity, 4) particle of each vertex."""
    image: NDArray[np.int32]
    """(capacity, 4) image of each vertex, relative to any one image of the tetrahedron."""
    state: NDArray[np.uint8]
    """(capacity,) `UNTRIED` if taken from elsewhere, then `GOOD` or `BAD`."""
    following: NDArray[np.int32]
    """(capacity, 4) next entry of each vertex's list: 4 x tetrahedron + vertex, or `NONE`."""
    newest: NDArray[np.int32]
    """(n,) first entry of each particle's list, or `NONE`."""
    complete: NDArray[np.bool_]
    """(n,) whether the star of each particle is."""
    count: NDArray[np.int64]
    """(2,) tetrahedra in all, and how many are good."""


class Link(NamedTuple):
    """Edges opposite a particle in its star: scratch, clean between two stars."""

    local: NDArray[np.int32]
    """(n,) first point around that is an image of each particle, or `NONE`."""
    same: NDArray[np.int32]
    """(points,) next point around of the same particle, or `NONE`."""
    number: NDArray[np.int32]
    """(points,) number of a point within the link, or `NONE`."""
    open: NDArray[np.bool_]
    """(width, width) whether the edge between two numbers lacks its second triangle."""
    edge: NDArray[np.int32]
    """(6 * width, 2) edges in the order in which they were met."""
    count: NDArray[np.int64]
    """(2,) numbers given out, edges met."""


class Room(NamedTuple):
    """More scratch."""

    found: NDArray[np.uint32]
    """(points,) points within the radius."""
    squared: NDArray[np.float64]
    """(points,) their squared distances [length^2]."""
    met: NDArray[np.int64]
    """(2,) the particles that a sweep came to a halt at."""


@compiled
def sweep(
    cells: PaddedCells, radius: float, tets: Complex, around: Around, link: Link, room: Room
) -> int:
    """Complete every star whose tetrahedra can be told from the points within `radius`.

    Parameters
    ----------
    cells : PaddedCells
        Points whose coordinates are whole numbers; those inside the box by increasing particle.
    radius : float
        As far as which `cells` are padded [length].
    tets : Complex
        Taken further.
    around, link, room
        Scratch.

    Returns
    -------
    int
        `DONE`; or why it came to a halt: after mending that, the sweep may be called again.
    """
    shape, pad = cells.shape, cells.pad
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for point in range(cells.first[cell], cells.first[cell + 1]):
                    particle = np.int64(cells.particle[point])
                    if tets.complete[particle]:
                        continue
                    if tets.newest[particle] < 0 and tets.count[1] > 0:
                        continue  # a neighbour's tetrahedra will begin this star
                    n = _look_around(cells, cell, point, radius, around, room)
                    if n < 0:
                        room.met[0], room.met[1] = particle, -n - 1
                        return TWICE
                    _index(around, n, link)
                    status = _star(particle, n, radius, tets, around, link)
                    _clean(around, n, link)
                    if status != DONE:
                        room.met[0] = particle
                        return status
    return DONE


@compiled
def _look_around(
    cells: PaddedCells, cell: int, point: int, radius: float, around: Around, room: Room
) -> int:
    """List the points within the radius of one; return their number, filled up to whole lanes.

    A negative number names, counted from -1 down, the particle at the very same place.
    """
    x_i, y_i, z_i = cells.x[point], cells.y[point], cells.z[point]
    limit = radius * radius
    found, squared = room.found, room.squared
    n = np.uint64(0)
    at_this_place = 0
    for row in range(len(cells.row_start)):
        start = cells.first[cell + cells.row_start[row]]
        stop = cells.first[cell + cells.row_stop[row]]
        x, y, z = cells.x[start:stop], cells.y[start:stop], cells.z[start:stop]
        for j in range(stop - start):
            dx, dy, dz = x[j] - x_i, y[j] - y_i, z[j] - z_i
            squared[j] = dx * dx + dy * dy + dz * dz
            at_this_place += squared[j] == 0.0
        for j in range(stop - start):
            found[n] = start + j
            n += np.uint64(squared[j] <= limit)
    k = 0
    for q in range(int(n)):
        j = np.int64(found[q])
        if j == point:
            continue
        around.x[k], around.y[k], around.z[k] = cells.x[j] - x_i, cells.y[j] - y_i, cells.z[j] - z_i
        around.particle[k], around.image[k] = cells.particle[j], cells.image[j]
        k += 1
    full = (k + LANES - 1) // LANES * LANES
    for q in range(k, full):
        around.x[q] = around.y[q] = around.z[q] = FAR * radius
        around.particle[q] = NONE
    x, y, z = around.x[:full], around.y[:full], around.z[:full]
    for q in range(full):
        around.square[q] = x[q] * x[q] + y[q] * y[q] + z[q] * z[q]
        around.norm[q] = np.sqrt(around.square[q])
    if at_this_place > 1:
        for q in range(k):
            if around.square[q] == 0.0:
                return -1 - around.particle[q]
    return full


@compiled
def _index(around: Around, n: int, link: Link) -> None:
    """Make the points around findable by particle and image."""
    for j in range(n):
        link.number[j] = NONE
        particle = around.particle[j]
        if particle >= 0:
            link.same[j] = link.local[particle]
            link.local[particle] = j
    link.count[0] = link.count[1] = 0


@compiled
def _clean(around: Around, n: int, link: Link) -> None:
    for j in range(n):
        if around.particle[j] >= 0:
            link.local[around.particle[j]] = NONE
    for e in range(link.count[1]):
        u, v = link.number[link.edge[e, 0]], link.number[link.edge[e, 1]]
        link.open[u, v] = False


@compiled
def _star(particle: int, n: int, radius: float, tets: Complex, around: Around, link: Link) -> int:
    """Complete the star of a particle as far as can be told."""
    status, can_be_told = _load(particle, n, radius, tets, around, link)
    if status != DONE or not can_be_told:
        return status
    if link.count[1] == 0:
        if tets.count[1] > 0:
            return DONE
        status = _begin(particle, n, radius, tets, around, link)
        if status != DONE:
            return status
    e = 0
    while e < link.count[1]:
        u, v = np.int64(link.edge[e, 0]), np.int64(link.edge[e, 1])
        e += 1
        if not link.open[link.number[u], link.number[v]]:
            continue
        apex = find_apex(around, n, v, u, radius)
        if apex == NONE:
            return DONE
        status = _add(particle, v, u, apex, tets, around, link)
        if status != DONE:
            return status
    tets.complete[particle] = link.count[1] > 0
    return DONE


@compiled
def _load(
    particle: int, n: int, radius: float, tets: Complex, around: Around, link: Link
) -> tuple[int, bool]:
    """Take the tetrahedra of a particle that are known; whether all can be told is the second."""
    entry = np.int64(tets.newest[particle])
    while entry >= 0:
        tet, corner = entry >> 2, entry & 3
        entry = np.int64(tets.following[tet, corner])
        if tets.state[tet] == BAD:
            continue
        b, c, d = _others(tet, corner, tets, around, link)
        if b < 0 or c < 0 or d < 0:
            if tets.state[tet] == GOOD:
                return DONE, False
            tets.state[tet] = BAD
            continue
        if tets.state[tet] == UNTRIED:
            good = is_delaunay(around, n, b, c, d, radius)
            tets.state[tet] = GOOD if good else BAD
            tets.count[1] += good
            if not good:
                continue
        status = _close(b, c, d, link)
        if status != DONE:
            return status, False
    return DONE, True


@compiled
def _others(
    tet: int, corner: int, tets: Complex, around: Around, link: Link
) -> tuple[int, int, int]:
    """Find the other three vertices among the points around; `NONE` where one is too far."""
    here = tets.image[tet, corner]
    p, q, r = _AROUND[corner, 0], _AROUND[corner, 1], _AROUND[corner, 2]
    return (
        _find(tets.vertex[tet, p], tets.image[tet, p] - here, around, link),
        _find(tets.vertex[tet, q], tets.image[tet, q] - here, around, link),
        _find(tets.vertex[tet, r], tets.image[tet, r] - here, around, link),
    )


@compiled
def _find(particle: int, image: int, around: Around, link: Link) -> int:
    j = np.int64(link.local[particle])
    while j >= 0 and around.image[j] != image:
        j = np.int64(link.same[j])
    return j


@compiled
def _close(b: int, c: int, d: int, link: Link) -> int:
    """Add the triangle opposite the particle to its link."""
    for j in (b, c, d):
        if link.number[j] == NONE:
            if link.count[0] == len(link.open):
                return CROWDED
            link.number[j] = link.count[0]
            link.count[0] += 1
    if link.count[1] + 3 > len(link.edge):
        return CROWDED
    for u, v in ((b, c), (c, d), (d, b)):
        k, m = link.number[u], link.number[v]
        if link.open[m, k]:
            link.open[m, k] = False
        elif link.open[k, m]:
            return TORN
        else:
            link.open[k, m] = True
            link.edge[link.count[1], 0], link.edge[link.count[1], 1] = u, v
            link.count[1] += 1
    return DONE


@compiled
def _add(particle: int, b: int, c: int, d: int, tets: Complex, around: Around, link: Link) -> int:
    """Add a tetrahedron to the lists of its vertices, and to the link of the particle."""
    tet = tets.count[0]
    if tet == len(tets.vertex):
        return FULL
    tets.vertex[tet, 0], tets.image[tet, 0] = particle, 0
    k = 1
    for j in (b, c, d):
        tets.vertex[tet, k], tets.image[tet, k] = around.particle[j], around.image[j]
        k += 1
    tets.state[tet] = GOOD
    tets.count[0] += 1
    tets.count[1] += 1
    for k in range(4):
        vertex = tets.vertex[tet, k]
        tets.following[tet, k] = tets.newest[vertex]
        tets.newest[vertex] = 4 * tet + k
    status = _close(b, c, d, link)
    for k in range(1, 4):  # in a small box a vertex may be an image of the particle itself
        if status == DONE and tets.vertex[tet, k] == particle:
            p, q, r = _others(tet, k, tets, around, link)
            status = _close(p, q, r, link) if p >= 0 and q >= 0 and r >= 0 else DONE
    return status


@compiled
def _begin(particle: int, n: int, radius: float, tets: Complex, around: Around, link: Link) -> int:
    """Find a first tetrahedron: with the nearest point, and the smallest circle through both.

    These are an edge and a facet of the triangulation; where several are as near or as small,
    which ones are is left to trying.
    """
    nearest, size = around.norm[:n].min(), np.empty(n)
    for b in range(n):
        if around.norm[b] > nearest * (1 + _TIE):
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


@compiled
def _circle(around: Around, b: int, c: int) -> float:
    """Squared diameter of the circle through the particle and two points."""
    x_b, y_b, z_b = around.x[b], around.y[b], around.z[b]
    x_c, y_c, z_c = around.x[c], around.y[c], around.z[c]
    n_x, n_y, n_z = y_b * z_c - z_b * y_c, z_b * x_c - x_b * z_c, x_b * y_c - y_b * x_c
    apart = (x_b - x_c) ** 2 + (y_b - y_c) ** 2 + (z_b - z_c) ** 2
    return around.square[b] * around.square[c] * apart / (n_x * n_x + n_y * n_y + n_z * n_z)
