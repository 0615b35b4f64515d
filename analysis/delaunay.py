"""The Delaunay triangulation of a periodic box."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.apex import LANES, Around, empty_surroundings
from glasscreep.analysis.box import as_lattice, as_positions, heights, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.stars import (
    ACROSS,
    CROWDED,
    FULL,
    IMAGE,
    NONE,
    TWICE,
    VERTEX,
    Complex,
    Link,
    Room,
    locate,
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
    tets = _complete(places, edges, order)
    return _canonical(tets, order, images)


def _spatial_order(wrapped: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order particles so that neighbours are near in memory, too."""
    cells = np.maximum(1, np.rint((len(wrapped) / 8) ** (1 / 3)))
    at = np.clip(np.floor(wrapped @ np.linalg.inv(lattice) * cells), 0, cells - 1)
    return np.argsort((at[:, 0] * cells + at[:, 1]) * cells + at[:, 2], kind="stable")


def _complete(
    places: NDArray[np.float64], edges: NDArray[np.float64], order: NDArray[np.int64]
) -> Complex:
    """Complete all stars, looking around further and further."""
    n, width, first = len(places), LINK_WIDTH, 0
    radius = float(FIRST_RADIUS * np.cbrt(abs(np.linalg.det(edges)) / n))
    tets = _complex(n)
    cells = _cells(places, edges, radius)
    scratch = _scratch(n, cells, width)
    while True:
        before = tets.complete.sum()
        status = sweep(cells, radius, first, tets, *scratch)
        first = int(scratch[-1].met[0])
        if status == TWICE:
            names = sorted(order[scratch[-1].met].tolist())
            msg = f"particles {names[0]} and {names[1]} are at the same place; each needs its own"
            raise ValueError(msg)
        if status == FULL:
            tets = tets._replace(row=np.concatenate([tets.row, np.empty_like(tets.row)]))
        elif status == CROWDED:
            width *= 2
            if width > LARGEST_LINK:
                msg = (
                    f"particle {order[first]} has more than {LARGEST_LINK // 2} neighbours; "
                    "is the box meant to be so empty?"
                )
                raise ValueError(msg)
            scratch = _scratch(n, cells, width)
        elif tets.complete.all():
            return tets
        else:
            first = 0
            # Some may only have waited for a neighbour's tetrahedra.
            if tets.complete.sum() == before or tets.touched.all():
                radius *= WIDER
                cells = _cells(places, edges, radius)
                scratch = _scratch(n, cells, width)


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


def _complex(n: int) -> Complex:
    return Complex(
        row=np.empty((int(PER_PARTICLE * n) + 64, 16), np.int32),
        open=np.full(n, NONE, np.int32),
        touched=np.zeros(n, np.bool_),
        complete=np.zeros(n, np.bool_),
        count=np.zeros(1, np.int64),
    )


def _scratch(n: int, cells: PaddedCells, width: int) -> tuple[Around, Link, Room]:
    points = len(cells.x) + LANES
    link = Link(
        local=np.full(n, NONE, np.int32),
        same=np.empty(points, np.int32),
        number=np.empty(points, np.int32),
        facet=np.full((width, width), NONE, np.int32),
        edge=np.empty((6 * width, 2), np.int32),
        count=np.zeros(2, np.int64),
    )
    room = Room(
        point=np.empty(n, np.int64),
        cell=np.empty(n, np.int64),
        found=np.empty(points, np.uint32),
        squared=np.empty(points),
        met=np.zeros(2, np.int64),
    )
    locate(cells, room)
    return empty_surroundings(points), link, room


@compiled
def _decoded(image: int) -> tuple[int, int, int]:
    raised = image + 512 * (2**20 + 2**10 + 1)
    return (raised >> 20) - 512, ((raised >> 10) & 1023) - 512, (raised & 1023) - 512


