"""The two questions that a Delaunay triangulation is made of, asked of one particle's surroundings.

All vectors are relative to the particle, and their components whole numbers in float64, so that
they are exact. Floating point answers where its error bound lets it, exact arithmetic elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled_into_callers, compiled_without_memory
from glasscreep.analysis.exact import (
    INSIDE,
    ON_INSIDE,
    ON_OUTSIDE,
    circumcentre,
    orientation,
    sphere_side,
)
from glasscreep.analysis.vectors import Vector

EPSILON = 2.0**-52
FAR = 1e4
"""Distance in search radii of the points that fill up the last lanes: none is ever chosen."""
LANES = 8
NONE = -1
_FLATTEST = 64.0
"""Heights below this part of the largest possible are left to exact arithmetic."""
_LAST = 2**63 - 1


class Around(NamedTuple):
    """Points around a particle."""

    at: NDArray[np.float64]
    """(5, capacity) x, y and z relative to the particle [length], squared distance [length^2]
    and distance [length]."""
    particle: NDArray[np.int32]
    """(capacity,) which particle the point is an image of; `NONE` if it only fills a lane."""
    image: NDArray[np.int32]
    """(capacity,) which image, relative to the particle in the middle."""
    ties: NDArray[np.int64]
    """(1,) how often five points were found on one sphere."""


def empty_surroundings(capacity: int) -> Around:
    """Make room for a number of points."""
    particle, image = np.empty((2, capacity), np.int32)
    return Around(np.empty((5, capacity)), particle, image, np.zeros(1, np.int64))


@compiled_into_callers
def find_apex(a: Around, n: int, b: int, c: int, radius: float) -> int:
    r"""Find the point that completes the facet (0, b, c) to a Delaunay tetrahedron.

    Of the points above the facet, to where b, c and they turn positively, it is the one that a
    sphere through 0, b and c meets first when it grows from below. With the normal
    :math:`n = b \times c` and :math:`w = b^2 \, c \times n + c^2 \, n \times b` that is the
    point p with the smallest

    .. math:: t = (n^2 p^2 - p \cdot w) / (n \cdot p) ,

    and the centre of the sphere is :math:`(w + t n) / 2 n^2`.

    Parameters
    ----------
    a : Around
        Every point within `radius` of the particle, then points that fill up the lanes.
    n : int
        Number of points, filled up.
    b, c : int
        Two of the points, such that (0, b, c) is a facet of the triangulation.
    radius : float
        How far the points reach [length].

    Returns
    -------
    int
        The point; `NONE` if the sphere may reach beyond `radius`, so that it can't be told.
    """
    (n_x, n_y, n_z), (w_x, w_y, w_z), n_n = _facet(a, b, c)
    edges, product = a.at[4, b] + a.at[4, c], a.at[4, b] * a.at[4, c]
    # Bounds on the errors of height and power, several times what their operations amount to.
    height_error = 16 * EPSILON * product * radius
    power_error = 32 * EPSILON * product * product * radius * (radius + edges)
    x, y, z, square = a.at[0, :n], a.at[1, :n], a.at[2, :n], a.at[3, :n]
    first = _LAST
    for j in range(n):
        height = n_x * x[j] + n_y * y[j] + n_z * z[j]
        power = n_n * square[j] - (w_x * x[j] + w_y * y[j] + w_z * z[j])
        first = min(first, _ordered(power / height if height > height_error else np.inf))
    t = _unordered(first)
    error = power_error + abs(t) * height_error
    bound = (1 + _FLATTEST) * error + 4 * EPSILON * abs(t) * product * radius
    near = total = 0
    for j in range(n):
        height = n_x * x[j] + n_y * y[j] + n_z * z[j]
        power = n_n * square[j] - (w_x * x[j] + w_y * y[j] + w_z * z[j])
        is_near = (height > -height_error) & (power - t * height <= bound)
        near += is_near
        total += j if is_near else 0
    best = total - b - c  # these two are always near, and the best itself
    can_be_told = near == 3 and t < np.inf
    height = n_x * x[best] + n_y * y[best] + n_z * z[best] if can_be_told else 0.0
    if _FLATTEST * height < product * radius:
        best = _resolve(a, n, b, c, t, error, height_error, product * radius)
        return best if best >= 0 and _reach_exactly(a, b, c, best) < radius else NONE
    length = np.sqrt(n_n)
    error = 16 * EPSILON * product * (product * edges + abs(t)) + length * error / height
    c_x, c_y, c_z = w_x + t * n_x, w_y + t * n_y, w_z + t * n_z
    reach = (np.sqrt(c_x * c_x + c_y * c_y + c_z * c_z) + error) / n_n
    reach *= 1 + 16 * EPSILON * (1 + product / length)
    return best if reach < radius or _reach_exactly(a, b, c, best) < radius else NONE


@compiled_without_memory
def is_delaunay(a: Around, n: int, b: int, c: int, d: int, radius: float) -> bool:
    """Tell whether (0, b, c, d) is a tetrahedron of the triangulation; False if it can't be told.

    Parameters
    ----------
    a : Around
        Every point within `radius` of the particle, then points that fill up the lanes.
    n : int
        Number of points, filled up.
    b, c, d : int
        Three of the points.
    radius : float
        How far the points reach [length].
    """
    (x_b, y_b, z_b), (x_c, y_c, z_c), (x_d, y_d, z_d) = (
        _vector(a, b),
        _vector(a, c),
        _vector(a, d),
    )
    n_x, n_y, n_z = y_b * z_c - z_b * y_c, z_b * x_c - x_b * z_c, x_b * y_c - y_b * x_c
    volume = n_x * x_d + n_y * y_d + n_z * z_d
    product = a.at[4, b] * a.at[4, c] * a.at[4, d]
    volume_error = 16 * EPSILON * product
    if volume <= volume_error and (
        volume < -volume_error or orientation(_vector(a, b), _vector(a, c), _vector(a, d)) <= 0
    ):
        return False
    bb, cc, dd = a.at[3, b], a.at[3, c], a.at[3, d]
    c_x = bb * (y_c * z_d - z_c * y_d) + cc * (y_d * z_b - z_d * y_b) + dd * n_x
    c_y = bb * (z_c * x_d - x_c * z_d) + cc * (z_d * x_b - x_d * z_b) + dd * n_y
    c_z = bb * (x_c * y_d - y_c * x_d) + cc * (x_d * y_b - y_d * x_b) + dd * n_z
    diameter = np.sqrt(c_x * c_x + c_y * c_y + c_z * c_z) / volume
    error = np.inf
    if volume > 2 * volume_error:
        edges = a.at[4, b] + a.at[4, c] + a.at[4, d]
        error = 2 * EPSILON * product * (16 * edges + 16 * diameter) / volume
    if not diameter + error < radius:
        reach = _diameter(circumcentre(_vector(a, b), _vector(a, c), _vector(a, d)))
        if not reach < radius:
            return False
    c_x, c_y, c_z = c_x / volume, c_y / volume, c_z / volume
    bound = radius * error + 8 * EPSILON * radius * (radius + diameter)
    x, y, z, square = a.at[0, :n], a.at[1, :n], a.at[2, :n], a.at[3, :n]
    near = 0
    for j in range(n):
        near += not (square[j] - (c_x * x[j] + c_y * y[j] + c_z * z[j]) > bound)
    if near == 3:
        return True
    for j in range(n):
        may_be_in = not (square[j] - (c_x * x[j] + c_y * y[j] + c_z * z[j]) > bound)
        if may_be_in and j not in (b, c, d) and a.particle[j] >= 0:
            side = sphere_side(_vector(a, b), _vector(a, c), _vector(a, d), _vector(a, j))
            a.ties[0] += side in (ON_INSIDE, ON_OUTSIDE)
            if side in (INSIDE, ON_INSIDE):
                return False
    return True


@compiled_into_callers
def _facet(a: Around, b: int, c: int) -> tuple[Vector, Vector, float]:
    """Compute the vectors n and w of a facet, and the square of n."""
    (x_b, y_b, z_b), (x_c, y_c, z_c) = _vector(a, b), _vector(a, c)
    n_x, n_y, n_z = y_b * z_c - z_b * y_c, z_b * x_c - x_b * z_c, x_b * y_c - y_b * x_c
    bb, cc = a.at[3, b], a.at[3, c]
    w_x = bb * (y_c * n_z - z_c * n_y) + cc * (n_y * z_b - n_z * y_b)
    w_y = bb * (z_c * n_x - x_c * n_z) + cc * (n_z * x_b - n_x * z_b)
    w_z = bb * (x_c * n_y - y_c * n_x) + cc * (n_x * y_b - n_y * x_b)
    return (n_x, n_y, n_z), (w_x, w_y, w_z), n_x * n_x + n_y * n_y + n_z * n_z


@compiled_without_memory
def _resolve(
    a: Around,
    n: int,
    b: int,
    c: int,
    t: float,
    error: float,
    height_error: float,
    highest: float,
) -> int:
    """Find the apex of a facet exactly, among those that floating point can't tell from the first."""
    (n_x, n_y, n_z), (w_x, w_y, w_z), n_n = _facet(a, b, c)
    x, y, z, square = a.at[0, :n], a.at[1, :n], a.at[2, :n], a.at[3, :n]
    bound = np.inf
    for j in range(n):
        height = n_x * x[j] + n_y * y[j] + n_z * z[j]
        power = n_n * square[j] - (w_x * x[j] + w_y * y[j] + w_z * z[j])
        if height > height_error and power / height == t:
            bound = (1 + highest / height) * error + 4 * EPSILON * abs(t) * highest
    p, q, best = _vector(a, b), _vector(a, c), NONE
    for j in range(n):
        height = n_x * x[j] + n_y * y[j] + n_z * z[j]
        power = n_n * square[j] - (w_x * x[j] + w_y * y[j] + w_z * z[j])
        if a.particle[j] < 0 or j in (b, c) or height < -height_error:
            continue
        if bound < np.inf and power - t * height > bound:
            continue
        r = _vector(a, j)
        if orientation(p, q, r) <= 0:
            continue
        side = INSIDE if best < 0 else sphere_side(p, q, _vector(a, best), r)
        a.ties[0] += side in (ON_INSIDE, ON_OUTSIDE)
        if side in (INSIDE, ON_INSIDE):
            best = j
    return best


@compiled_without_memory
def _ordered(value: float) -> int:
    """Turn a number into a whole one of the same order; the smallest of these is a vector's."""
    bits = int(np.float64(value).view(np.int64))
    return bits ^ (_LAST if bits < 0 else 0)


@compiled_without_memory
def _unordered(order: int) -> float:
    bits = np.int64(order ^ (_LAST if order < 0 else 0))
    return bits.view(np.float64)


@compiled_without_memory
def _reach_exactly(a: Around, b: int, c: int, d: int) -> float:
    return _diameter(circumcentre(_vector(a, b), _vector(a, c), _vector(a, d)))


@compiled_without_memory
def _diameter(centre: Vector) -> float:
    """Diameter of the sphere through 0 with a centre, rounded up."""
    square = centre[0] * centre[0] + centre[1] * centre[1] + centre[2] * centre[2]
    return float(2.0 * np.sqrt(square) * (1 + 16 * EPSILON))


@compiled_without_memory
def _vector(a: Around, j: int) -> Vector:
    return a.at[0, j], a.at[1, j], a.at[2, j]
