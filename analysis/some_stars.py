"""The Delaunay tetrahedra around some particles and their neighbours, as among those of all.

What is known of a particle from its neighbours' tetrahedra needs no others. Found alone, they are
the same tetrahedra in the same order as among all, so that sums over them have the same bits
whatever else is asked for.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions, heights, inverse_of
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.completing import complete_stars
from glasscreep.analysis.tetrahedra import Tetrahedra, in_order
from glasscreep.analysis.triangulation import Grid, on_grid

FEW = 0.015
"""Share of the particles up to which their stars alone are found faster than all are repaired from
an earlier triangulation: of a glass, random ones and their neighbours are then a fifth of all."""
_MARGIN = 1 + 1e-6


class Stars(NamedTuple):
    """Tetrahedra around some particles of a larger configuration, in the order of `Tetrahedra`."""

    particles: NDArray[np.int64]
    """(p,) all that are corners, ascending."""
    vertices: NDArray[np.int32]
    """(m, 4) corners: places in `particles`."""
    images: NDArray[np.int8]
    """(m, 4, 3) edges of the box to add to each corner's given position; none for the first."""
    is_asked: NDArray[np.bool_]
    """(p,) whether a particle and its neighbours have all their tetrahedra here."""
    is_complete: NDArray[np.bool_]
    """(p,) whether a particle itself has."""
    positions: NDArray[np.float64]
    """(p, 3) of the corners, as they were given [length]."""
    lattice: NDArray[np.float64]
    """(3, 3) edges of the box as rows [length]."""
    n_all: int
    """Particles in the box."""

    def rows(self, only: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the places of particles that were asked for.

        Raises
        ------
        ValueError
            If one was not; it names the particle.
        """
        places = np.searchsorted(self.particles, only)
        known = np.zeros(len(only), np.bool_)
        there = places < len(self.particles)
        at = places[there]
        known[there] = (self.particles[at] == only[there]) & self.is_asked[at]
        if not known.all():
            msg = (
                f"the stars are of other particles: they were not asked for {only[~known][0]}; "
                "take the same `only` for both"
            )
            raise ValueError(msg)
        return places

    def demand_same(self, positions: NDArray[np.float64], lattice: NDArray[np.float64]) -> None:
        """Refuse a configuration other than that which the stars are of.

        Of particles that are no corners only the number is compared.

        Parameters
        ----------
        positions : (n, 3) float64
            Of all particles [length].
        lattice : (3, 3) float64
            Edges of the box as rows [length].

        Raises
        ------
        ValueError
            If it is another; it says in what.
        """
        if len(positions) != self.n_all:
            other = f"{self.n_all} particles, not of {len(positions)}"
        elif not np.array_equal(lattice, self.lattice):
            other = f"a box with edges {self.lattice.tolist()}, not {lattice.tolist()}"
        elif (moved := (positions[self.particles] != self.positions).any(axis=1)).any():
            at = int(np.argmax(moved))
            particle, was = self.particles[at], self.positions[at].tolist()
            other = f"particle {particle} at {was}, not at {positions[particle].tolist()}"
        else:
            return
        msg = f"the stars are of another configuration, of {other}; find them anew"
        raise ValueError(msg)


def delaunay_stars(positions: ArrayLike, box: ArrayLike, only: ArrayLike) -> Stars | None:
    """Find the tetrahedra around particles and around their neighbours, if these are few.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    only : (k,) int
        The particles.

    Returns
    -------
    Stars or None
        None where `glasscreep.analysis.triangulation.delaunay` of all is to be taken: so many are
        asked for that it is faster, or the box is so small or so unevenly filled that particles
        may be neighbours through two images. The latter is told from the whole configuration.

    Raises
    ------
    ValueError
        As `glasscreep.analysis.triangulation.delaunay`; but two particles at one place are only
        noticed near the particles. Or if a particle does not exist.
    """
    points = as_positions(positions)
    n = len(points)
    asked = _listed(as_particles(only, n), n)
    if not 0 < len(asked) <= FEW * n:
        return None
    grid = on_grid(points, box)
    if not _is_filled(grid):
        return None
    around = _listed(_tetrahedra(grid, asked).vertices, n)
    tetrahedra = _tetrahedra(grid, around)
    particles, place = _listed(tetrahedra.vertices, n), np.empty(n, np.int32)
    place[particles] = np.arange(len(particles))
    is_asked, is_complete = np.zeros((2, len(particles)), np.bool_)
    is_asked[place[asked]] = is_complete[place[around]] = True
    vertices, own = place[tetrahedra.vertices], (points[particles], as_lattice(box).copy(), n)
    return Stars(particles, vertices, tetrahedra.images, is_asked, is_complete, *own)


def _tetrahedra(grid: Grid, of: NDArray[np.int64]) -> Tetrahedra:
    """Complete the stars of some particles; what is across their outer facets is not known."""
    others = np.ones(len(grid.places), np.bool_)
    others[of] = False
    order = np.concatenate([of, np.flatnonzero(others)]).astype(np.int32)
    tets, ties, _ = complete_stars(grid.places[order], grid.edges, order, len(of))
    return in_order(tets.row[: tets.size[0]], order, grid.images, ties > 0)


def _listed(particles: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """List each particle that occurs, ascending."""
    occurs = np.zeros(n, np.bool_)
    occurs[particles] = True
    return np.flatnonzero(occurs)


def _is_filled(grid: Grid) -> bool:
    """Tell whether no edge of a tetrahedron is half as long as the box is high anywhere.

    The middle of an empty sphere is in a cell with a particle, so its radius is at most the
    cell's diagonal.
    """
    smallest = heights(grid.edges).min()
    lengths = np.sqrt((grid.edges**2).sum(axis=1))
    shape = np.ceil(4 * np.sqrt(3) * _MARGIN * lengths / smallest)
    while shape.prod() <= len(grid.places):
        if 4 * _MARGIN * _diagonal(grid.edges / shape[:, None]) < smallest:
            return _is_each_occupied(grid.places, inverse_of(grid.edges), shape.astype(np.int64))
        shape[np.argmax(lengths / shape)] += 1  # the box leans
    return False


def _diagonal(edges: NDArray[np.float64]) -> float:
    """Measure the longest diagonal of a parallelepiped."""
    signs = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]])
    return float(np.sqrt(((signs @ edges) ** 2).sum(axis=1)).max())


@compiled
def _is_each_occupied(
    places: NDArray[np.float64], inverse: NDArray[np.float64], shape: NDArray[np.int64]
) -> bool:
    """Tell whether each cell of a grid in the box has a particle."""
    left = shape[0] * shape[1] * shape[2]
    occupied = np.zeros(left, np.bool_)
    for i in range(len(places)):
        cell = 0
        for k in range(3):
            at = places[i, 0] * inverse[0, k]
            at += places[i, 1] * inverse[1, k] + places[i, 2] * inverse[2, k]
            cell = cell * shape[k] + min(max(int(at * shape[k]), 0), shape[k] - 1)
        left -= not occupied[cell]
        occupied[cell] = True
        if left == 0:
            return True
    return False
