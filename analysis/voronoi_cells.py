"""Volumes and faces of Voronoi cells, from the Delaunay tetrahedra."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.asked import as_particles
from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.some_stars import Stars
from glasscreep.analysis.tetrahedra import Tetrahedra

# A tetrahedron of less than this part of its edges' volume is flat: its circumcentre is lost
# in rounding, and its share of any face is too small to tell.
_FLAT = 1e-13
# Faces are told apart by a number: the neighbour, then the edges of the box between the two,
# each from -512 to 511.
_BITS = 10
_NO_TRIANGULATION = (
    "tetrahedra must be a triangulation of the periodic box, "
    "got more edges than one has of so many vertices and tetrahedra"
)


class VoronoiFaces(NamedTuple):
    """Faces of all cells, in compressed rows: those of particle i from ``indptr[i]`` on.

    Rows are by increasing neighbour, then by image. In a small box a particle is a neighbour
    by several images, each with a face of its own, and may be its own neighbour.
    """

    indptr: NDArray[np.int64]
    """(n + 1,) first face of each particle."""
    indices: NDArray[np.int64]
    """(n_faces,) particle on the other side."""
    area: NDArray[np.float64]
    """(n_faces,) zero up to rounding, or below it, where cells only touch [length**2]."""
    vector: NDArray[np.float64]
    """(n_faces, 3) from the particle to its neighbour, whose halfway is in the face's plane
    [length]."""

    @property
    def distance(self) -> NDArray[np.float64]:
        """(n_faces,) between the two particles [length]."""
        return np.asarray(np.sqrt((self.vector**2).sum(axis=1)))


def voronoi_volumes(
    positions: ArrayLike,
    box: ArrayLike,
    tetrahedra: Tetrahedra | Stars,
    *,
    only: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Measure the space that is nearer to a particle than to any other.

    Parameters
    ----------
    positions : (n, 3) float
        As they were triangulated [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    tetrahedra : Tetrahedra or Stars
        What `glasscreep.analysis.triangulation.delaunay` makes of them, or
        `glasscreep.analysis.some_stars.delaunay_stars` of them and the same `only`.
    only : (k,) int, optional
        Particles to do; by default all, in their order. Which others are done does not change
        a bit.

    Returns
    -------
    (n,) or (k,) float64
        Volume of each cell; the sum over all is the volume of the box [length**3].

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, a vertex is no particle, a particle does not
        exist, or stars are of another configuration.

    Notes
    -----
    See `voronoi_faces`; a cell is made of pyramids from its particle to its faces.
    """
    points, lattice = as_positions(positions), as_lattice(box)
    rows = as_particles(only, len(points))
    if isinstance(tetrahedra, Stars):
        tetrahedra.demand_same(points, lattice)
        rows, points = tetrahedra.rows(rows), points[tetrahedra.particles]
    _check(tetrahedra, len(points))
    volumes = _sum_volumes(points, lattice, tetrahedra.vertices, tetrahedra.images)
    return volumes if only is None else volumes[rows]


def voronoi_faces(positions: ArrayLike, box: ArrayLike, tetrahedra: Tetrahedra) -> VoronoiFaces:
    r"""Measure the faces that separate the cells of neighbours.

    A face's corners are the circumcentres of the tetrahedra around its Delaunay edge. Each
    tetrahedron ijkl contributes the quadrilateral between the middle of the edge ij, the
    centres of the triangles ijk and ijl, and its own, with a sign,

    .. math:: A_{ij} = \sum_{kl} \frac{r_{ij}}{4}
              [\rho_l \, (r_{ki} \cdot r_{kj}) + \rho_k \, (r_{li} \cdot r_{lj})], \qquad
              \rho_l = \frac{6 V_{ijkc}}{|r_{ki} \times r_{kj}|^2} ,

    with c its circumcentre and :math:`V_{ijkc}` signed like its own volume. So no order
    around the edge is needed, and the sum is well conditioned: that of a nearly flat
    tetrahedron does not depend on where on its axis the circumcentre is.

    Parameters
    ----------
    positions : (n, 3) float
        As they were triangulated [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].
    tetrahedra : Tetrahedra
        What `glasscreep.analysis.triangulation.delaunay` makes of them.

    Returns
    -------
    VoronoiFaces

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, a vertex is no particle, or the
        tetrahedra are no triangulation.
    """
    positions, lattice = as_positions(positions), as_lattice(box)
    _check(tetrahedra, len(positions))
    return VoronoiFaces(*_sum_faces(positions, lattice, tetrahedra.vertices, tetrahedra.images))


