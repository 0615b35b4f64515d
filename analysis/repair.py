"""Repairing the triangulation of one configuration so that it is that of another.

Where every facet is locally Delaunay in a complex of positive tetrahedra that fill the torus once,
the complex is the Delaunay triangulation. So tetrahedra of an earlier configuration are kept where
they and their facets still are so; the others are taken out, and the facets around the holes are
completed with tetrahedra whose spheres are empty. That everything fits in the end is checked.
"""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.apex import EPSILON, NONE, Around, is_delaunay
from glasscreep.analysis.compiled import compiled, compiled_without_memory
from glasscreep.analysis.exact import (
    INSIDE,
    ON_INSIDE,
    ON_OUTSIDE,
    orientation,
    sphere_side,
)
from glasscreep.analysis.neighbors import PaddedCells, decoded
from glasscreep.analysis.stars import ACROSS, DONE, IMAGE, TWICE, VERTEX, Complex, wait
from glasscreep.analysis.tetrahedra import Kept
from glasscreep.analysis.vectors import Vector
from glasscreep.analysis.vicinity import Link, Room, find, forget, index, look_around

_VOLUME_ERROR = 64 * EPSILON
_SPHERE_ERROR = 2048 * EPSILON
"""Bounds on the errors of orientation and of the power of a point, for vectors no longer than 1;
several times what their operations amount to."""


@compiled_without_memory
def check(
    kept: Kept,
    places: NDArray[np.float64],
    edges: NDArray[np.float64],
    inverse: NDArray[np.float64],
    near: float,
    total: NDArray[np.int32],
) -> int:
    """Find the tetrahedra that are still positive, and whose facets are all still Delaunay.

    Parameters
    ----------
    kept : Kept
        Its vertices and what is across are given, the rest is written.
    places : (n, 3) float64
        Positions, whole numbers [length].
    edges, inverse : (3, 3) float64
        Edge vectors of the box, whole numbers, one a row [length], and their inverse.
    near : float
        Vectors shorter than this are the shortest among all images; nearly all are [length].
    total : (m,) int32
        Sum of the vertices of each tetrahedron.

    Returns
    -------
    int
        How often five particles are on one sphere.
    """
    ties = 0
    vertex, image, across, good, volume = kept
    good[:] = True
    limit = near * near
    volume_error, sphere_error = _VOLUME_ERROR * near**3, _SPHERE_ERROR * near**5
    for t in range(len(vertex)):
        first = vertex[t, 0]
        x_0, y_0, z_0 = places[first, 0], places[first, 1], places[first, 2]
        i_b, i_c, i_d = vertex[t, 1], vertex[t, 2], vertex[t, 3]
        x_b, y_b, z_b = places[i_b, 0] - x_0, places[i_b, 1] - y_0, places[i_b, 2] - z_0
        x_c, y_c, z_c = places[i_c, 0] - x_0, places[i_c, 1] - y_0, places[i_c, 2] - z_0
        x_d, y_d, z_d = places[i_d, 0] - x_0, places[i_d, 1] - y_0, places[i_d, 2] - z_0
        image[t, 0] = image[t, 1] = image[t, 2] = image[t, 3] = 0
        if x_b * x_b + y_b * y_b + z_b * z_b > limit:
            (x_b, y_b, z_b), image[t, 1] = _nearest(x_b, y_b, z_b, edges, inverse)
        if x_c * x_c + y_c * y_c + z_c * z_c > limit:
            (x_c, y_c, z_c), image[t, 2] = _nearest(x_c, y_c, z_c, edges, inverse)
        if x_d * x_d + y_d * y_d + z_d * z_d > limit:
            (x_d, y_d, z_d), image[t, 3] = _nearest(x_d, y_d, z_d, edges, inverse)
        b, c, d = (x_b, y_b, z_b), (x_c, y_c, z_c), (x_d, y_d, z_d)
        p_x, p_y, p_z = y_c * z_d - z_c * y_d, z_c * x_d - x_c * z_d, x_c * y_d - y_c * x_d
        bb = x_b * x_b + y_b * y_b + z_b * z_b
        cc = x_c * x_c + y_c * y_c + z_c * z_c
        dd = x_d * x_d + y_d * y_d + z_d * z_d
        is_small = bb < limit and cc < limit and dd < limit
        volume[t] = x_b * p_x + y_b * p_y + z_b * p_z
        if not (is_small and volume[t] > volume_error) and orientation(b, c, d) <= 0:
            good[t] = False
        c_x = bb * p_x + cc * (y_d * z_b - z_d * y_b) + dd * (y_b * z_c - z_b * y_c)
        c_y = bb * p_y + cc * (z_d * x_b - x_d * z_b) + dd * (z_b * x_c - x_b * z_c)
        c_z = bb * p_z + cc * (x_d * y_b - y_d * x_b) + dd * (x_b * y_c - y_b * x_c)
        for k in range(4):
            other = across[t, k]
            if other <= t:
                continue
            # Two neighbours have all vertices but one in common.
            e = total[other] - total[t] + vertex[t, k]
            if not 0 <= e < len(places):
                good[t] = good[other] = False
                continue
            x, y, z = places[e, 0] - x_0, places[e, 1] - y_0, places[e, 2] - z_0
            square = x * x + y * y + z * z
            if square > limit:
                (x, y, z), _ = _nearest(x, y, z, edges, inverse)
                square = x * x + y * y + z * z
            power = volume[t] * square - (c_x * x + c_y * y + c_z * z)
            if is_small and square < limit and abs(power) > sphere_error:
                conflict = power < 0
            else:
                side = sphere_side(b, c, d, (x, y, z))
                conflict = side in (INSIDE, ON_INSIDE)
                ties += side in (ON_INSIDE, ON_OUTSIDE)
            if conflict:
                good[t] = good[other] = False
    return ties


