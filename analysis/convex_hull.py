"""The convex hull of few points, by exact signs where rounding can't tell."""

import math

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled, compiled_into_callers
from glasscreep.analysis.exact import orientation
from glasscreep.analysis.vectors import Vector, dot, minus

FLAT = 1e-13
"""Four points whose edges have a triple product below this part of their width cubed are taken
as in one plane: rounding can't tell."""
THIN = 1e-4
"""A facet whose edges span less than this part of the width squared has a plane that `FLAT` leaves
uncertain by more than `FLAT / THIN` of the width."""
EXACT_BITS = 51
"""Points are rounded to so many binary places of their width, so that differences are exact."""
UNCERTAIN = -1


@compiled
def round_points(points: NDArray[np.float64], n: int) -> None:
    """Make the points whole numbers, relative to the first, below 2**`EXACT_BITS`."""
    _, exponent = math.frexp(_width(points, n))
    x, y, z = points[0, 0], points[0, 1], points[0, 2]
    for q in range(n):
        points[q, 0] = np.rint(math.ldexp(points[q, 0] - x, EXACT_BITS - exponent))
        points[q, 1] = np.rint(math.ldexp(points[q, 1] - y, EXACT_BITS - exponent))
        points[q, 2] = np.rint(math.ldexp(points[q, 2] - z, EXACT_BITS - exponent))


@compiled
def _width(points: NDArray[np.float64], n: int) -> float:
    size = 0.0
    for q in range(n):
        for axis in range(3):
            size = max(size, abs(points[q, axis] - points[0, axis]))
    return size


@compiled
def write_hull(
    points: NDArray[np.float64],
    n: int,
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
    replaced: NDArray[np.bool_],
    is_exact: bool,
) -> int:
    """Write the facets of the hull of n points, one point after another, and count them.

    A point that is outside of some facets is joined with the rim of these in their place. Where
    every facet is seen from one point within, they make a sphere, of at most 2 n - 4 facets.

    Returns
    -------
    int
        `UNCERTAIN` if floating point can't tell which facets a point is outside of.
    """
    size = _width(points, n)
    flat, thin = FLAT * size**3, THIN * size**2
    n_facets = _first_four(points, n, facets, planes, flat)
    if n_facets == 0:
        return 0
    a, b, c, d = facets[0, 0], facets[0, 1], facets[0, 2], facets[1, 2]
    middle = _middle(points, a, b, c, d)
    for f in range(n_facets):
        if not (is_exact or _is_certain(planes, f, middle, flat, thin)):
            return UNCERTAIN
    for q in range(n):
        if q in (a, b, c, d):
            continue
        kept, end = _take_out(points, q, n_facets, flat, facets, planes, replaced, is_exact)
        n_facets = kept
        for f in range(end, len(facets)):
            for k in range(3):
                u, v = facets[f, k], facets[f, (k + 1) % 3]
                if not replaced[v, u]:
                    _set(points, u, v, q, n_facets, facets, planes)
                    n_facets += 1
        for f in range(end, len(facets)):
            for k in range(3):
                replaced[facets[f, k], facets[f, (k + 1) % 3]] = False
        if not 4 <= n_facets <= 2 * n - 4:
            return UNCERTAIN
        for f in range(kept, n_facets):
            if not (is_exact or _is_certain(planes, f, middle, flat, thin)):
                return UNCERTAIN
    return n_facets


@compiled_into_callers
def _take_out(
    points: NDArray[np.float64],
    q: int,
    n_facets: int,
    flat: float,
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
    replaced: NDArray[np.bool_],
    is_exact: bool,
) -> tuple[int, int]:
    """Move the facets that a point is outside of to the end; how many are kept, and that end."""
    x, y, z = points[q, 0], points[q, 1], points[q, 2]
    kept, end = 0, len(facets)
    for f in range(n_facets):
        outside = planes[f, 0] * x + planes[f, 1] * y + planes[f, 2] * z - planes[f, 3]
        u, v, w = facets[f, 0], facets[f, 1], facets[f, 2]
        is_outside = outside > flat
        if is_exact and abs(outside) <= flat:  # several times the bound on its error
            is_outside = _side(points, u, v, w, q) > 0
        if is_outside:
            replaced[u, v] = replaced[v, w] = replaced[w, u] = True
            end -= 1
            facets[end, 0], facets[end, 1], facets[end, 2] = u, v, w
        elif kept < f:
            facets[kept, 0], facets[kept, 1], facets[kept, 2] = u, v, w
            for k in range(4):
                planes[kept, k] = planes[f, k]
            kept += 1
        else:
            kept += 1
    return kept, end


