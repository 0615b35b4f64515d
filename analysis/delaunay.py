"""The Delaunay triangulation of a periodic box."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.apex import empty_surroundings
from glasscreep.analysis.box import as_lattice, as_positions, heights, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import IMAGE_STEPS, PaddedCells, padded_cells
from glasscreep.analysis.stars import (
    CROWDED,
    DONE,
    FULL,
    GOOD,
    NONE,
    TORN,
    TWICE,
    UNTRIED,
    Complex,
    Link,
    Room,
    sweep,
)

GRID_BITS = 49
"""Positions are rounded to so many binary places of the box, so that differences are exact."""
MOST_IMAGES = 6
"""As many boxes away coordinates are still exact in 53 bits."""
FIRST_RADIUS = 2.0
"""How far is looked at first, in edges of the cube that a particle has for itself."""
WIDER = 1.4
PER_PARTICLE = 7.5
"""Tetrahedra per particle that there is room for at first: random points have 6.77."""
LINK_WIDTH = 64
LARGEST_LINK = 2**14

Known = tuple[NDArray[np.int32], NDArray[np.int32]]


class Tetrahedra(NamedTuple):
    """Tetrahedra of a periodic triangulation, each once, in an order of their own.

    Vertices are by increasing particle, but for the last two, which are swapped where the
    tetrahedron turns positively so; tetrahedra are by increasing vertices, then images.
    """

    vertices: NDArray[np.int32]
    """(m, 4) particle of each vertex."""
    images: NDArray[np.int8]
    """(m, 4, 3) edges of the box to add to each vertex's given position; none for the first."""


def delaunay(
    positions: ArrayLike, box: ArrayLike, previous: Tetrahedra | None = None
) -> Tetrahedra:
    """Triangulate a periodic set of points so that no point is inside a circumsphere.

    Positions and box are rounded to 2**-49 of the box's size, and the triangulation of these
    is exact. Where more than four points are on a sphere, the metric is changed infinitesimally
    (see `glasscreep.analysis.exact.in_conflict`), so that the triangulation is unique: it
    depends neither on the order of the particles, nor on the image that each is given by, nor on
    `previous`.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    previous : Tetrahedra, optional
        Of a similar configuration of the same particles: what of it still holds need not be
        searched for again.

    Returns
    -------
    Tetrahedra

    Raises
    ------
    ValueError
        If there is no particle, a number is not finite, two particles are at one place, or the
        box is so empty or elongated that the spheres span more images than can be searched.
    """
    position, lattice = as_positions(positions), as_lattice(box)
    if len(position) == 0:
        msg = "a triangulation needs at least one particle, got none"
        raise ValueError(msg)
    _, exponent = np.frexp(np.abs(lattice).sum(axis=0).max())
    position, lattice = np.ldexp(position, -exponent), np.ldexp(lattice, -exponent)
    wrapped, images = wrap(position, lattice)
    order = _spatial_order(wrapped, lattice)
    places = np.rint(np.ldexp(wrapped[order], GRID_BITS))
    edges = np.rint(np.ldexp(lattice, GRID_BITS))
    tets = None
    if previous is not None:
        tets = _complete(places, edges, order, _expected(previous, order, places, edges))
        # Tetrahedra of no triangulation, or of one twice: whatever was given, none comes out.
        if tets is not None and not _fills(tets, places, edges):
            tets = None
    if tets is None:
        tets = _complete(places, edges, order, None)
    if tets is None:
        msg = "the stars of the particles do not fit together: this must not happen, report it"
        raise AssertionError(msg)
    good = np.flatnonzero(tets.state[: tets.count[0]] == GOOD)
    return _canonical(tets, good, order, images)


