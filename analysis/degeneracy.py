"""Whether other tetrahedra would be as good as those of a triangulation."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.exact import ON_INSIDE, ON_OUTSIDE, sphere_side
from glasscreep.analysis.vectors import Vector, minus


@compiled
def any_on_a_sphere(
    vertices: NDArray[np.int32], across: NDArray[np.int32], corners: NDArray[np.float64]
) -> bool:
    """Tell whether two tetrahedra that share a facet have one sphere.

    Where five points are on a sphere that is empty, two such tetrahedra are between them.

    Parameters
    ----------
    vertices, across : (m, 4) int32
        As in `glasscreep.analysis.tetrahedra.Tetrahedra`.
    corners : (m, 4, 3) float64
        Positions of the vertices, whole numbers [length].
    """
    for t in range(len(vertices)):
        for k in range(4):
            for m in range(4):
                if across[t, k] >= t and _is_on_sphere(vertices, corners, t, k, across[t, k], m):
                    return True
    return False


@compiled
def _is_on_sphere(
    vertices: NDArray[np.int32], corners: NDArray[np.float64], t: int, k: int, other: int, m: int
) -> bool:
    """Tell whether facets k of t and m of another are one, and the other's vertex m on t's sphere.

    In small boxes, two tetrahedra may share several facets, through several images.
    """
    i = 1 if k == 0 else 0
    origin, apex = _corner(corners, t, 0), _corner(corners, t, k)
    for j in range(4):
        if j == m or vertices[other, j] != vertices[t, i]:
            continue
        shift = minus(_corner(corners, other, j), _corner(corners, t, i))
        same = 0
        for p in range(4):
            for q in range(4):
                if p != k and q != m:
                    moved = minus(_corner(corners, other, q), shift)
                    same += moved == _corner(corners, t, p)
        e = minus(_corner(corners, other, m), shift)
        if same < 3 or e == apex:
            continue
        b, c = minus(_corner(corners, t, 1), origin), minus(_corner(corners, t, 2), origin)
        d = minus(_corner(corners, t, 3), origin)
        if sphere_side(b, c, d, minus(e, origin)) in (ON_INSIDE, ON_OUTSIDE):
            return True
    return False


@compiled
def _corner(corners: NDArray[np.float64], t: int, k: int) -> Vector:
    return corners[t, k, 0], corners[t, k, 1], corners[t, k, 2]
