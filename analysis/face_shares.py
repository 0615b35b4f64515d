"""Shares of a Delaunay tetrahedron in the six Voronoi faces around its edges."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.compiled import compiled

# A tetrahedron of less than this part of its edges' volume is flat: its circumcentre is lost
# in rounding, and its share of any face is too small to tell.
_FLAT = 1e-13


@compiled
def face_shares(
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
