"""Kernels that fit a matrix to what the bonds of each particle move by."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.bond_search import GAP, bond_tables, find_near, list_blocks
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.lanes import (
    Lanes,
    count_within,
    gather,
    if_within,
    load,
    spread,
    store,
    total,
)
from glasscreep.analysis.neighbors import PaddedCells

# Bonds are flat where the determinant of their second moment is below this part of its trace
# cubed: a sheet thinner than a millionth of its width, which rounding can't tell from flat.
FLAT = 1e-13

Gradient = tuple[float, float, float, float, float, float, float, float, float]


@compiled
def shorten_rows(vectors: NDArray[np.float64], facing: NDArray[np.float64]) -> float:
    """Make each vector (n, 3) its shortest image; return the square of the longest then."""
    longest = 0.0
    for i in range(len(vectors)):
        u, v, w = _shorten(vectors[i, 0], vectors[i, 1], vectors[i, 2], facing)
        vectors[i, 0], vectors[i, 1], vectors[i, 2] = u, v, w
        longest = max(longest, u * u + v * v + w * w)
    return longest


@compiled
def _shorten(
    u: float, v: float, w: float, facing: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Find the shortest image of a vector."""
    changed = True
    while changed:
        changed = False
        for face in range(len(facing)):
            x, y, z = facing[face, 0], facing[face, 1], facing[face, 2]
            times = (u * x + v * y + w * z) / (x * x + y * y + z * z)
            # By more than rounding, or a tie would go to and fro for ever.
            if abs(times) > 0.5 + 1e-12:
                times = np.rint(times)
                u, v, w = u - times * x, v - times * y, w - times * z
                changed = True
    return u, v, w


