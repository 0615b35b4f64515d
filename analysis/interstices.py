"""Sixty numbers for the free space around each particle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.free_space import Cells, features_of, features_of_some
from glasscreep.analysis.interstice_presets import IntersticePreset, choose
from glasscreep.analysis.some_stars import Stars, delaunay_stars
from glasscreep.analysis.species import as_species
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay


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
    tetrahedra: Tetrahedra | Stars | None = None,
    only: ArrayLike | None = None,
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
    tetrahedra : Tetrahedra or Stars, optional
        What `delaunay` returns for these positions and this box, if it is known; or
        `delaunay_stars` for these and the same `only`.
    only : (k,) int, optional
        Particles to do; by default all, in their order. Which others are done does not change
        a bit.

    Returns
    -------
    (n, 60) or (k, 60) float64
        One column for each of `FEATURES` [length], [length**2], [length**3] by the letter D, A
        or V; no dimensions as fractions. 0 over an empty set, such as the facets of the hull of
        three neighbours. ``nan`` where a fraction is one of a triangle or tetrahedron without
        size, as exact lattices may have, or where ``ddof`` leaves nothing to divide by.

    Raises
    ------
    ValueError
        If a shape, position, box, species, preset, switch or particle is not allowed, or the
        tetrahedra are of other particles or, as stars, of another configuration.

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
    rows = as_particles(only, len(positions))
    if tetrahedra is None and only is not None:
        tetrahedra = delaunay_stars(positions, lattice, rows)
    if tetrahedra is None:
        tetrahedra = delaunay(positions, lattice)
    points = np.column_stack([positions, np.take(chosen.radii, kind - 1)])
    if isinstance(tetrahedra, Stars):
        tetrahedra.demand_same(positions, lattice)
        rows, points = tetrahedra.rows(rows), points[tetrahedra.particles]
        corners, complete = _check(tetrahedra, len(points)), tetrahedra.is_complete
        features = features_of_some(points, lattice, corners, complete, len(positions), chosen)
    else:
        features = features_of(points, lattice, _check(tetrahedra, len(points)), chosen)
    return features if only is None else features[rows]


def _check(tetrahedra: Tetrahedra | Stars, n: int) -> Cells:
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