@compiled
def _side(points: NDArray[np.float64], a: int, b: int, c: int, d: int) -> int:
    """Tell on which side of three points of whole numbers a fourth is: 1 for outside, 0 or -1."""
    origin = points[a, 0], points[a, 1], points[a, 2]
    return orientation(
        minus((points[b, 0], points[b, 1], points[b, 2]), origin),
        minus((points[c, 0], points[c, 1], points[c, 2]), origin),
        minus((points[d, 0], points[d, 1], points[d, 2]), origin),
    )


@compiled
def _first_four(
    points: NDArray[np.float64],
    n: int,
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
    flat: float,
) -> int:
    """Write the facets of a tetrahedron of far points: 4, or 0 if all are in one plane."""
    if n < 4:
        return 0
    b = _farthest(points, n, 0, 0)
    c = _farthest(points, n, b, b)
    d = _farthest(points, n, b, c)
    _set(points, 0, b, c, 0, facets, planes)
    height = -planes[0, 3]
    for axis in range(3):
        height += planes[0, axis] * points[d, axis]
    if not abs(height) > flat:
        return 0
    if height > 0:
        b, c = c, b
        _set(points, 0, b, c, 0, facets, planes)
    _set(points, b, 0, d, 1, facets, planes)
    _set(points, c, b, d, 2, facets, planes)
    _set(points, 0, c, d, 3, facets, planes)
    return 4


@compiled
def _middle(points: NDArray[np.float64], a: int, b: int, c: int, d: int) -> Vector:
    return (
        0.25 * (points[a, 0] + points[b, 0] + points[c, 0] + points[d, 0]),
        0.25 * (points[a, 1] + points[b, 1] + points[c, 1] + points[d, 1]),
        0.25 * (points[a, 2] + points[b, 2] + points[c, 2] + points[d, 2]),
    )


@compiled
def _is_certain(
    planes: NDArray[np.float64], f: int, middle: Vector, flat: float, thin: float
) -> bool:
    """Tell whether a facet is not thin, and turns positively as seen from outside of the middle."""
    normal = planes[f, 0], planes[f, 1], planes[f, 2]
    return bool(dot(normal, normal) >= thin**2 and dot(normal, middle) - planes[f, 3] < -flat)


@compiled
def _farthest(points: NDArray[np.float64], n: int, b: int, c: int) -> int:
    """Find the point farthest from point 0, from its line to point b, or its plane to b and c."""
    best, most = 0, -1.0
    x, y, z = points[0, 0], points[0, 1], points[0, 2]
    bx, by, bz = points[b, 0] - x, points[b, 1] - y, points[b, 2] - z
    cx, cy, cz = points[c, 0] - x, points[c, 1] - y, points[c, 2] - z
    for q in range(n):
        dx, dy, dz = points[q, 0] - x, points[q, 1] - y, points[q, 2] - z
        nx, ny, nz = by * dz - bz * dy, bz * dx - bx * dz, bx * dy - by * dx
        if b == 0:
            far = dx * dx + dy * dy + dz * dz
        elif b == c:
            far = nx * nx + ny * ny + nz * nz
        else:
            far = abs(cx * nx + cy * ny + cz * nz)
        if far > most:
            best, most = q, far
    return best


@compiled
def _set(
    points: NDArray[np.float64],
    a: int,
    b: int,
    c: int,
    f: int,
    facets: NDArray[np.int64],
    planes: NDArray[np.float64],
) -> None:
    """Write facet f and its plane: the outward normal, and its product with a corner."""
    facets[f, 0], facets[f, 1], facets[f, 2] = a, b, c
    x, y, z = points[a, 0], points[a, 1], points[a, 2]
    ux, uy, uz = points[b, 0] - x, points[b, 1] - y, points[b, 2] - z
    vx, vy, vz = points[c, 0] - x, points[c, 1] - y, points[c, 2] - z
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    planes[f, 0], planes[f, 1], planes[f, 2] = nx, ny, nz
    planes[f, 3] = nx * x + ny * y + nz * z