@compiled_without_memory
def doubt(
    kept: Kept,
    cells: PaddedCells,
    radius: float,
    around: Around,
    link: Link,
    room: Room,
    stack: NDArray[np.int32],
    tried: NDArray[np.bool_],
) -> int:
    """Take out what is next to a hole and has a particle in its sphere, until nothing has.

    Parameters
    ----------
    kept : Kept
        `good` is changed.
    cells, radius, around, link, room
        As for `glasscreep.analysis.stars.sweep`.
    stack : (m,) int32
        Scratch.
    tried : (m,) bool
        Scratch, nothing true.

    Returns
    -------
    int
        `DONE`; or `TWICE`, if two particles are at one place.
    """
    height = 0
    for t in range(len(kept.good) - 1, -1, -1):
        if kept.good[t] and _is_at_hole(kept, t):
            stack[height], tried[t] = t, True
            height += 1
    present, n = NONE, 0
    while height > 0:
        height -= 1
        t = stack[height]
        if kept.vertex[t, 0] != present:
            if present != NONE:
                forget(n, around, link)
            present = int(kept.vertex[t, 0])
            n = look_around(cells, present, radius, around, room)
            if n < 0:
                return TWICE
            index(around, n, link)
        b = find(kept.vertex[t, 1], kept.image[t, 1], around, link)
        c = find(kept.vertex[t, 2], kept.image[t, 2], around, link)
        d = find(kept.vertex[t, 3], kept.image[t, 3], around, link)
        if b < 0 or c < 0 or d < 0 or not is_delaunay(around, n, b, c, d, radius):
            kept.good[t] = False
            for k in range(4):
                other = kept.across[t, k]
                if kept.good[other] and not tried[other]:
                    tried[other] = True
                    stack[height] = other
                    height += 1
    if present != NONE:
        forget(n, around, link)
    return DONE


