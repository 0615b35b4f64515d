"""Features of particles with radii, given their tetrahedra: of all of a box, or of some."""

from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.box import heights, inverse_of
from glasscreep.analysis.face_cut import cut_small_faces
from glasscreep.analysis.hull import hull_cells
from glasscreep.analysis.interstice_elements import free_elements
from glasscreep.analysis.interstice_presets import FEATURES, SHORT_RANGE, IntersticePreset
from glasscreep.analysis.interstice_statistics import distances, over_neighbors, sizes
from glasscreep.analysis.locality import renumber, spatial_order
from glasscreep.analysis.surroundings import most_bonds, neighbors, stars

Cells = tuple[NDArray[np.int32], NDArray[np.int8]]

_SAME = 1e-6
"""Volumes that differ by less than this part are taken as the same."""
_BLOCK = 512
"""Particles whose hulls are in memory at a time."""


class _Elements(NamedTuple):
    """Particles and tetrahedra in spatial order, and room for what is computed of them."""

    free: NDArray[np.float64]
    """(m, 5) what is free of each tetrahedron and its faces."""
    table: NDArray[np.float64]
    """(n, 12) short-range features."""
    points: NDArray[np.float64]
    """(n, 4) position and radius [length]."""
    first: NDArray[np.int64]
    """(n + 3,) where the tetrahedra around each particle start in `corner`."""
    indptr: NDArray[np.int64]
    """(n + 1,) where its neighbours start in `indices`."""
    corner: NDArray[np.uint32]
    """(4 m,) as `glasscreep.analysis.surroundings.stars` lists them."""
    indices: NDArray[np.int32]
    """(most_bonds(n, m),) neighbours."""
    vertices: NDArray[np.int32]
    """(m, 4) particle at each corner."""
    images: NDArray[np.int8]
    """(m, 4, 3) edges of the box to add to its position."""
    number: NDArray[np.int32]
    """(n,) what each particle was called before."""
    rank: NDArray[np.int32]
    """(n,) what each is called here."""


def features_of(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    corners: Cells,
    chosen: IntersticePreset,
) -> NDArray[np.float64]:
    """Compute the features of all particles of a box.

    Parameters
    ----------
    points : (n, 4) float64
        Position and radius of each particle [length].
    lattice : (3, 3) float64
        Edge vectors of the box, one a row [length].
    corners : (m, 4) int32 and (m, 4, 3) int8
        Delaunay tetrahedra: particles, and edges of the box to add to their positions; sorted by
        the first particle.
    chosen : IntersticePreset
        What the features are.

    Returns
    -------
    (n, 60) float64

    Raises
    ------
    ValueError
        If the tetrahedra are not sorted, or do not fill the box.
    """
    elements, longest, volume = _measure(points, lattice, corners, chosen, len(points))
    whole = abs(np.linalg.det(lattice))
    if not abs(volume - whole) < _SAME * whole:
        msg = (
            f"tetrahedra must fill the box, but they have a volume of {volume:.6g} and it one of "
            f"{whole:.6g}; are they of other positions?"
        )
        raise ValueError(msg)
    copies = np.floor(2 * longest / heights(lattice)).astype(int) + 1
    if (copies > 1).any():
        repeated = _repeat(points, lattice, corners, copies)
        return features_of(*repeated, chosen)[:: copies.prod()].copy()
    stars(elements.vertices, elements.first, elements.corner)
    return _statistics(elements, lattice, longest, chosen)


def features_of_some(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    corners: Cells,
    is_complete: NDArray[np.bool_],
    n_all: int,
    chosen: IntersticePreset,
) -> NDArray[np.float64]:
    """Compute the features of some particles of a box, bit by bit as `features_of` does.

    Parameters
    ----------
    points, lattice, corners, chosen
        As for `features_of`, of the corners alone. No two are neighbours through two images.
    is_complete : (n,) bool
        Whether the tetrahedra around a particle are all there.
    n_all : int
        Particles in the box.

    Returns
    -------
    (n, 60) float64
        Of particles that are complete, and whose neighbours are; other rows mean nothing.
    """
    elements, longest, _ = _measure(points, lattice, corners, chosen, n_all)
    # Those that are not complete share one list behind the others, which nothing is read from.
    last = np.int32(len(points))
    listed = np.where(is_complete[elements.number], np.arange(last, dtype=np.int32), last)
    stars(listed[elements.vertices], elements.first, elements.corner)
    return _statistics(elements, lattice, longest, chosen)


