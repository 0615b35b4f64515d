"""The two questions that a Delaunay triangulation is made of, asked of one particle's surroundings.

All vectors are relative to the particle, and their components whole numbers in float64, so that
they are exact. Floating point answers where its error bound lets it, exact arithmetic elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled_without_memory
from glasscreep.analysis.exact import Vector, circumcentre, in_conflict, orientation

EPSILON = 2.0**-52
FAR = 1e4
"""Distance in search radii of the points that fill up the last lanes: none is ever chosen."""
LANES = 8
NONE = -1


class Around(NamedTuple):
    """Points around a particle, and room for what is computed of each."""

    x: NDArray[np.float64]
    """(capacity,) relative to the particle [length]."""
    y: NDArray[np.float64]
    """(capacity,) [length]."""
    z: NDArray[np.float64]
    """(capacity,) [length]."""
    square: NDArray[np.float64]
    """(capacity,) squared distance [length^2]."""
    norm: NDArray[np.float64]
    """(capacity,) distance [length]."""
    particle: NDArray[np.int32]
    """(capacity,) which particle the point is an image of."""
    image: NDArray[np.int32]
    """(capacity,) which image, relative to the particle in the middle."""
    height: NDArray[np.float64]
    """(capacity,) scratch: over the plane of a facet, times a constant of the facet."""
    power: NDArray[np.float64]
    """(capacity,) scratch: with respect to the facet's smallest sphere, times a constant."""
    ratio: NDArray[np.float64]
    """(capacity,) scratch: power over height, the smaller the sooner a growing sphere meets it."""


def empty_surroundings(capacity: int) -> Around:
    """Make room for a number of points."""
    reals = [np.empty(capacity) for _ in range(8)]
    wholes = [np.empty(capacity, np.int32) for _ in range(2)]
    return Around(*reals[:5], *wholes, *reals[5:])


@compiled_without_memory
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
    x_b, y_b, z_b, x_c, y_c, z_c = a.x[b], a.y[b], a.z[b], a.x[c], a.y[c], a.z[c]
    n_x, n_y, n_z = y_b * z_c - z_b * y_c, z_b * x_c - x_b * z_c, x_b * y_c - y_b * x_c
    n_n = n_x * n_x + n_y * n_y + n_z * n_z
    bb, cc = a.square[b], a.square[c]
    w_x = bb * (y_c * n_z - z_c * n_y) + cc * (n_y * z_b - n_z * y_b)
    w_y = bb * (z_c * n_x - x_c * n_z) + cc * (n_z * x_b - n_x * z_b)
    w_z = bb * (x_c * n_y - y_c * n_x) + cc * (n_x * y_b - n_y * x_b)
    edges, product = a.norm[b] + a.norm[c], a.norm[b] * a.norm[c]
    # Bounds on the errors of height and power, several times what their operations amount to.
    height_error = 16 * EPSILON * product * radius
    power_error = 32 * EPSILON * product * product * radius * (radius + edges)
    height, power, ratio = a.height[:n], a.power[:n], a.ratio[:n]
    x, y, z, square = a.x[:n], a.y[:n], a.z[:n], a.square[:n]
    for j in range(n):
        h = n_x * x[j] + n_y * y[j] + n_z * z[j]
        p = n_n * square[j] - (w_x * x[j] + w_y * y[j] + w_z * z[j])
        height[j], power[j] = h, p
        t = p / h
        ratio[j] = t if h > height_error else np.inf
    best, t = _smallest(ratio)
    bound = np.inf
    if t < np.inf:
        error = power_error + abs(t) * height_error
        bound = (
            error * (1 + product * radius / height[best]) + 4 * EPSILON * abs(t) * product * radius
        )
    near = 0
    for j in range(n):
        near += (height[j] > -height_error) & (power[j] - t * height[j] <= bound)
    if t == np.inf or near != 3:  # b, c and the best are near by themselves
        best = _resolve(a, n, b, c, t, bound, height_error)
        return best if best >= 0 and _reach_exactly(a, b, c, best) < radius else NONE
    t_error = (power_error + abs(t) * height_error) / height[best]
    length = np.sqrt(n_n)
    error = 16 * EPSILON * product * (product * edges + abs(t)) + t_error * length
    c_x, c_y, c_z = w_x + t * n_x, w_y + t * n_y, w_z + t * n_z
    reach = (np.sqrt(c_x * c_x + c_y * c_y + c_z * c_z) + error) / n_n
    reach *= 1 + 16 * EPSILON * (1 + product / length)
    if reach < radius or _reach_exactly(a, b, c, best) < radius:
        return best
    return NONE


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
    x_b, y_b, z_b, x_c, y_c, z_c = a.x[b], a.y[b], a.z[b], a.x[c], a.y[c], a.z[c]
    x_d, y_d, z_d = a.x[d], a.y[d], a.z[d]
    n_x, n_y, n_z = y_b * z_c - z_b * y_c, z_b * x_c - x_b * z_c, x_b * y_c - y_b * x_c
    volume = n_x * x_d + n_y * y_d + n_z * z_d
    product = a.norm[b] * a.norm[c] * a.norm[d]
    volume_error = 16 * EPSILON * product
    if volume <= volume_error and (
        volume < -volume_error or orientation(_vector(a, b), _vector(a, c), _vector(a, d)) <= 0
    ):
        return False
    bb, cc, dd = a.square[b], a.square[c], a.square[d]
    c_x = bb * (y_c * z_d - z_c * y_d) + cc * (y_d * z_b - z_d * y_b) + dd * n_x
    c_y = bb * (z_c * x_d - x_c * z_d) + cc * (z_d * x_b - x_d * z_b) + dd * n_y
    c_z = bb * (x_c * y_d - y_c * x_d) + cc * (x_d * y_b - y_d * x_b) + dd * n_z
    diameter = np.sqrt(c_x * c_x + c_y * c_y + c_z * c_z) / volume
    error = np.inf
    if volume > 2 * volume_error:
        edges = a.norm[b] + a.norm[c] + a.norm[d]
        error = 2 * EPSILON * product * (16 * edges + 16 * diameter) / volume
    if not diameter + error < radius:
        reach = _diameter(circumcentre(_vector(a, b), _vector(a, c), _vector(a, d)))
        if not reach < radius:
            return False
    c_x, c_y, c_z = c_x / volume, c_y / volume, c_z / volume
    bound = radius * error + 8 * EPSILON * radius * (radius + diameter)
    x, y, z, square = a.x[:n], a.y[:n], a.z[:n], a.square[:n]
    near = 0
    for j in range(n):
        near += not (square[j] - (c_x * x[j] + c_y * y[j] + c_z * z[j]) > bound)
    if near == 3:
        return True
    for j in range(n):
        may_be_in = not (square[j] - (c_x * x[j] + c_y * y[j] + c_z * z[j]) > bound)
        if (
            may_be_in
            and j not in (b, c, d)
            and a.norm[j] <= radius
            and in_conflict(_vector(a, b), _vector(a, c), _vector(a, d), _vector(a, j))
        ):
            return False
    return True


