"""The Delaunay triangulation of a periodic box."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, heights, inverse_of, wrap
from glasscreep.analysis.completing import (
    LINK_WIDTH,
    WIDER,
    cells_within,
    complete_stars,
    first_radius,
    scratch_for,
)
from glasscreep.analysis.degeneracy import any_on_a_sphere
from glasscreep.analysis.locality import spatial_order
from glasscreep.analysis.repair import check, cut_out, doubt, volume_of
from glasscreep.analysis.stars import DONE, sweep
from glasscreep.analysis.tetrahedra import Kept, Tetrahedra, in_order

GRID_BITS = 47
"""Positions are rounded to so many binary places of the box, so that differences are exact."""
MOST_WIDENINGS = 6
"""What a repair does not complete till then is begun anew."""
LEAST_KEPT = 0.5
"""Share of tetrahedra below which beginning anew is not slower than repairing."""


def delaunay(
    positions: ArrayLike, box: ArrayLike, previous: Tetrahedra | None = None
) -> Tetrahedra:
    """Triangulate a periodic set of points so that no point is inside a circumsphere.

    Positions and box are rounded to 2**-47 of the box's size, and the triangulation of these
    is exact. Where more than four points are on a sphere, the metric is changed infinitesimally
    (see `glasscreep.analysis.exact.sphere_side`), so that the triangulation is unique: it
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
    grid = on_grid(positions, box)
    if previous is not None:
        repaired = _repaired(previous, grid)
        if repaired is not None:
            return _decided(repaired, grid)
    found = find_tetrahedra(grid)
    return _decided(in_order(found.row, found.order, grid.images, found.may_be_degenerate), grid)


class Grid(NamedTuple):
    """A configuration rounded so that differences of positions are exact."""

    places: NDArray[np.float64]
    """(n, 3) positions in the box, whole numbers."""
    edges: NDArray[np.float64]
    """(3, 3) edge vectors of the box, whole numbers, one a row."""
    images: NDArray[np.int64]
    """(n, 3) edges of the box from each place to the position that was given."""


class Found(NamedTuple):
    """Tetrahedra of a grid as they were found."""

    row: NDArray[np.int32]
    """(m, 16) as in `glasscreep.analysis.stars.Complex`."""
    order: NDArray[np.int32]
    """(n,) what each particle of `row` is called outside."""
    may_be_degenerate: bool
    """Whether five points were found on one sphere, which need not be an empty one."""
    reach: float
    """No sphere has a larger diameter, in the units of the grid [length]."""


def on_grid(positions: ArrayLike, box: ArrayLike) -> Grid:
    """Round a configuration to `GRID_BITS` binary places of the box.

    Raises
    ------
    ValueError
        As `delaunay`.
    """
    position, lattice = as_positions(positions), as_lattice(box)
    if len(position) == 0:
        msg = "a triangulation needs at least one particle, got none"
        raise ValueError(msg)
    _, exponent = np.frexp(np.abs(lattice).sum(axis=0).max())
    position, lattice = np.ldexp(position, -exponent), np.ldexp(lattice, -exponent)
    wrapped, images = wrap(position, lattice)
    places, edges = np.ldexp(wrapped, GRID_BITS), np.ldexp(lattice, GRID_BITS)
    return Grid(np.rint(places, out=places), np.rint(edges), images)


def find_tetrahedra(grid: Grid) -> Found:
    """Triangulate a grid from nothing.

    Raises
    ------
    ValueError
        As `delaunay`.
    """
    places, edges, _ = grid
    order, rank = np.empty(len(places), np.int32), np.empty(len(places), np.int32)
    spatial_order(places, inverse_of(edges), len(places), order, rank)
    tets, ties, reach = complete_stars(places[order], edges, order, len(places))
    return Found(tets.row[: tets.size[0]], order, ties > 0, reach)


def _repaired(previous: Tetrahedra, grid: Grid) -> Tetrahedra | None:
    """Repair an earlier triangulation; None if that would not be faster, or does not succeed."""
    places, edges, images = grid
    n, smallest = len(places), heights(edges).min()
    radius = first_radius(places, edges)
    if smallest <= 4 * radius or previous.vertices.max(initial=0) >= n:
        return None  # the nearest image of a vertex need not be the right one
    near = min(1.5 * radius, smallest / 2)
    kept = _undecided(previous)
    p, q, r, s = previous.vertices.T
    total = (p + q) + (r + s)
    ties = check(kept, places, edges, inverse_of(edges), near, total)
    cells = cells_within(places, edges, radius)
    scratch, count = scratch_for(n, cells, LINK_WIDTH), len(kept.good)
    marks = np.empty(count, np.int32), np.zeros(count, np.bool_)
    if doubt(kept, cells, radius, *scratch, *marks) != DONE or kept.good.mean() < LEAST_KEPT:
        return None
    tets, origin = cut_out(kept, n)
    for _ in range(MOST_WIDENINGS):
        if sweep(cells, radius, 0, tets, *scratch) != DONE:
            return None
        ties += scratch[0].ties[0]
        if tets.complete.all():
            break
        radius *= WIDER
        cells = cells_within(places, edges, radius)
        scratch = scratch_for(n, cells, LINK_WIDTH)
    row = tets.row[: tets.size[0]]
    volume = kept.volume[kept.good].sum() + volume_of(row[len(origin) :], places, edges)
    if not tets.complete.all() or abs(volume / (6 * abs(np.linalg.det(edges))) - 1) > 1e-6:
        return None
    return in_order(row, np.arange(n, dtype=np.int32), images, bool(ties > 0), kept, origin)


def _decided(tetrahedra: Tetrahedra, grid: Grid) -> Tetrahedra:
    """Find out whether points that were met on one sphere are on one that is empty."""
    if not tetrahedra.is_degenerate:
        return tetrahedra
    vertices, images, across, _ = tetrahedra
    corners = grid.places[vertices] + (images + grid.images[vertices]) @ grid.edges
    return tetrahedra._replace(is_degenerate=bool(any_on_a_sphere(vertices, across, corners)))


def _undecided(previous: Tetrahedra) -> Kept:
    count = len(previous.vertices)
    image, good = np.empty((count, 4), np.int32), np.empty(count, np.bool_)
    return Kept(previous.vertices, image, previous.across, good, np.empty(count))
