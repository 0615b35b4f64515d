"""Exact signs of determinants of whole numbers, for where floating point can't tell.

Coordinates are whole numbers below 2**55, held in float64. A number is an array of limbs to the
base 2**28, lowest first, all but the highest in [0, 2**28); the highest carries the sign.
"""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled, compiled_without_memory
from glasscreep.analysis.vectors import Vector

OUTSIDE, INSIDE, ON_OUTSIDE, ON_INSIDE = 0, 1, 2, 3

_BITS = 28
_BASE = 2**28
# Limbs of a coordinate, of a product of two or a sum of such, of three, and of five.
_ONE, _TWO, _THREE, _FIVE = 2, 4, 6, 10
_PRODUCTS = ((0, 1), (1, 2), (2, 0), (0, 0), (1, 1))

Limbs = NDArray[np.int64]


@compiled
def orientation(b: Vector, c: Vector, d: Vector) -> int:
    """Tell on which side of the plane through 0, b and c the point d lies: 1, 0 or -1.

    The sign of the determinant with the rows b, c, d.
    """
    vectors, minor, volume = np.empty((3, 3, _ONE), np.int64), _zeros(_TWO), _zeros(_THREE)
    _split(b, vectors[0])
    _split(c, vectors[1])
    _split(d, vectors[2])
    _determinant(vectors[0], vectors[1], vectors[2], minor, volume)
    return _sign(volume)


@compiled
def sphere_side(b: Vector, c: Vector, d: Vector, e: Vector) -> int:
    r"""Tell whether e lies in the sphere through 0, b, c and d, which turn positively.

    On the sphere it is decided as if lengths were measured with the metric

    .. math:: |r|^2 + \epsilon_1 xy + \epsilon_2 yz + \epsilon_3 zx
              + \epsilon_4 x^2 + \epsilon_5 y^2

    with infinitesimal :math:`\epsilon_1 \gg \epsilon_2 \gg \ldots > 0`. Such a metric is the
    same at every point, so that what is decided is so for each image and in whatever order
    the particles come; and no five distinct points on a sphere are on one ellipsoid for each
    such metric, so that it decides always.

    Returns
    -------
    int
        `INSIDE` or `OUTSIDE`; `ON_INSIDE` or `ON_OUTSIDE` where it is on the sphere.
    """
    vectors, minor = np.empty((4, 3, _ONE), np.int64), _zeros(_TWO)
    _split(b, vectors[0])
    _split(c, vectors[1])
    _split(d, vectors[2])
    _split(e, vectors[3])
    volumes = np.empty((4, _THREE), np.int64)
    for i in range(4):  # of the others, in their order
        p, q, r = 0 if i > 0 else 1, 1 if i > 1 else 2, 2 if i > 2 else 3
        _determinant(vectors[p], vectors[q], vectors[r], minor, volumes[i])
    lift, total, sign = _zeros(_TWO), _zeros(_FIVE), 0
    for metric in range(-1, 5):
        total[:] = 0
        for i in range(4):  # along the last column of the determinant with the rows (r, lift)
            lift[:] = 0
            if metric < 0:
                for axis in range(3):
                    _add_product(vectors[i, axis], vectors[i, axis], 1, lift)
            else:
                first, second = _PRODUCTS[metric]
                _add_product(vectors[i, first], vectors[i, second], 1, lift)
            _carry(lift)
            _add_product(lift, volumes[i], 2 * (i & 1) - 1, total)
        _carry(total)
        sign = _sign(total)
        if sign != 0:
            if metric < 0:
                return INSIDE if sign < 0 else OUTSIDE
            break
    return ON_INSIDE if sign < 0 else ON_OUTSIDE


@compiled
def circumcentre(b: Vector, c: Vector, d: Vector) -> Vector:
    """Compute the centre of the sphere through 0, b, c and d, however flat these are.

    Each component is exact but for its last roundings.
    """
    vectors, minor, volume = np.empty((3, 3, _ONE), np.int64), _zeros(_TWO), _zeros(_THREE)
    _split(b, vectors[0])
    _split(c, vectors[1])
    _split(d, vectors[2])
    _determinant(vectors[0], vectors[1], vectors[2], minor, volume)
    centre, square, total = np.empty(3), _zeros(_TWO), _zeros(2 * _TWO)
    for axis in range(3):
        total[:] = 0
        for i in range(3):
            square[:] = 0
            for k in range(3):
                _add_product(vectors[i, k], vectors[i, k], 1, square)
            _carry(square)
            _cross(vectors[(i + 1) % 3], vectors[(i + 2) % 3], axis, minor)
            _add_product(square, minor, 1, total)
        _carry(total)
        centre[axis] = _value(total) / (2.0 * _value(volume))
    return centre[0], centre[1], centre[2]


@compiled
def _zeros(length: int) -> Limbs:
    return np.zeros(length, np.int64)


@compiled_without_memory
def _split(vector: Vector, limbs: Limbs) -> None:
    for axis in range(3):
        high = np.floor(vector[axis] / _BASE)
        limbs[axis, 0] = np.int64(vector[axis] - high * _BASE)
        limbs[axis, 1] = np.int64(high)


@compiled_without_memory
def _determinant(p: Limbs, q: Limbs, r: Limbs, minor: Limbs, result: Limbs) -> None:
    result[:] = 0
    for axis in range(3):
        _cross(q, r, axis, minor)
        _add_product(p[axis], minor, 1, result)
    _carry(result)


@compiled_without_memory
def _cross(q: Limbs, r: Limbs, axis: int, result: Limbs) -> None:
    """Compute one component of a cross product."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    result[:] = 0
    _add_product(q[i], r[j], 1, result)
    _add_product(q[j], r[i], -1, result)
    _carry(result)


@compiled_without_memory
def _add_product(a: Limbs, b: Limbs, sign: int, total: Limbs) -> None:
    """Add to limbs without carrying: up to a hundred such products fit."""
    for i in range(len(a)):
        for j in range(len(b)):
            total[i + j] += sign * a[i] * b[j]


@compiled_without_memory
def _carry(limbs: Limbs) -> None:
    for k in range(len(limbs) - 1):
        limbs[k + 1] += limbs[k] >> _BITS
        limbs[k] &= _BASE - 1


@compiled_without_memory
def _sign(limbs: Limbs) -> int:
    if limbs[-1] < 0:
        return -1
    for k in range(len(limbs)):
        if limbs[k] != 0:
            return 1
    return 0


@compiled_without_memory
def _value(limbs: Limbs) -> float:
    """Round to float64, whose roundings add up to less than the last place but one."""
    negative, borrow, total = limbs[-1] < 0, 0, 0.0
    scale = 1.0
    for k in range(len(limbs)):
        limb = limbs[k]
        if negative:  # the limbs of the opposite, or those of either sign would cancel
            limb = -limb + borrow
            borrow = limb >> _BITS
            if k < len(limbs) - 1:
                limb &= _BASE - 1
        total += limb * scale
        scale *= _BASE
    return -total if negative else total