def _spatial_order(wrapped: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order particles so that neighbours are near in memory, too."""
    cells = np.maximum(1, np.rint((len(wrapped) / 8) ** (1 / 3)))
    at = np.clip(np.floor(wrapped @ np.linalg.inv(lattice) * cells), 0, cells - 1)
    return np.argsort((at[:, 0] * cells + at[:, 1]) * cells + at[:, 2], kind="stable")


def _expected(
    previous: Tetrahedra,
    order: NDArray[np.int64],
    places: NDArray[np.float64],
    edges: NDArray[np.float64],
) -> Known | None:
    """Take over other tetrahedra, each vertex in the image that is nearest to the first."""
    radius = _first_radius(places, edges)
    if heights(edges).min() <= 2 * radius or previous.vertices.max(initial=0) >= len(order):
        return None
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    vertex = rank[previous.vertices]
    fraction = places @ np.linalg.inv(edges)
    return vertex, _nearest_images(fraction, vertex)


@compiled
def _nearest_images(fraction: NDArray[np.float64], vertex: NDArray[np.int32]) -> NDArray[np.int32]:
    image = np.zeros(vertex.shape, np.int32)
    for t in range(len(vertex)):
        for k in range(1, 4):
            p, q = vertex[t, 0], vertex[t, k]
            for axis in range(3):
                apart = fraction[q, axis] - fraction[p, axis]
                image[t, k] = 1024 * image[t, k] - np.int32(np.rint(apart))
    return image


def _first_radius(places: NDArray[np.float64], edges: NDArray[np.float64]) -> float:
    return float(FIRST_RADIUS * np.cbrt(abs(np.linalg.det(edges)) / len(places)))


def _complete(
    places: NDArray[np.float64],
    edges: NDArray[np.float64],
    order: NDArray[np.int64],
    known: Known | None,
) -> Complex | None:
    """Complete all stars, looking around further and further; None if they don't fit together."""
    radius, width = _first_radius(places, edges), LINK_WIDTH
    tets = _complex(len(places), known)
    cells = _cells(places, edges, radius)
    room, link = _room(cells), _link(len(places), cells, width)
    around = empty_surroundings(len(cells.x) + 16)
    while True:
        before = tets.complete.sum()
        status = sweep(cells, radius, tets, around, link, room)
        if status == TWICE:
            first, second = sorted(order[room.met].tolist())
            msg = f"particles {first} and {second} are at the same place; each needs its own"
            raise ValueError(msg)
        if status == TORN:
            return None
        if status == FULL:
            tets = _doubled(tets)
        elif status == CROWDED:
            width *= 2
            if width > LARGEST_LINK:
                msg = (
                    f"particle {order[room.met[0]]} has more than {LARGEST_LINK // 2} neighbours; "
                    "is the box meant to be so empty?"
                )
                raise ValueError(msg)
            link = _link(len(places), cells, width)
        elif tets.complete.all():
            return tets
        elif tets.complete.sum() == before or not (tets.newest < 0).any():
            radius *= WIDER
            cells = _cells(places, edges, radius)
            room, link = _room(cells), _link(len(places), cells, width)
            around = empty_surroundings(len(cells.x) + 16)


def _cells(places: NDArray[np.float64], edges: NDArray[np.float64], radius: float) -> PaddedCells:
    cells = padded_cells(places, edges, radius)
    inner = cells.shape - 2 * cells.pad
    if (cells.pad > MOST_IMAGES * inner).any():
        ratio = heights(edges) / radius
        msg = (
            "the box is too empty or too elongated to be triangulated: its spheres span more "
            f"than {MOST_IMAGES} images; heights over diameters are {ratio.round(4).tolist()}"
        )
        raise ValueError(msg)
    return cells


def _complex(n: int, known: Known | None) -> Complex:
    """Make room for the tetrahedra of n particles, and list those that are to be tried."""
    capacity = int(PER_PARTICLE * n) + 64
    count = 0 if known is None else len(known[0])
    tets = Complex(
        vertex=np.empty((max(capacity, 2 * count), 4), np.int32),
        image=np.empty((max(capacity, 2 * count), 4), np.int32),
        state=np.empty(max(capacity, 2 * count), np.uint8),
        following=np.empty((max(capacity, 2 * count), 4), np.int32),
        newest=np.full(n, NONE, np.int32),
        complete=np.zeros(n, np.bool_),
        count=np.array([count, 0]),
    )
    if known is not None:
        tets.vertex[:count], tets.image[:count] = known
        tets.state[:count] = UNTRIED
        _enlist(tets)
    return tets


@compiled
def _enlist(tets: Complex) -> None:
    for t in range(tets.count[0] - 1, -1, -1):
        for k in range(4):
            vertex = tets.vertex[t, k]
            tets.following[t, k] = tets.newest[vertex]
            tets.newest[vertex] = 4 * t + k


def _doubled(tets: Complex) -> Complex:
    return tets._replace(
        vertex=np.concatenate([tets.vertex, np.empty_like(tets.vertex)]),
        image=np.concatenate([tets.image, np.empty_like(tets.image)]),
        state=np.concatenate([tets.state, np.empty_like(tets.state)]),
        following=np.concatenate([tets.following, np.empty_like(tets.following)]),
    )


def _room(cells: PaddedCells) -> Room:
    points = len(cells.x)
    return Room(np.empty(points + 1, np.uint32), np.empty(points), np.zeros(2, np.int64))


def _link(n: int, cells: PaddedCells, width: int) -> Link:
    points = len(cells.x) + 16
    return Link(
        local=np.full(n, NONE, np.int32),
        same=np.empty(points, np.int32),
        number=np.empty(points, np.int32),
        open=np.zeros((width, width), np.bool_),
        edge=np.empty((6 * width, 2), np.int32),
        count=np.zeros(2, np.int64),
    )


@compiled
def _fills(tets: Complex, places: NDArray[np.float64], edges: NDArray[np.float64]) -> bool:
    """Tell whether the volumes of the good tetrahedra add up to the box's."""
    total = 0.0
    side = np.empty((3, 3))
    for t in range(tets.count[0]):
        if tets.state[t] != GOOD:
            continue
        for k in range(3):
            code = np.int64(tets.image[t, k + 1]) - tets.image[t, 0]
            ix, iy, iz = _decoded(code)
            for axis in range(3):
                side[k, axis] = (
                    places[tets.vertex[t, k + 1], axis]
                    - places[tets.vertex[t, 0], axis]
                    + (ix * edges[0, axis] + iy * edges[1, axis] + iz * edges[2, axis])
                )
        total += _det(side)
    return abs(total / (6 * abs(_det(edges))) - 1) < 1e-6


@compiled
def _det(m: NDArray[np.float64]) -> float:
    """Determinant, six times the volume of a tetrahedron; written so that a box's is the same."""
    return (
        m[0, 0] * (m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1])
        - m[0, 1] * (m[1, 0] * m[2, 2] - m[1, 2] * m[2, 0])
        + m[0, 2] * (m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0])
    )


