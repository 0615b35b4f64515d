"""Exact signs of determinants of whole numbers, for where floating point can't tell.

Coordinates are whole numbers below 2**55, held in float64. A number is an array of limbs to the
base 2**28, lowest first, all but the highest in [0, 2**28); the highest carries the sign.
"""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled

_BITS = 28
_BASE = 2**28
_QUADRATICS = ((0, 1), (1, 2), (2, 0), (0, 0), (1, 1))

Vector = tuple[float, float, float]
Limbs = NDArray[np.int64]


@compiled
def orientation(b: Vector, c: Vector, d: Vector) -> int:
    """Tell on which side of the plane through 0, b and c the point d lies: 1, 0 or -1.

    The sign of the determinant with the rows b, c, d.
    """
    return _sign(_det3(_split(b), _split(c), _split(d)))


@compiled
def in_conflict(b: Vector, c: Vector, d: Vector, e: Vector) -> bool:
    r"""Tell whether e lies inside the sphere through 0, b, c and d, which turn positively.

    On the sphere it is decided as if lengths were measured with the metric

    .. math:: |r|^2 + \epsilon_1 xy + \epsilon_2 yz + \epsilon_3 zx
              + \epsilon_4 x^2 + \epsilon_5 y^2

    with infinitesimal :math:`\epsilon_1 \gg \epsilon_2 \gg \ldots > 0`. Such a metric is the
    same at every point, so that what is decided is so for each image and in whatever order
    the particles come; and no five distinct points on a sphere are on one ellipsoid for each
    such metric, so that it decides always.
    """
    p, q, r, s = _split(b), _split(c), _split(d), _split(e)
    volumes = (_det3(q, r, s), _det3(p, r, s), _det3(p, q, s), _det3(p, q, r))
    sign = _sign(_lifted(volumes, _square(p), _square(q), _square(r), _square(s)))
    for k in range(5):
        if sign != 0:
            break
        i, j = _QUADRATICS[k]
        sign = _sign(
            _lifted(
                volumes,
                _times(p[i], p[j]),
                _times(q[i], q[j]),
                _times(r[i], r[j]),
                _times(s[i], s[j]),
            )
        )
    return sign < 0


@compiled
def circumcentre(b: Vector, c: Vector, d: Vector) -> Vector:
    """Compute the centre of the sphere through 0, b, c and d, however flat these are.

    Each component is exact but for its last rounding.
    """
    p, q, r = _split(b), _split(c), _split(d)
    volume = 2.0 * _value(_det3(p, q, r))
    squares = (_square(p), _square(q), _square(r))
    first = _weighted(squares, p, q, r, 1, 2) / volume
    second = _weighted(squares, p, q, r, 2, 0) / volume
    return first, second, _weighted(squares, p, q, r, 0, 1) / volume


@compiled
def _weighted(
    squares: tuple[Limbs, Limbs, Limbs], p: Limbs, q: Limbs, r: Limbs, i: int, j: int
) -> float:
    """Sum the cross products of two vectors, each weighed by the third's square: one component."""
    total = _times(squares[0], _minor(q, r, i, j))
    total += _times(squares[1], _minor(r, p, i, j))
    return _value(_carried(total + _times(squares[2], _minor(p, q, i, j))))


@compiled
def _lifted(
    volumes: tuple[Limbs, Limbs, Limbs, Limbs], w_b: Limbs, w_c: Limbs, w_d: Limbs, w_e: Limbs
) -> Limbs:
    """Compute the determinant with the rows (b, w_b) to (e, w_e), along its last column."""
    total = _times(w_e, volumes[3]) - _times(w_d, volumes[2])
    total += _times(w_c, volumes[1])
    return _carried(total - _times(w_b, volumes[0]))


@compiled
def _det3(p: Limbs, q: Limbs, r: Limbs) -> Limbs:
    total = _times(p[0], _minor(q, r, 1, 2))
    total += _times(p[1], _minor(q, r, 2, 0))
    return _carried(total + _times(p[2], _minor(q, r, 0, 1)))


@compiled
def _minor(p: Limbs, q: Limbs, i: int, j: int) -> Limbs:
    return _carried(_times(p[i], q[j]) - _times(p[j], q[i]))


@compiled
def _square(p: Limbs) -> Limbs:
    return _carried(_times(p[0], p[0]) + _times(p[1], p[1]) + _times(p[2], p[2]))


@compiled
def _split(vector: Vector) -> Limbs:
    limbs = np.empty((3, 2), np.int64)
    for k in range(3):
        high = np.floor(vector[k] / _BASE)
        limbs[k, 0] = np.int64(vector[k] - high * _BASE)
        limbs[k, 1] = np.int64(high)
    return limbs


@compiled
def _times(a: Limbs, b: Limbs) -> Limbs:
    product = np.zeros(len(a) + len(b), np.int64)
    for i in range(len(a)):
        for j in range(len(b)):
            product[i + j] += a[i] * b[j]
    return _carried(product)


@compiled
def _carried(limbs: Limbs) -> Limbs:
    for k in range(len(limbs) - 1):
        limbs[k + 1] += limbs[k] >> _BITS
        limbs[k] &= _BASE - 1
    return limbs


@compiled
def _sign(limbs: Limbs) -> int:
    if limbs[-1] < 0:
        return -1
    for k in range(len(limbs)):
        if limbs[k] != 0:
            return 1
    return 0


@compiled
def _value(limbs: Limbs) -> float:
    """Round to float64; the sign is taken out first, or limbs of either sign would cancel."""
    negative = limbs[-1] < 0
    size = _carried(-limbs) if negative else limbs
    total = 0.0
    for k in range(len(size) - 1, -1, -1):
        total = total * _BASE + size[k]
    return -total if negative else total
