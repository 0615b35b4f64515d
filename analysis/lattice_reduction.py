"""The vectors of a lattice that decide which image of a point is the nearest."""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

_SAME = 1e-12
"""Vectors shorter by less than this part are as long: rounding can't tell."""


def facing_vectors(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Find the vectors to the points of the lattice that may border on the origin's cell.

    A vector :math:`d` is the shortest of its images if, and only if, none of these
    :math:`v` makes it shorter: :math:`|d \cdot v| \le |v|^2 / 2`.

    Parameters
    ----------
    lattice : (3, 3) float64
        One edge vector a row, however tilted the box [length].

    Returns
    -------
    (7, 3) float64
        One of each pair of opposite vectors, the shortest vector of the lattice among them
        [length].

    References
    ----------
    J. H. Conway and N. J. A. Sloane, Proc. R. Soc. London A 436, 55 (1992): four vectors
    whose sum is zero and of which no two are at an acute angle, and their pairs' sums.
    """
    a, b, c = reduced(lattice)
    four = [a, b, c, -(a + b + c)]
    while pair := _acute(four):
        i, j = pair
        four = [v if k == j else -v if k == i else v + four[i] for k, v in enumerate(four)]
    return np.array([*four, four[0] + four[1], four[0] + four[2], four[0] + four[3]])


def reduced(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Describe a lattice by edges of which none gets shorter by subtracting another.

    Parameters
    ----------
    lattice : (3, 3) float64
        One edge vector a row, however tilted the box [length].

    Returns
    -------
    (3, 3) float64
        Edge vectors of the same lattice; the same ones where they are hardly tilted [length].
    """
    edges = list(lattice)
    changed = True
    while changed:
        changed = False
        for i, j in permutations(range(3), 2):
            times = _dot(edges[i], edges[j]) / _dot(edges[j], edges[j])
            if abs(times) > 0.5 + _SAME:
                edges[i] = edges[i] - np.rint(times) * edges[j]
                changed = True
    return np.array(edges)


def _acute(vectors: list[NDArray[np.float64]]) -> tuple[int, int] | None:
    """Find two vectors at an acute angle."""
    for j in range(4):
        for i in range(j):
            least = min(_dot(vectors[i], vectors[i]), _dot(vectors[j], vectors[j]))
            if _dot(vectors[i], vectors[j]) > _SAME * least:
                return i, j
    return None


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Multiply by elements: BLAS rounds differently from one processor to another."""
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