@compiled
def fit_bonds(
    cells: PaddedCells,
    moved: NDArray[np.float64],
    strain: NDArray[np.float64],
    facing: NDArray[np.float64],
    cutoff: float,
    excess: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find each particle's bonds and fit to what they move by.

    Parameters
    ----------
    cells : PaddedCells
        Of the particles before.
    moved : (n, 3) float64
        What each particle moves by besides the strain of the box [length].
    strain : (3, 3) float64
        Of the box: its deformation gradient less the identity.
    facing : (7 or 0, 3) float64
        Facing vectors of the lattice after; none where no bond needs another image [length].
    cutoff : float
        Longest bond [length].
    excess : (n or 0, 3, 3) float64
        Takes each particle's deformation gradient less the identity.

    Returns
    -------
    (n,) float64
        Sum over bonds of what the fit leaves over, squared; `nan` where bonds are flat
        [length**2].
    (n,) int64
        Number of bonds.
    """
    shape, pad, particle = cells.shape, cells.pad, cells.particle
    starts, stops, x, y, z, near, table = bond_tables(cells, moved, cutoff)
    residual, bonds = np.empty(len(moved)), np.empty(len(moved), np.int64)
    blocks = np.empty(len(x) + 2, np.int64)
    found, bond = np.empty(0, np.uint32), np.empty(0)
    limit = spread(cutoff * cutoff)
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            line = cx * shape[1] + cy
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = line * shape[2] + cz
                if starts[cell] == stops[cell]:
                    continue
                n_blocks = list_blocks(starts, stops, cells.row_start, cells.row_stop, cell, blocks)
                if 8 * n_blocks + 8 > len(found):
                    found = np.empty(16 * n_blocks + 8, np.uint32)
                    bond = np.empty(6 * len(found))
                for i in range(starts[cell], stops[cell]):
                    n = find_near(x, y, z, blocks, n_blocks, i, near, found)
                    p = particle[i - GAP * line]
                    bonds[p], second = _take(table, found, i, n, limit, bond)
                    if len(facing):
                        _shorten_all(bond, n, facing)
                    f = _fit_one(bond, n, second)
                    residual[p] = _left_over(bond, n, f)
                    if len(excess):
                        for k in range(9):
                            excess[p, k // 3, k % 3] = f[k] + strain[k // 3, k % 3]
    return residual, bonds


@compiled
def _take(
    table: NDArray[np.float64],
    found: NDArray[np.uint32],
    i: int,
    n: int,
    limit: Lanes,
    bond: NDArray[np.float64],
) -> tuple[int, tuple[float, float, float, float, float, float]]:
    """Write the n bonds of point i into `bond`; return how many count, and their second moment.

    They are written four by four: x, y, z of the bond, and of what it moves by. Zeros are
    written for those beyond the limit.
    """
    x_i, y_i, z_i = spread(table[i, 0]), spread(table[i, 1]), spread(table[i, 2])
    u_i, v_i, w_i = spread(table[i, 3]), spread(table[i, 4]), spread(table[i, 5])
    xx = xy = xz = yy = yz = zz = spread(0.0)
    bonds = -1 - -n % 4  # the point itself is no neighbour, nor what fills up the last four
    for q in range(0, n, 4):
        x, y = gather(table, found, q, 0)
        z, u = gather(table, found, q, 2)
        v, w = gather(table, found, q, 4)
        x, y, z = x - x_i, y - y_i, z - z_i
        squared = x * x + y * y + z * z
        bonds += count_within(squared, limit)
        x, u = if_within(x, squared, limit), if_within(u - u_i, squared, limit)
        y, v = if_within(y, squared, limit), if_within(v - v_i, squared, limit)
        z, w = if_within(z, squared, limit), if_within(w - w_i, squared, limit)
        at = 6 * q
        store(bond, at, x)
        store(bond, at + 4, y)
        store(bond, at + 8, z)
        store(bond, at + 12, u)
        store(bond, at + 16, v)
        store(bond, at + 20, w)
        xx += x * x
        xy += x * y
        xz += x * z
        yy += y * y
        yz += y * z
        zz += z * z
    return bonds, (total(xx), total(xy), total(xz), total(yy), total(yz), total(zz))


@compiled
def _fit_one(
    bond: NDArray[np.float64], n: int, second: tuple[float, float, float, float, float, float]
) -> Gradient:
    """Fit a matrix to what n bonds move by; `nan` if they are flat."""
    xx, xy, xz, yy, yz, zz = second
    det = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    if not det > FLAT * (xx + yy + zz) ** 3:
        xx = np.nan

    ux = uy = uz = vx = vy = vz = wx = wy = wz = spread(0.0)
    for at in range(0, 6 * n, 24):
        x, y, z = load(bond, at), load(bond, at + 4), load(bond, at + 8)
        u, v, w = load(bond, at + 12), load(bond, at + 16), load(bond, at + 20)
        ux += u * x
        uy += u * y
        uz += u * z
        vx += v * x
        vy += v * y
        vz += v * z
        wx += w * x
        wy += w * y
        wz += w * z

    # L D L^T of the second moment.
    l_yx, l_zx = xy / xx, xz / xx
    d_y = yy - l_yx * xy
    l_zy = (yz - l_yx * xz) / d_y
    d_z = zz - l_zx * xz - l_zy * l_zy * d_y
    factors = 1.0 / xx, 1.0 / d_y, 1.0 / d_z, l_yx, l_zx, l_zy
    f_ux, f_uy, f_uz = _solved(factors, total(ux), total(uy), total(uz))
    f_vx, f_vy, f_vz = _solved(factors, total(vx), total(vy), total(vz))
    f_wx, f_wy, f_wz = _solved(factors, total(wx), total(wy), total(wz))
    return f_ux, f_uy, f_uz, f_vx, f_vy, f_vz, f_wx, f_wy, f_wz


@compiled
def _solved(
    factors: tuple[float, float, float, float, float, float], x: float, y: float, z: float
) -> tuple[float, float, float]:
    one_x, one_y, one_z, l_yx, l_zx, l_zy = factors
    y -= l_yx * x
    z -= l_zx * x + l_zy * y
    z *= one_z
    y = y * one_y - l_zy * z
    return x * one_x - l_yx * y - l_zx * z, y, z


@compiled
def _left_over(bond: NDArray[np.float64], n: int, f: Gradient) -> float:
    """Sum the squares of what the fit leaves over.

    A second pass over the bonds, and not the difference of two sums: that would cancel where
    most of the motion is affine.
    """
    f_ux, f_uy, f_uz = spread(f[0]), spread(f[1]), spread(f[2])
    f_vx, f_vy, f_vz = spread(f[3]), spread(f[4]), spread(f[5])
    f_wx, f_wy, f_wz = spread(f[6]), spread(f[7]), spread(f[8])
    left_over = spread(0.0)
    for at in range(0, 6 * n, 24):
        x, y, z = load(bond, at), load(bond, at + 4), load(bond, at + 8)
        u = load(bond, at + 12) - f_ux * x - f_uy * y - f_uz * z
        v = load(bond, at + 16) - f_vx * x - f_vy * y - f_vz * z
        w = load(bond, at + 20) - f_wx * x - f_wy * y - f_wz * z
        left_over += u * u + v * v + w * w
    return total(left_over)


@compiled
def _shorten_all(bond: NDArray[np.float64], n: int, facing: NDArray[np.float64]) -> None:
    """Make what each of n bonds moves by its shortest image."""
    shortest = np.inf
    for face in range(len(facing)):
        x, y, z = facing[face, 0], facing[face, 1], facing[face, 2]
        shortest = min(shortest, x * x + y * y + z * z)
    for q in range(n):
        at = 24 * (q // 4) + q % 4 + 12
        u, v, w = bond[at], bond[at + 4], bond[at + 8]
        if 4 * (u * u + v * v + w * w) > shortest:
            bond[at], bond[at + 4], bond[at + 8] = _shorten(u, v, w, facing)