@compiled_without_memory
def _smallest(ratio: NDArray[np.float64]) -> tuple[int, float]:
    """Find the first smallest of a whole number of lanes, four chains of comparisons at a time."""
    at_0, at_1, at_2, at_3 = 0, 1, 2, 3
    t_0, t_1, t_2, t_3 = ratio[0], ratio[1], ratio[2], ratio[3]
    for j in range(4, len(ratio), 4):
        u_0, u_1, u_2, u_3 = ratio[j], ratio[j + 1], ratio[j + 2], ratio[j + 3]
        at_0, t_0 = (j, u_0) if u_0 < t_0 else (at_0, t_0)
        at_1, t_1 = (j + 1, u_1) if u_1 < t_1 else (at_1, t_1)
        at_2, t_2 = (j + 2, u_2) if u_2 < t_2 else (at_2, t_2)
        at_3, t_3 = (j + 3, u_3) if u_3 < t_3 else (at_3, t_3)
    at_0, t_0 = (at_1, t_1) if t_1 < t_0 else (at_0, t_0)
    at_2, t_2 = (at_3, t_3) if t_3 < t_2 else (at_2, t_2)
    return (at_2, t_2) if t_2 < t_0 else (at_0, t_0)


@compiled_without_memory
def _resolve(a: Around, n: int, b: int, c: int, t: float, bound: float, height_error: float) -> int:
    """Choose exactly among the points that floating point can't tell from the first."""
    best = NONE
    for j in range(n):
        if j in (b, c) or not a.height[j] > -height_error:
            continue
        if t < np.inf and not a.power[j] - t * a.height[j] <= bound:
            continue
        if a.norm[j] == np.inf or orientation(_vector(a, b), _vector(a, c), _vector(a, j)) <= 0:
            continue
        if best < 0 or in_conflict(_vector(a, b), _vector(a, c), _vector(a, best), _vector(a, j)):
            best = j
    return best


@compiled_without_memory
def _reach_exactly(a: Around, b: int, c: int, d: int) -> float:
    return _diameter(circumcentre(_vector(a, b), _vector(a, c), _vector(a, d)))


@compiled_without_memory
def _diameter(centre: Vector) -> float:
    """Diameter of the sphere through 0 with a centre, rounded up."""
    square = centre[0] * centre[0] + centre[1] * centre[1] + centre[2] * centre[2]
    return 2.0 * np.sqrt(square) * (1 + 16 * EPSILON)


@compiled_without_memory
def _vector(a: Around, j: int) -> Vector:
    return a.x[j], a.y[j], a.z[j]
