"""Completing the stars of a configuration, looking around as far as it takes."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.apex import LANES, NONE, Around, empty_surroundings
from glasscreep.analysis.box import heights
from glasscreep.analysis.neighbors import PaddedCells, padded_cells
from glasscreep.analysis.particle_errors import ParticleError
from glasscreep.analysis.stars import CROWDED, DONE, FULL, TWICE, Complex, sweep
from glasscreep.analysis.vicinity import Link, Room, locate

MOST_IMAGES = 6
"""As many boxes away, and in as many copies, coordinates are still exact in 53 bits."""
FIRST_RADIUS = 2.0
"""How far is looked at first, in edges of the cube that a particle has for itself."""
WIDER = 1.4
PER_PARTICLE = 7.5
"""Tetrahedra per particle that there is room for at first: random points have 6.77."""
LINK_WIDTH = 64
LARGEST_LINK = 2**14


def complete_stars(
    places: NDArray[np.float64],
    edges: NDArray[np.float64],
    order: NDArray[np.int32],
    count: int,
) -> tuple[Complex, int, float]:
    """Complete the stars of the first particles, or of all, looking further and further.

    Whichever stars are asked for, they are those of the whole configuration: every sphere is
    found empty of all particles.

    Parameters
    ----------
    places : (n, 3) float64
        Positions in the box, whole numbers [length].
    edges : (3, 3) float64
        Edge vectors of the box, whole numbers, one a row [length].
    order : (n,) int32
        What each particle is called outside.
    count : int
        How many stars: all, or of fewer than all at least one.

    Returns
    -------
    tets : Complex
        Of which each tetrahedron belongs to one of the stars, at least.
    ties : int
        How often five points were on one sphere.
    radius : float
        How far was looked: no sphere has a larger diameter [length].

    Raises
    ------
    ValueError
        As `glasscreep.analysis.triangulation.delaunay`.
    """
    radius, width, first, ties = first_radius(places, edges), LINK_WIDTH, 0, 0
    tets = _room_for(len(places), count)
    cells = cells_within(places, edges, radius)
    scratch = scratch_for(len(places), cells, width)
    while True:
        before = tets.complete.sum()
        status = sweep(cells, radius, first, tets, *scratch)
        ties += int(scratch[0].ties[0])
        met = order[scratch[-1].met].tolist()
        first = int(scratch[-1].met[0]) if status != DONE else 0
        if status == TWICE:
            msg = "particles {} and {} are at one place; each needs its own"
            raise ParticleError(msg, min(met), max(met))
        if status == FULL:
            tets = tets._replace(row=np.concatenate([tets.row, np.empty_like(tets.row)]))
        elif status == CROWDED:
            width *= 2
            if width > LARGEST_LINK:
                most = LARGEST_LINK // 2
                msg = f"particle {{}} has more than {most} neighbours; is the box so empty?"
                raise ParticleError(msg, met[0])
            scratch = scratch_for(len(places), cells, width)
        elif tets.complete.all():
            return tets, ties, radius
        elif tets.complete.sum() == before or tets.touched[:count].all():
            radius *= WIDER  # else some may only have waited for a neighbour's tetrahedra
            cells = cells_within(places, edges, radius)
            scratch = scratch_for(len(places), cells, width)


def first_radius(places: NDArray[np.float64], edges: NDArray[np.float64]) -> float:
    """Choose how far to look at first [length]."""
    return float(FIRST_RADIUS * np.cbrt(abs(np.linalg.det(edges)) / len(places)))


def cells_within(
    places: NDArray[np.float64], edges: NDArray[np.float64], radius: float
) -> PaddedCells:
    """Sort particles into cells for looking as far as a radius.

    Raises
    ------
    ValueError
        If that spans more than `MOST_IMAGES` images of the box.
    """
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


def _room_for(n: int, count: int) -> Complex:
    return Complex(
        row=np.empty((int(PER_PARTICLE * count) + 64, 16), np.int32),
        open=np.full(count, NONE, np.int32),
        touched=np.zeros(n, np.bool_),
        complete=np.zeros(count, np.bool_),
        size=np.zeros(1, np.int64),
    )


def scratch_for(n: int, cells: PaddedCells, width: int) -> tuple[Around, Link, Room]:
    """Make what a sweep needs besides, for so many particles and neighbours of one."""
    points = len(cells.x) + LANES
    link = Link(
        local=np.full(n, NONE, np.int32),
        same=np.empty(points, np.int32),
        number=np.empty(points, np.int32),
        facet=np.full((width, width), NONE, np.int32),
        edge=np.empty((6 * width, 2), np.int64),
        used=np.zeros(2, np.int64),
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
