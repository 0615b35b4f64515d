"""Free areas and volumes of tetrahedra: what spheres at their corners leave of them.

A hundred thousand angles to a frame: computed side by side in loops that the compiler
vectorises, and without the machine's mathematical library, so that they have the same bits
everywhere.
"""

import math

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.vectors import Vector, cross, dot, minus

CHUNK = 64
"""Tetrahedra side by side: what is computed of them stays in the nearest cache."""

# Rows of the scratch, each with one number for every tetrahedron of a chunk. One flat array
# with constant offsets, since the compiler does not see that separate arrays don't overlap.
_RADIUS = 9 * CHUNK  # after three rows for each of the edges from corner 0
_ACROSS = 13 * CHUNK  # twelve angles, from their opposite and adjacent sides: first the four
_ALONG = 25 * CHUNK  # half solid angles of the corners, then two angles for each face
_LONGEST = 37 * CHUNK
_FREE = 38 * CHUNK
_ROWS = 43

_EIGHTH = float(np.tan(np.pi / 8))


@compiled
def free_elements(
    points: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    lattice: NDArray[np.float64],
    fraction: bool,
    clip: bool,
    free: NDArray[np.float64],
) -> tuple[float, float]:
    """Measure what spheres leave free of each tetrahedron and its faces.

    Parameters
    ----------
    points : (n, 4) float64
        Position and radius of each particle [length].
    vertices : (m, 4) int32
        Particles at the corners.
    images : (m, 4, 3) int8
        Edges of the box to add to the corners' positions.
    lattice : (3, 3) float64
        Edge vectors of the box, one a row [length].
    fraction : bool
        Whether to divide by the size of the face or tetrahedron.
    clip : bool
        Whether what is below 0 counts as 0.
    free : (m, 5) float64
        Written to: of the face opposite each corner [length**2], and of the tetrahedron
        [length**3]; no dimensions as fractions, and `nan` for the fraction of what has no size.

    Returns
    -------
    float
        Longest edge of all [length].
    float
        Volume of all [length**3].
    """
    m = len(vertices)
    scratch = np.empty(_ROWS * CHUNK)
    moved = images.reshape(-1).view(np.int32)  # 12 bytes to a tetrahedron
    longest, triples = 0.0, 0.0
    for start in range(0, m, CHUNK):
        _gather(points, vertices, images, moved, lattice, start, scratch)
        _measure(scratch)
        for q in range(12 * CHUNK):
            scratch[_ALONG + q] = angle(scratch[_ACROSS + q], scratch[_ALONG + q])
        _subtract(scratch, fraction, clip)
        for q in range(min(CHUNK, m - start)):
            for k in range(5):
                free[start + q, k] = scratch[_FREE + k * CHUNK + q]
            longest = max(longest, scratch[_LONGEST + q])
            triples += scratch[_ACROSS + q]
    return math.sqrt(longest), triples / 6


@compiled
def angle(across: float, along: float) -> float:
    """Angle in a right triangle from its opposite side, at least 0, and its adjacent one.

    In [0, pi], the adjacent side's sign telling the quadrant; exact to 5e-16, and `nan` where
    both are 0. Without branches, so that loops over it are vectorised.
    """
    width = abs(along)
    steep = across > width
    low = width if steep else across
    high = across if steep else width
    # The addition theorem brings tangents below tan(pi / 8).
    far = low > _EIGHTH * high
    q = (low - high if far else low) / (low + high if far else high)
    # (atan(q) / q - 1) / q**2, interpolated at Chebyshev's points: to 5e-18 of atan(q).
    z = q * q
    z2 = z * z
    z4 = z2 * z2
    p = -0.3333333333333333 + 0.1999999999999552 * z
    p = p + (-0.14285714284666542 + 0.11111111015256361 * z) * z2
    p4 = -0.09090904578123903 + 0.07692183190826087 * z
    p4 = p4 + (-0.06664511447381948 + 0.0585814891280221 * z) * z2
    p8 = -0.0508544973794026 + 0.03923165829558718 * z - 0.01917688711906225 * z2
    p = p + (p4 + p8 * z4) * z4
    result = q + q * (z * p)
    result = result + np.pi / 4 if far else result
    result = np.pi / 2 - result if steep else result
    return np.pi - result if along < 0 else result


@compiled
def _gather(
    points: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    moved: NDArray[np.int32],
    lattice: NDArray[np.float64],
    start: int,
    scratch: NDArray[np.float64],
) -> None:
    """Write the edges from corner 0 and the radii of a chunk; the last one over at the end."""
    last = len(vertices) - 1
    for q in range(CHUNK):
        t = min(start + q, last)
        i = vertices[t, 0]
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        scratch[_RADIUS + q] = points[i, 3]
        # Most tetrahedra are of one image.
        crosses = (moved[3 * t] | moved[3 * t + 1] | moved[3 * t + 2]) != 0
        for k in range(1, 4):
            j = vertices[t, k]
            dx, dy, dz = points[j, 0] - x, points[j, 1] - y, points[j, 2] - z
            if crosses:
                a, b, c = images[t, k, 0], images[t, k, 1], images[t, k, 2]
                a, b, c = a - images[t, 0, 0], b - images[t, 0, 1], c - images[t, 0, 2]
                dx += a * lattice[0, 0] + b * lattice[1, 0] + c * lattice[2, 0]
                dy += a * lattice[0, 1] + b * lattice[1, 1] + c * lattice[2, 1]
                dz += a * lattice[0, 2] + b * lattice[1, 2] + c * lattice[2, 2]
            scratch[(3 * k - 3) * CHUNK + q] = dx
            scratch[(3 * k - 2) * CHUNK + q] = dy
            scratch[(3 * k - 1) * CHUNK + q] = dz
            scratch[_RADIUS + k * CHUNK + q] = points[j, 3]