def _canonical(tets: Complex, order: NDArray[np.int64], images: NDArray[np.int64]) -> Tetrahedra:
    """Write tetrahedra in their final order, in terms of the particles as they were given."""
    vertices, moved, across, spread = _named(tets.row[: tets.count[0]], order, images)
    if spread > np.iinfo(np.int8).max:
        msg = f"positions of neighbours are {spread} boxes apart; wrap them into the box"
        raise ValueError(msg)
    return Tetrahedra(vertices, moved, across)


@compiled
def _named(
    row: NDArray[np.int32], order: NDArray[np.int64], images: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int32], int]:
    """Sort each tetrahedron's vertices, then the tetrahedra; also tell the largest image."""
    count = len(row)
    name, code = np.empty((count, 4), np.int32), np.empty((count, 4), np.int32)
    slot = np.empty((count, 4), np.uint8)
    for t in range(count):
        odd = False
        for k in range(4):
            new, image = order[row[t, VERTEX + k]], row[t, IMAGE + k]
            m = k
            while m > 0 and (
                name[t, m - 1] > new or (name[t, m - 1] == new and code[t, m - 1] > image)
            ):
                name[t, m], code[t, m] = name[t, m - 1], code[t, m - 1]
                slot[t, m] = slot[t, m - 1]
                m -= 1
                odd = not odd
            name[t, m], code[t, m], slot[t, m] = new, image, k
        if odd:
            slot[t, 2], slot[t, 3] = slot[t, 3], slot[t, 2]
    place = _sorted(name, code, len(order))
    rank = np.empty(count, np.int32)
    for at in range(count):
        rank[place[at]] = at

    vertices, moved = np.empty((count, 4), np.int32), np.empty((count, 4, 3), np.int8)
    across = np.empty((count, 4), np.int32)
    spread = 0
    for at in range(count):
        t = place[at]
        p = order[row[t, VERTEX + slot[t, 0]]]
        here = np.int64(row[t, IMAGE + slot[t, 0]])
        for k in range(4):
            q = order[row[t, VERTEX + slot[t, k]]]
            ix, iy, iz = decoded(row[t, IMAGE + slot[t, k]] - here)
            ix += images[p, 0] - images[q, 0]
            iy += images[p, 1] - images[q, 1]
            iz += images[p, 2] - images[q, 2]
            spread = max(spread, abs(ix), abs(iy), abs(iz))
            vertices[at, k] = q
            moved[at, k, 0], moved[at, k, 1], moved[at, k, 2] = ix, iy, iz
            across[at, k] = rank[row[t, ACROSS + slot[t, k]] >> 2]
    return vertices, moved, across, spread


@compiled
def _sorted(name: NDArray[np.int32], code: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    """Sort tetrahedra by their vertices, then by their images."""
    count = len(name)
    place, other = np.arange(count), np.empty(count, np.int64)
    for k in range(3, -1, -1):  # by the last vertex first: each pass keeps what is equal in order
        end = np.zeros(n + 1, np.int64)
        for t in range(count):
            end[name[t, k] + 1] += 1
        for i in range(n):
            end[i + 1] += end[i]
        for at in range(count):
            v = name[place[at], k]
            other[end[v]] = place[at]
            end[v] += 1
        place, other = other, place
    for at in range(1, count):  # only in small boxes do several have the same vertices
        t, back = place[at], at
        while back > 0 and _is_same_but_later(name, code, place[back - 1], t):
            place[back] = place[back - 1]
            back -= 1
        place[back] = t
    return place


@compiled
def _is_same_but_later(name: NDArray[np.int32], code: NDArray[np.int32], s: int, t: int) -> bool:
    for k in range(4):
        if name[s, k] != name[t, k]:
            return False
    for k in range(1, 4):
        difference = (code[s, k] - code[s, 0]) - (code[t, k] - code[t, 0])
        if difference != 0:
            return bool(difference > 0)
    return False


@compiled
def decoded(image: int) -> tuple[int, int, int]:
    """Split the number of an image into the edges added."""
    raised = image + 512 * (2**20 + 2**10 + 1)
    return (raised >> 20) - 512, ((raised >> 10) & 1023) - 512, (raised & 1023) - 512