def _measure(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    corners: Cells,
    chosen: IntersticePreset,
    n_all: int,
) -> tuple[_Elements, float, float]:
    """Measure what is free of tetrahedra, in spatial order; also their longest edge and volume."""
    n, m = len(points), len(corners[0])
    room = _room(
        ((m, 5), np.float64),
        ((n, len(SHORT_RANGE)), np.float64),
        ((n, 4), np.float64),
        ((n + 3,), np.int64),
        ((n + 1,), np.int64),
        ((4 * m,), np.uint32),
        ((most_bonds(n, m),), np.int32),
        ((m, 4), np.int32),
        ((m, 4, 3), np.int8),
        ((n,), np.int32),
        ((n,), np.int32),
    )
    made = _Elements(*room)
    spatial_order(points, inverse_of(lattice), n_all, made.number, made.rank)
    np.take(points, made.number, axis=0, out=made.points)
    if not renumber(*corners, made.number, made.rank, made.vertices, made.images):
        msg = "tetrahedra must be sorted by their first vertex, as delaunay returns them"
        raise ValueError(msg)
    how = chosen.measure == "fraction", chosen.clip
    longest, volume = free_elements(
        made.points, made.vertices, made.images, lattice, *how, made.free
    )
    return made, longest, volume


def _statistics(
    elements: _Elements, lattice: NDArray[np.float64], longest: float, chosen: IntersticePreset
) -> NDArray[np.float64]:
    """Write the features of particles whose tetrahedra are listed."""
    free, table, points, _, indptr, corner, indices, vertices, images, number, rank = elements
    inverse, n = inverse_of(lattice), len(points)
    first = elements.first[: n + 1]
    neighbors(vertices, first, corner, indptr, indices)
    if chosen.face_cut > 0:
        around = vertices, images, lattice, first, corner
        cut_small_faces(points, *around, number, rank, indptr, indices, chosen.face_cut)
    fraction, facet = chosen.measure == "fraction", chosen.triangles == "facet"
    distances(points, lattice, inverse, longest, indptr, indices, fraction, chosen.ddof, table)
    if chosen.cells == "delaunay":
        sizes(free.reshape(-1), first, corner, facet, chosen.ddof, table, 0)
    else:
        _hull_sizes(points, lattice, inverse, indptr, indices, chosen, table)
    features = np.empty((n, len(FEATURES)))
    over_neighbors(table.reshape(-1), indptr, indices, chosen.ddof, number, features)
    return features


def _hull_sizes(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    inverse: NDArray[np.float64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    chosen: IntersticePreset,
    table: NDArray[np.float64],
) -> None:
    """Write the statistics of free areas and volumes in hulls, some particles at a time."""
    fraction, facet = chosen.measure == "fraction", chosen.triangles == "facet"
    for start in range(0, len(points), _BLOCK):
        stop = min(start + _BLOCK, len(points))
        vertices, images, first = hull_cells(points, lattice, inverse, indptr, indices, start, stop)
        free = np.empty((len(vertices), 5))
        free_elements(points, vertices, images, lattice, fraction, chosen.clip, free)
        corner = np.arange(0, vertices.size, 4, dtype=np.uint32)
        sizes(free.reshape(-1), first, corner, facet, chosen.ddof, table, start)


def _room(*wanted: tuple[tuple[int, ...], type]) -> list[NDArray[Any]]:
    """Make arrays in one stretch of memory.

    Of several megabytes numpy asks for large pages; a third of the time goes to small ones.
    """
    types = [np.dtype(kind) for _, kind in wanted]
    n_bytes = [
        8 * -(-prod(of) * kind.itemsize // 8) for (of, _), kind in zip(wanted, types, strict=True)
    ]
    ends = np.cumsum(n_bytes)
    memory = np.split(np.empty(ends[-1], np.uint8), ends[:-1])
    return [
        part[: prod(shape) * kind.itemsize].view(kind).reshape(shape)
        for part, kind, (shape, _) in zip(memory, types, wanted, strict=True)
    ]


def _repeat(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    corners: Cells,
    copies: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], Cells]:
    """Repeat a box, so that no two particles are neighbours through two images.

    The copies of a particle follow each other, the given one first.
    """
    cells = np.array(list(product(*map(range, copies))))
    repeated = np.repeat(points, len(cells), axis=0)
    repeated[:, :3] += np.tile(cells @ lattice, (len(points), 1))
    cell = cells[:, None, :] + corners[1][:, None, :, :]
    images, cell = np.divmod(cell, copies)
    vertices = corners[0][:, None, :] * len(cells) + np.ravel_multi_index(
        tuple(np.moveaxis(cell, -1, 0)), tuple(copies)
    )
    vertices, images = vertices.reshape(-1, 4), images.reshape(-1, 4, 3)
    order = np.argsort(vertices[:, 0])
    sorted_corners = vertices[order].astype(np.int32), images[order].astype(np.int8)
    return repeated, lattice * copies[:, None], sorted_corners
