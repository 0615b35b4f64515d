"""Sixty numbers for the free space around each particle."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions, heights
from glasscreep.analysis.face_cut import cut_small_faces
from glasscreep.analysis.hull import hull_cells
from glasscreep.analysis.interstice_elements import free_elements
from glasscreep.analysis.interstice_presets import (
    FEATURES,
    SHORT_RANGE,
    IntersticePreset,
    choose,
)
from glasscreep.analysis.interstice_statistics import distances, over_neighbors, sizes
from glasscreep.analysis.locality import renumber, spatial_order
from glasscreep.analysis.species import as_species
from glasscreep.analysis.surroundings import most_bonds, neighbors, stars
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay

Cells = tuple[NDArray[np.int32], NDArray[np.int8]]

_SAME = 1e-6
"""Volumes that differ by less than this part are taken as the same."""
_BLOCK = 512
"""Particles whose hulls are in memory at a time."""


def interstice_features(
    positions: ArrayLike,
    box: ArrayLike,
    species: ArrayLike,
    preset: str | IntersticePreset = "wu2023",
    *,
    cells: str | None = None,
    triangles: str | None = None,
    measure: str | None = None,
    clip: bool | None = None,
    radii: ArrayLike | None = None,
    face_cut: float | None = None,
    ddof: int | None = None,
    tetrahedra: Tetrahedra | None = None,
) -> NDArray[np.float64]:
    r"""Measure the space that spheres leave free around each particle.

    With each Voronoi neighbour a particle has a free distance, with pairs of them free areas,
    and with triples free volumes: what of a bond, a triangle and a tetrahedron is outside the
    spheres around its corners. With distances :math:`d`, areas :math:`S` with angles
    :math:`\theta_k`, and volumes :math:`V` with solid angles :math:`\Omega_k`,

    .. math::
        D = d - r_i - r_j, \qquad
        A = S - \sum_k \frac{\theta_k}{2} r_k^2, \qquad
        V = V - \sum_k \frac{\Omega_k}{3} r_k^3 ,

    or these over :math:`r_i + r_j`, :math:`S` and :math:`V` as fractions. The features are
    their mean, maximum, minimum and standard deviation over what surrounds the particle, and
    the same statistics of each of these twelve over its neighbours, itself excluded.

    Each image of a particle is a neighbour of its own: in a box of few particles one may be a
    neighbour several times, and of itself.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    species : (n,) int
        Of each particle, from 1.
    preset : str or IntersticePreset
        ``"wu2023"``, ``"amlearn"`` or a preset of your own.
    cells, triangles, measure, clip, radii, face_cut, ddof : optional
        Fields of `IntersticePreset`, where they are to differ from the preset.
    tetrahedra : Tetrahedra, optional
        What `delaunay` returns for these positions and this box, if it is known.

    Returns
    -------
    (n, 60) float64
        One column for each of `FEATURES` [length], [length**2], [length**3] by the letter D, A
        or V; no dimensions as fractions. 0 over an empty set, such as the facets of the hull of
        three neighbours. ``nan`` where a fraction is one of a triangle or tetrahedron without
        size, as exact lattices may have, or where ``ddof`` leaves nothing to divide by.

    Raises
    ------
    ValueError
        If a shape, position, box, species, preset or switch is not allowed, or the tetrahedra
        are of other particles.

    References
    ----------
    Y. Wu and L. Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023), section 2.3.3;
    Q. Wang and A. Jain, Nat. Commun. 10, 5537 (2019).
    """
    switches = {
        "cells": cells,
        "triangles": triangles,
        "measure": measure,
        "clip": clip,
        "radii": radii,
        "face_cut": face_cut,
        "ddof": ddof,
    }
    chosen = choose(preset, switches)
    positions, lattice = as_positions(positions), as_lattice(box)
    kind = as_species(species, len(positions), len(chosen.radii))
    if tetrahedra is None:
        tetrahedra = delaunay(positions, lattice)
    corners = _check(tetrahedra, len(positions))
    points = np.column_stack([positions, np.take(chosen.radii, kind - 1)])
    return _features(points, lattice, corners, chosen)


def _check(tetrahedra: Tetrahedra, n: int) -> Cells:
    vertices = np.require(tetrahedra.vertices, np.int32, ("C", "W"))
    images = np.require(tetrahedra.images, np.int8, ("C", "W"))
    if vertices.shape[1:] != (4,) or images.shape != (*vertices.shape, 3):
        msg = (
            "tetrahedra must have vertices (m, 4) and images (m, 4, 3), "
            f"got {vertices.shape} and {images.shape}"
        )
        raise ValueError(msg)
    if len(vertices) and not (vertices.min() >= 0 and vertices.max() < n):
        msg = (
            f"tetrahedra must be of the {n} particles given, "
            f"got particles {vertices.min()} to {vertices.max()}"
        )
        raise ValueError(msg)
    return vertices, images


def _features(
    points: NDArray[np.float64],
    lattice: NDArray[np.float64],
    corners: Cells,
    chosen: IntersticePreset,
) -> NDArray[np.float64]:
    """Compute the features of points with radii."""
    n, m = len(points), len(corners[0])
    fraction, facet = chosen.measure == "fraction", chosen.triangles == "facet"
    free, table, local, first, indptr, corner, indices, vertices, images, number, rank = _room(
        ((m, 5), np.float64),
        ((n, len(SHORT_RANGE)), np.float64),
        ((n, 4), np.float64),
        ((n + 2,), np.int64),
        ((n + 1,), np.int64),
        ((4 * m,), np.uint32),
        ((most_bonds(n, m),), np.int32),
        ((m, 4), np.int32),
        ((m, 4, 3), np.int8),
        ((n,), np.int32),
        ((n,), np.int32),
    )
    inverse = np.asarray(np.linalg.inv(lattice), np.float64)
    spatial_order(points, inverse, number, rank)
    np.take(points, number, axis=0, out=local)
    if not renumber(*corners, number, rank, vertices, images):
        msg = "tetrahedra must be sorted by their first vertex, as delaunay returns them"
        raise ValueError(msg)
    longest, volume = free_elements(local, vertices, images, lattice, fraction, chosen.clip, free)
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
        return _features(*repeated, chosen)[:: copies.prod()].copy()

    stars(vertices, first, corner)
    first = first[:-1]
    neighbors(vertices, first, corner, indptr, indices)
    if chosen.face_cut > 0:
        around = vertices, images, lattice, first, corner
        cut_small_faces(local, *around, number, rank, indptr, indices, chosen.face_cut)
    distances(local, lattice, inverse, longest, indptr, indices, fraction, chosen.ddof, table)
    if chosen.cells == "delaunay":
        sizes(free.reshape(-1), first, corner, facet, chosen.ddof, table, 0)
    else:
        _hull_sizes(local, lattice, inverse, indptr, indices, chosen, table)
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