def _check(tetrahedra: Tetrahedra | Stars, n: int) -> None:
    vertices, images = tetrahedra.vertices, tetrahedra.images
    if vertices.ndim != 2 or vertices.shape[1] != 4 or images.shape != (*vertices.shape, 3):
        msg = (
            "tetrahedra must have vertices (m, 4) and images (m, 4, 3), "
            f"got {vertices.shape} and {images.shape}"
        )
        raise ValueError(msg)
    lowest, highest = vertices.min(initial=0), vertices.max(initial=-1)
    if lowest < 0 or highest >= n:
        msg = (
            f"vertices must be particles, from 0 to {n - 1}, got {lowest} to {highest}; "
            "take the tetrahedra of these positions"
        )
        raise ValueError(msg)


@compiled
def _shares(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
    edge: NDArray[np.float64],
    share: NDArray[np.float64],
) -> None:
    """Write a tetrahedron's share of six faces, each times the length of its edge.

    In the order of the edges 01, 02, 03, 12, 13, 23; `edge` is room for a (3, 3) array.
    """
    p = vertices[0]
    for v in range(1, 4):
        q = vertices[v]
        for k in range(3):
            shift = 0.0
            for m in range(3):
                shift += np.float64(images[v, m] - images[0, m]) * lattice[m, k]
            edge[v - 1, k] = positions[q, k] - positions[p, k] + shift
    ax, ay, az = edge[0, 0], edge[0, 1], edge[0, 2]  # 01
    bx, by, bz = edge[1, 0], edge[1, 1], edge[1, 2]  # 02
    cx, cy, cz = edge[2, 0], edge[2, 1], edge[2, 2]  # 03
    fx, fy, fz = bx - ax, by - ay, bz - az  # 12
    gx, gy, gz = cx - ax, cy - ay, cz - az  # 13
    hx, hy, hz = cx - bx, cy - by, cz - bz  # 23
    aa = ax * ax + ay * ay + az * az
    bb = bx * bx + by * by + bz * bz
    cc = cx * cx + cy * cy + cz * cz
    # Normals of the triangles opposite each vertex, twice as long as the triangle is large.
    ux, uy, uz = fy * gz - fz * gy, fz * gx - fx * gz, fx * gy - fy * gx  # opposite 0
    px, py, pz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx  # opposite 1
    qx, qy, qz = cy * az - cz * ay, cz * ax - cx * az, cx * ay - cy * ax  # opposite 2
    rx, ry, rz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx  # opposite 3
    volume = ax * px + ay * py + az * pz
    if not volume > _FLAT * np.sqrt(aa * bb * cc):
        share[:] = 0.0
        return
    # The circumcentre, seen from vertex 0.
    scale = 0.5 / volume
    ox = (aa * px + bb * qx + cc * rx) * scale
    oy = (aa * py + bb * qy + cc * ry) * scale
    oz = (aa * pz + bb * qz + cc * rz) * scale
    part_1 = ox * px + oy * py + oz * pz
    part_2 = ox * qx + oy * qy + oz * qz
    part_3 = ox * rx + oy * ry + oz * rz
    rho_0 = (volume - part_1 - part_2 - part_3) / (ux * ux + uy * uy + uz * uz)
    rho_1 = part_1 / (px * px + py * py + pz * pz)
    rho_2 = part_2 / (qx * qx + qy * qy + qz * qz)
    rho_3 = part_3 / (rx * rx + ry * ry + rz * rz)
    ab = ax * bx + ay * by + az * bz
    ac = ax * cx + ay * cy + az * cz
    bc = bx * cx + by * cy + bz * cz
    af = ax * fx + ay * fy + az * fz
    ag = ax * gx + ay * gy + az * gz
    bf = bx * fx + by * fy + bz * fz
    bh = bx * hx + by * hy + bz * hz
    cg = cx * gx + cy * gy + cz * gz
    ch = cx * hx + cy * hy + cz * hz
    fg = fx * gx + fy * gy + fz * gz
    fh = fx * hx + fy * hy + fz * hz
    gh = gx * hx + gy * hy + gz * hz
    ff = fx * fx + fy * fy + fz * fz
    gg = gx * gx + gy * gy + gz * gz
    hh = hx * hx + hy * hy + hz * hz
    share[0] = 0.25 * aa * (rho_3 * bf + rho_2 * cg)
    share[1] = 0.25 * bb * (rho_1 * ch - rho_3 * af)
    share[2] = -0.25 * cc * (rho_2 * ag + rho_1 * bh)
    share[3] = 0.25 * ff * (rho_3 * ab + rho_0 * gh)
    share[4] = 0.25 * gg * (rho_2 * ac - rho_0 * fh)
    share[5] = 0.25 * hh * (rho_1 * bc + rho_0 * fg)


@compiled
def _sum_volumes(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
) -> NDArray[np.float64]:
    volumes, room, share = np.zeros(len(positions)), np.empty((3, 3)), np.empty(6)
    for t in range(len(vertices)):
        _shares(positions, lattice, vertices[t], images[t], room, share)
        # Pyramids of half the edge's length as their height.
        volumes[vertices[t, 0]] += (share[0] + share[1] + share[2]) / 6
        volumes[vertices[t, 1]] += (share[0] + share[3] + share[4]) / 6
        volumes[vertices[t, 2]] += (share[1] + share[3] + share[5]) / 6
        volumes[vertices[t, 3]] += (share[2] + share[4] + share[5]) / 6
    return volumes


