"""Which tetrahedra of a triangulation surround each particle, and which particles."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled


@compiled
def stars(
    vertices: NDArray[np.int32], first: NDArray[np.int64], corner: NDArray[np.uint32]
) -> None:
    """List the tetrahedra around each particle.

    Parameters
    ----------
    vertices : (m, 4) int32
        Particles at the corners of each tetrahedron.
    first : (n + 2,) int64
        Written to: where each particle's list starts, then where the last ends, twice.
    corner : (4 m,) uint32
        Written to: the lists, ``4 * tetrahedron + corner``, ascending.
    """
    flat = vertices.reshape(-1)
    # Counted two places on, and each place moved on as it is filled, the starts end up right.
    first[:] = 0
    for particle in flat:
        first[particle + 2] += 1
    for i in range(2, len(first)):
        first[i] += first[i - 1]
    for e in range(len(flat)):
        at = flat[e] + 1
        corner[first[at]] = e
        first[at] += 1


@compiled
def neighbors(
    vertices: NDArray[np.int32],
    first: NDArray[np.int64],
    corner: NDArray[np.uint32],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
) -> None:
    """List the particles that share a tetrahedron with each particle.

    Parameters
    ----------
    vertices : (m, 4) int32
        Particles at the corners; no two of them may be neighbours through two images.
    first, corner : (n + 1,) int64 and (4 m,) uint32
        What `stars` writes.
    indptr : (n + 1,) int64
        Written to: where each particle's row starts.
    indices : (most_bonds(n, m),) int32
        Written to: the rows, each in the order in which `corner` comes upon them.
    """
    flat, n = vertices.reshape(-1), len(first) - 1
    seen_by = np.full(n, -1, np.int32)
    found, three = np.uint64(0), np.uint64(3)
    indptr[0] = 0
    for i in range(n):
        for e in range(first[i], first[i + 1]):
            at = np.uint64(corner[e])
            base = at & ~three
            # All three at once, and stored before it is known whether they are new: the
            # processor need not wait for one to look at the next.
            a = flat[base | ((at + np.uint64(1)) & three)]
            b = flat[base | ((at + np.uint64(2)) & three)]
            c = flat[base | ((at + np.uint64(3)) & three)]
            new_a, new_b, new_c = seen_by[a] != i, seen_by[b] != i, seen_by[c] != i
            seen_by[a], seen_by[b], seen_by[c] = i, i, i
            indices[found] = a
            found += np.uint64(new_a)
            indices[found] = b
            found += np.uint64(new_b)
            indices[found] = c
            found += np.uint64(new_c)
        indptr[i + 1] = found


def most_bonds(n: int, m: int) -> int:
    """Say how much room `neighbors` needs for m tetrahedra of n particles.

    A closed star of f tetrahedra has f / 2 + 2 neighbours, by Euler. Three are written ahead.
    """
    return 2 * m + 2 * n + 3