@compiled
def _decoded(image: int) -> tuple[int, int, int]:
    raised = image + 512 * (2**20 + 2**10 + 1)
    return (raised >> 20) - 512, ((raised >> 10) & 1023) - 512, (raised & 1023) - 512


def _canonical(
    tets: Complex, good: NDArray[np.int64], order: NDArray[np.int64], images: NDArray[np.int64]
) -> Tetrahedra:
    """Write tetrahedra in their final order, in terms of the particles as they were given."""
    vertex, image, spread = _named(tets.vertex, tets.image, good, order, images)
    if spread > np.iinfo(np.int8).max:
        msg = f"positions of neighbours are {spread} boxes apart; wrap them into the box"
        raise ValueError(msg)
    return Tetrahedra(vertex, image)


@compiled
def _named(
    vertex: NDArray[np.int32],
    image: NDArray[np.int32],
    good: NDArray[np.int64],
    order: NDArray[np.int64],
    images: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int8], int]:
    """Sort each tetrahedron's vertices, then the tetrahedra; also tell the largest image."""
    count, n = len(good), len(order)
    name, code, odd = np.empty((count, 4), np.int32), np.empty((count, 4), np.int32), good < 0
    first = np.zeros(n + 1, np.int64)
    key = np.empty(4, np.int64)
    for t in range(count):
        for k in range(4):
            new = (order[vertex[good[t], k]] << 32) + 2**31 + image[good[t], k]
            m = k
            while m > 0 and key[m - 1] > new:
                key[m] = key[m - 1]
                m -= 1
                odd[t] = not odd[t]
            key[m] = new
        for k in range(4):
            name[t, k] = key[k] >> 32
            code[t, k] = (key[k] & 0xFFFFFFFF) - (key[0] & 0xFFFFFFFF)
        first[name[t, 0] + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    place = _sorted(name, code, first)

    vertices, moved = np.empty((count, 4), np.int32), np.empty((count, 4, 3), np.int8)
    spread = 0
    for row in range(count):
        t = place[row]
        for k in range(4):
            to = 5 - k if odd[t] and k > 1 else k
            vertices[row, to] = name[t, k]
            ix, iy, iz = _decoded(np.int64(code[t, k]))
            p, q = name[t, 0], name[t, k]
            ix, iy, iz = (
                ix + images[p, 0] - images[q, 0],
                iy + images[p, 1] - images[q, 1],
                iz + images[p, 2] - images[q, 2],
            )
            moved[row, to, 0], moved[row, to, 1], moved[row, to, 2] = ix, iy, iz
            spread = max(spread, abs(ix), abs(iy), abs(iz))
    return vertices, moved, spread


@compiled
def _sorted(
    name: NDArray[np.int32], code: NDArray[np.int32], first: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Sort tetrahedra by their first vertex, and the few with the same by the others."""
    place = np.empty(len(name), np.int64)
    end = first.copy()
    for t in range(len(name)):
        v = name[t, 0]
        at = end[v]
        end[v] += 1
        while at > first[v] and _comes_before(name, code, t, place[at - 1]):
            place[at] = place[at - 1]
            at -= 1
        place[at] = t
    return place


@compiled
def _comes_before(name: NDArray[np.int32], code: NDArray[np.int32], s: int, t: int) -> bool:
    for k in range(1, 4):
        if name[s, k] != name[t, k]:
            return bool(name[s, k] < name[t, k])
    for k in range(1, 4):
        if code[s, k] != code[t, k]:
            return bool(code[s, k] < code[t, k])
    return False