@compiled
def _sum_faces(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    vertices: NDArray[np.int32],
    images: NDArray[np.int8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    n = len(positions)
    share, room = np.empty((len(vertices), 6)), np.empty((3, 3))
    image = np.empty((len(vertices), 4), np.int32)
    around, own_images = np.zeros(n + 1, np.int64), 0
    for t in range(len(vertices)):
        _shares(positions, lattice, vertices[t], images[t], room, share[t])
        for v in range(4):
            around[vertices[t, v] + 1] += 1
            for w in range(v):
                own_images += vertices[t, v] == vertices[t, w]
            edges = 0
            for k in range(3):
                edges = (edges << _BITS) + images[t, v, k]
            image[t, v] = edges
    for i in range(n):
        around[i + 1] += around[i]
    free, corners = around[:-1].copy(), np.empty(around[n], np.uint32)
    for t in range(len(vertices)):
        for v in range(4):
            p = vertices[t, v]
            corners[free[p]] = 4 * t + v
            free[p] += 1

    # Each face once, in the row of the lower of its two particles; twice if it separates a
    # particle from its own image. A triangulation of a periodic box has as many edges as
    # vertices and tetrahedra, and at least three tetrahedra around each.
    start = np.zeros(n + 1, np.int64)
    most = n + len(vertices) + own_images // 3
    keys, sums = np.empty(most, np.int64), np.empty(most)
    last = np.zeros(n, np.int64)  # where each neighbour's face is that was met last
    for i in range(n):
        first = stop = start[i]
        for corner in corners[around[i] : around[i + 1]]:
            t, v = int(corner >> 2), int(corner & 3)
            for w in range(4):
                j = int(vertices[t, w])
                if j < i or v == w:
                    continue
                key = (j << 3 * _BITS) + image[t, w] - image[t, v]
                at = last[j]
                if not (first <= at < stop and keys[at] == key):
                    at = first
                    while at < stop and keys[at] != key:
                        at += 1
                    last[j] = at
                if at == len(keys):
                    raise ValueError(_NO_TRIANGULATION)
                if at == stop:
                    keys[at], sums[at] = key, 0.0
                    stop += 1
                low, high = min(v, w), max(v, w)
                sums[at] += share[t, low * (5 - low) // 2 + high - 1]
        start[i + 1] = stop
    return _both_ways(positions, lattice, start, keys, sums)


@compiled
def _neighbor(key: int) -> int:
    return (key + (1 << 3 * _BITS - 1)) >> 3 * _BITS


@compiled
def _both_ways(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    start: NDArray[np.int64],
    keys: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Enter each face in the rows of both its particles."""
    n = len(positions)
    indptr = np.zeros(n + 1, np.int64)
    for i in range(n):
        indptr[i + 1] += start[i + 1] - start[i]
        for face in range(start[i], start[i + 1]):
            j = _neighbor(keys[face])
            if j != i:
                indptr[j + 1] += 1
            key, share, at = keys[face], sums[face], face
            while at > start[i] and keys[at - 1] > key:
                keys[at], sums[at] = keys[at - 1], sums[at - 1]
                at -= 1
            keys[at], sums[at] = key, share
    for i in range(n):
        indptr[i + 1] += indptr[i]
    indices, area = np.empty(indptr[n], np.int64), np.empty(indptr[n])
    vector = np.empty((indptr[n], 3))
    free, edges = indptr[:-1].copy(), np.empty(3)
    # Rows are taken in order, so that the lower neighbours of each come into its row in
    # order, and before the higher ones; backwards, as images are the other way round.
    for i in range(n):
        own = free[i] + start[i + 1] - start[i]
        free[i] = own
        for face in range(start[i + 1] - 1, start[i] - 1, -1):
            own -= 1
            j = _neighbor(keys[face])
            left, half = keys[face] - (j << 3 * _BITS), 1 << _BITS - 1
            for k in range(2, -1, -1):
                edge = ((left + half) & (2 * half - 1)) - half
                left = (left - edge) >> _BITS
                edges[k] = edge
            squared = 0.0
            for k in range(3):
                step = positions[j, k] - positions[i, k]
                for m in range(3):
                    step += edges[m] * lattice[m, k]
                vector[own, k] = step
                squared += step * step
            indices[own], area[own] = j, sums[face] / np.sqrt(squared)
            if j != i:
                other = free[j]
                free[j] += 1
                indices[other], area[other] = i, area[own]
                for k in range(3):
                    vector[other, k] = -vector[own, k]
    return indptr, indices, area, vector