@compiled
def _measure(s: NDArray[np.float64]) -> None:
    """Write opposite and adjacent sides of all angles, and the longest edge squared.

    Two angles of each face suffice. Half the solid angle as A. van Oosterom and J. Strackee,
    IEEE Trans. Biomed. Eng. 30, 125 (1983).
    """
    for q in range(CHUNK):
        # From corner 0 to 1, 2 and 3; from 1 to 2 and 3; from 2 to 3.
        a = (s[q], s[CHUNK + q], s[2 * CHUNK + q])
        b = (s[3 * CHUNK + q], s[4 * CHUNK + q], s[5 * CHUNK + q])
        c = (s[6 * CHUNK + q], s[7 * CHUNK + q], s[8 * CHUNK + q])
        d, e, f = minus(b, a), minus(c, a), minus(c, b)
        aa, bb, cc, dd, ee, ff = (
            dot(a, a),
            dot(b, b),
            dot(c, c),
            dot(d, d),
            dot(e, e),
            dot(f, f),
        )
        ab, ac, bc = dot(a, b), dot(a, c), dot(b, c)
        ad, ae, de = -dot(a, d), -dot(a, e), dot(d, e)
        bd, bf, df = dot(b, d), -dot(b, f), -dot(d, f)
        ce, cf, ef = dot(c, e), dot(c, f), dot(e, f)
        la, lb, lc, ld, le, lf = (
            np.sqrt(aa),
            np.sqrt(bb),
            np.sqrt(cc),
            np.sqrt(dd),
            np.sqrt(ee),
            np.sqrt(ff),
        )
        across_0 = cross(b, c)
        triple = abs(dot(a, across_0))
        for k in range(4):
            s[_ACROSS + k * CHUNK + q] = triple
        s[_ALONG + q] = la * lb * lc + ab * lc + ac * lb + bc * la
        s[_ALONG + CHUNK + q] = la * ld * le + ad * le + ae * ld + de * la
        s[_ALONG + 2 * CHUNK + q] = lb * ld * lf + bd * lf + bf * ld + df * lb
        s[_ALONG + 3 * CHUNK + q] = lc * le * lf + ce * lf + cf * le + ef * lc
        # Faces opposite corners 0 to 3, each with the angles at its first two corners.
        _face(s, 4, q, cross(d, e), de, df)
        _face(s, 6, q, across_0, bc, bf)
        _face(s, 8, q, cross(a, c), ac, ae)
        _face(s, 10, q, cross(a, b), ab, ad)
        longest = _larger(_larger(_larger(aa, bb), _larger(cc, dd)), _larger(ee, ff))
        s[_LONGEST + q] = longest


@compiled
def _subtract(s: NDArray[np.float64], fraction: bool, clip: bool) -> None:
    """Write what of the faces and tetrahedra of a chunk is outside the spheres."""
    for q in range(CHUNK):
        r0, r1 = s[_RADIUS + q], s[_RADIUS + CHUNK + q]
        r2, r3 = s[_RADIUS + 2 * CHUNK + q], s[_RADIUS + 3 * CHUNK + q]
        q0, q1, q2, q3 = r0 * r0, r1 * r1, r2 * r2, r3 * r3
        halves = s[_ALONG + q] * (q0 * r0) + s[_ALONG + CHUNK + q] * (q1 * r1)
        halves += s[_ALONG + 2 * CHUNK + q] * (q2 * r2) + s[_ALONG + 3 * CHUNK + q] * (q3 * r3)
        size, inside = s[_ACROSS + q] / 6, halves * (2 / 3)
        s[_FREE + 4 * CHUNK + q] = _outside(size, inside, fraction, clip)
        _subtract_face(s, 0, q, q1, q2, q3, fraction, clip)
        _subtract_face(s, 1, q, q0, q2, q3, fraction, clip)
        _subtract_face(s, 2, q, q0, q1, q3, fraction, clip)
        _subtract_face(s, 3, q, q0, q1, q2, fraction, clip)


@compiled
def _face(
    s: NDArray[np.float64], row: int, q: int, normal: Vector, first: float, second: float
) -> None:
    twice = np.sqrt(dot(normal, normal))
    s[_ACROSS + row * CHUNK + q] = s[_ACROSS + (row + 1) * CHUNK + q] = twice
    s[_ALONG + row * CHUNK + q], s[_ALONG + (row + 1) * CHUNK + q] = first, second


@compiled
def _subtract_face(
    s: NDArray[np.float64],
    k: int,
    q: int,
    first: float,
    second: float,
    third: float,
    fraction: bool,
    clip: bool,
) -> None:
    """Do so for the face opposite corner k, given the squared radii of its corners."""
    row = _ALONG + (4 + 2 * k) * CHUNK + q
    one, two = s[row], s[row + CHUNK]
    twice_inside = one * first + two * second + (np.pi - one - two) * third
    size = 0.5 * s[_ACROSS + (4 + 2 * k) * CHUNK + q]
    s[_FREE + k * CHUNK + q] = _outside(size, 0.5 * twice_inside, fraction, clip)


@compiled
def _outside(size: float, inside: float, fraction: bool, clip: bool) -> float:
    left = size - inside
    left = left / size if fraction else left
    return 0.0 if clip and left < 0 else left


@compiled
def _larger(x: float, y: float) -> float:
    return max(x, y)