@compiled_without_memory
def _is_at_hole(kept: Kept, t: int) -> bool:
    return not (
        kept.good[kept.across[t, 0]]
        and kept.good[kept.across[t, 1]]
        and kept.good[kept.across[t, 2]]
        and kept.good[kept.across[t, 3]]
    )


@compiled
def cut_out(kept: Kept, n: int) -> tuple[Complex, NDArray[np.int32]]:
    """Open the facets around the holes.

    Parameters
    ----------
    kept : Kept
        Of which something is good.
    n : int
        Number of particles.

    Returns
    -------
    Complex
        The tetrahedra around the holes; there is room for twice as many as were taken out.
    (count,) int32
        Which of the kept each is.
    """
    count = len(kept.good)
    border, bad = 0, 0
    for t in range(count):
        if not kept.good[t]:
            bad += 1
            for k in range(4):
                border += kept.good[kept.across[t, k]]
    row = np.empty((border + 2 * bad + 64, 16), np.int32)
    touched, complete = np.zeros(n, np.bool_), np.ones(n, np.bool_)
    tets = Complex(row, np.full(n, NONE, np.int32), touched, complete, np.zeros(1, np.int64))
    origin = np.empty(border, np.int32)
    for t in range(count):
        mark = touched if kept.good[t] else complete
        for k in range(4):
            mark[kept.vertex[t, k]] = kept.good[t]
        if kept.good[t] and _is_at_hole(kept, t):
            r = tets.size[0]
            tets.size[0] += 1
            origin[r] = t
            for k in range(4):
                row[r, VERTEX + k], row[r, IMAGE + k] = kept.vertex[t, k], kept.image[t, k]
                row[r, ACROSS + k] = NONE
            for k in range(4):
                if not kept.good[kept.across[t, k]]:
                    wait(4 * r + k, -1, tets)
    return tets, origin[: tets.size[0]]


@compiled
def volume_of(
    row: NDArray[np.int32], places: NDArray[np.float64], edges: NDArray[np.float64]
) -> float:
    """Sum up six times the volumes of tetrahedra, negative where they are not positive."""
    total, side = 0.0, np.empty((3, 3))
    for t in range(len(row)):
        for k in range(3):
            shift = decoded(int(row[t, IMAGE + k + 1]) - row[t, IMAGE])
            for axis in range(3):
                side[k, axis] = (
                    places[row[t, VERTEX + k + 1], axis]
                    - places[row[t, VERTEX], axis]
                    + shift[0] * edges[0, axis]
                    + shift[1] * edges[1, axis]
                    + shift[2] * edges[2, axis]
                )
        total += (
            side[0, 0] * (side[1, 1] * side[2, 2] - side[1, 2] * side[2, 1])
            + side[0, 1] * (side[1, 2] * side[2, 0] - side[1, 0] * side[2, 2])
            + side[0, 2] * (side[1, 0] * side[2, 1] - side[1, 1] * side[2, 0])
        )
    return total


@compiled_without_memory
def _nearest(
    x: float, y: float, z: float, edges: NDArray[np.float64], inverse: NDArray[np.float64]
) -> tuple[Vector, int]:
    """Take the shortest of the images of a vector that is not much longer, and say which it is."""
    a = -np.rint(x * inverse[0, 0] + y * inverse[1, 0] + z * inverse[2, 0])
    b = -np.rint(x * inverse[0, 1] + y * inverse[1, 1] + z * inverse[2, 1])
    c = -np.rint(x * inverse[0, 2] + y * inverse[1, 2] + z * inverse[2, 2])
    shorter = (
        x + (a * edges[0, 0] + b * edges[1, 0] + c * edges[2, 0]),
        y + (a * edges[0, 1] + b * edges[1, 1] + c * edges[2, 1]),
        z + (a * edges[0, 2] + b * edges[1, 2] + c * edges[2, 2]),
    )
    return shorter, int(a) * 2**20 + int(b) * 2**10 + int(c)
