"""The linear map that best carries each neighbourhood from one configuration to another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.box import as_lattice, as_positions, demand_room, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.lanes import Lanes, append_within, gather, load, spread, store, total
from glasscreep.analysis.lattice_reduction import facing_vectors
from glasscreep.analysis.neighbors import PaddedCells, padded_cells

# Bonds are flat where the determinant of their second moment is below this part of its trace
# cubed: a sheet thinner than a millionth of its width, which rounding can't tell from flat.
FLAT = 1e-13
# Of halves, thirds: as many bonds are looked at in vain, and there are more cells to fill.
CELLS_PER_CUTOFF = 2


class AffineFit(NamedTuple):
    """The fit to each particle's bonds, and what it leaves over."""

    residual: NDArray[np.float64]
    """(n,) sum over bonds of what the fit leaves over, squared [length**2]; `nan` where the
    bonds do not span space."""
    bonds: NDArray[np.int64]
    """(n,) number of bonds."""
    excess: NDArray[np.float64]
    """(n, 3, 3) the deformation gradient less the identity, ``bond + excess @ bond`` being
    the bond after; `nan` where the bonds do not span space."""


def fit_affine(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    box_before: NDArray[np.float64],
    box_after: NDArray[np.float64],
    cutoff: float,
) -> AffineFit:
    """Fit a linear map to what each particle's bonds move by.

    Bonds go to all particles within `cutoff` at `before`. What a bond moves by is the minimum
    image, in the box `box_after`, of the relative displacement of its ends, each in fractions
    of its own configuration's box.

    Parameters
    ----------
    before, after : (n, 3) float
        Any image of each particle at the two instants, in the same order [length].
    box_before, box_after : (3,) or (3, 3) float
        Edge lengths, or corresponding edge vectors a row [length].
    cutoff : float
        Longest bond [length].

    Returns
    -------
    AffineFit

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, or the box is too small for the cutoff.
    """
    before, after = as_positions(before, "before"), as_positions(after, "after")
    if before.shape != after.shape:
        msg = (
            "before and after must have the same particles, "
            f"got shapes {before.shape} and {after.shape}"
        )
        raise ValueError(msg)
    lattice, target = as_lattice(box_before, "box_before"), as_lattice(box_after, "box_after")
    cutoff = float(cutoff)
    demand_room(lattice, cutoff, "box_before")
    facing = facing_vectors(target)
    strain, moved, farthest = _displacements(before, after, lattice, target, facing)
    cells = padded_cells(wrap(before, lattice)[0], lattice, cutoff, CELLS_PER_CUTOFF)
    # Where no particle moves by a quarter of the box, no bond changes by half of it.
    near = 16 * farthest < _shortest_squared(facing)
    return AffineFit(*_fit(cells, moved, strain, facing[:0] if near else facing, cutoff))


def _shortest_squared(facing: NDArray[np.float64]) -> float:
    return float((facing * facing).sum(axis=1).min())


@compiled
def _displacements(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    lattice: NDArray[np.float64],
    target: NDArray[np.float64],
    facing: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Measure how the box deforms, how particles move besides, and the farthest squared."""
    strain = _strain(lattice, target)
    moved = np.empty(before.shape)
    farthest = 0.0
    for i in range(len(before)):
        x, y, z = before[i]
        for k in range(3):
            # The strain of the box is affine, so it may be left out; written so that what
            # remains is not the rounded difference of two large numbers.
            of_box = x * strain[k, 0] + y * strain[k, 1] + z * strain[k, 2]
            moved[i, k] = (after[i, k] - before[i, k]) - of_box
        squared = _shorten(moved[i], facing)
        farthest = max(farthest, squared)
    return strain, moved, farthest


@compiled
def _strain(lattice: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the map that carries each edge of the lattice to the target's, less the identity."""
    change = target - lattice
    strain = np.empty((3, 3))
    volume = 0.0
    cofactor = np.empty((3, 3))
    for i in range(3):
        for k in range(3):
            a, b, c, d = (i + 1) % 3, (i + 2) % 3, (k + 1) % 3, (k + 2) % 3
            cofactor[i, k] = lattice[a, c] * lattice[b, d] - lattice[a, d] * lattice[b, c]
    for k in range(3):
        volume += lattice[0, k] * cofactor[0, k]
    for k in range(3):
        for j in range(3):
            sum_over_edges = 0.0
            for i in range(3):
                sum_over_edges += change[i, k] * cofactor[i, j]
            strain[k, j] = sum_over_edges / volume
    return strain


@compiled
def _shorten(vector: NDArray[np.float64], facing: NDArray[np.float64]) -> float:
    """Make a vector its shortest image; return its length squared."""
    changed = True
    while changed:
        changed = False
        for face in range(len(facing)):
            x, y, z = facing[face]
            along = vector[0] * x + vector[1] * y + vector[2] * z
            times = along / (x * x + y * y + z * z)
            # More than rounding, or a tie would be broken for ever.
            if abs(times) > 0.5 + 1e-12:
                times = np.rint(times)
                vector[0] -= times * x
                vector[1] -= times * y
                vector[2] -= times * z
                changed = True
    return float(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])


@compiled
def _fit(
    cells: PaddedCells,
    moved: NDArray[np.float64],
    strain: NDArray[np.float64],
    facing: NDArray[np.float64],
    cutoff: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Find each particle's bonds and fit to what they move by."""
    shape, pad, particle = cells.shape, cells.pad, cells.particle
    starts, stops, x, y, z, table = _tables(cells, moved)
    residual, bonds = np.empty(len(moved)), np.empty(len(moved), np.int64)
    excess = np.empty((len(moved), 3, 3))
    blocks = np.empty(len(x) + 4, np.int64)
    found, bond = np.empty(0, np.uint32), np.empty(0)
    limit = spread(cutoff * cutoff)
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            line = cx * shape[1] + cy
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = line * shape[2] + cz
                if starts[cell] == stops[cell]:
                    continue
                n_blocks = _blocks(starts, stops, cells.row_start, cells.row_stop, cell, blocks)
                if 4 * n_blocks + 4 > len(found):
                    found = np.empty(8 * n_blocks + 4, np.uint32)
                    bond = np.empty(6 * len(found))
                for i in range(starts[cell], stops[cell]):
                    n = _find(x, y, z, blocks, n_blocks, i, limit, found)
                    p = particle[i - 3 * line]
                    bonds[p] = n - 1
                    residual[p] = _fit_one(table, found, i, n, facing, bond, excess, p)
                    for k in range(3):
                        for j in range(3):
                            excess[p, k, j] += strain[k, j]
    return residual, bonds, excess


@compiled
def _tables(
    cells: PaddedCells, moved: NDArray[np.float64]
) -> tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
]:
    """Lay out coordinates for reading in lanes, and with displacements for gathering.

    After the points of each line of cells come three that are near to nothing, so that four
    can be read from any point on, and none of another line is among them. In front, the first
    point of each cell, and one beyond its last.
    """
    first, along = cells.first, cells.shape[2]
    lines = (len(first) - 1) // along
    size = len(cells.x) + 3 * lines
    starts, stops = np.empty(lines * along, np.int64), np.empty(lines * along, np.int64)
    x, y, z = np.full(size, np.inf), np.full(size, np.inf), np.full(size, np.inf)
    table = np.empty((size, 6))
    for line in range(lines):
        start, stop, gap = first[line * along], first[(line + 1) * along], 3 * line
        for cell in range(line * along, (line + 1) * along):
            starts[cell], stops[cell] = first[cell] + gap, first[cell + 1] + gap
        for point in range(start, stop):
            at, i = point + gap, cells.particle[point]
            x[at], y[at], z[at] = cells.x[point], cells.y[point], cells.z[point]
            table[at, 0], table[at, 1], table[at, 2] = x[at], y[at], z[at]
            table[at, 3], table[at, 4], table[at, 5] = moved[i, 0], moved[i, 1], moved[i, 2]
    return starts, stops, x, y, z, table


@compiled
def _blocks(
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    row_start: NDArray[np.int64],
    row_stop: NDArray[np.int64],
    cell: int,
    blocks: NDArray[np.int64],
) -> int:
    """List from where on to read four points at a time, to read all that may be neighbours.

    What is read beyond a row is farther than the cutoff: its continuation, or near to nothing.
    """
    n = 0
    for row in range(len(row_start)):
        start, stop = starts[cell + row_start[row]], stops[cell + row_stop[row] - 1]
        # Four blocks are written, which most rows have not; a branch would cost more.
        while start < stop:
            for k in range(4):
                blocks[n + k] = start + 4 * k
            n += min((stop - start + 3) >> 2, 4)
            start += 16
    return n


@compiled
def _find(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    blocks: NDArray[np.int64],
    n_blocks: int,
    i: int,
    limit: Lanes,
    found: NDArray[np.uint32],
) -> int:
    """List in `found` the points within the cutoff of point i, itself among them."""
    x_i, y_i, z_i = spread(x[i]), spread(y[i]), spread(z[i])
    n = 0
    for block in range(n_blocks):
        at = blocks[block]
        dx, dy, dz = load(x, at) - x_i, load(y, at) - y_i, load(z, at) - z_i
        n = append_within(found, n, at, dx * dx + dy * dy + dz * dz, limit)
    # Bonds of length zero fill the last four up.
    found[n], found[n + 1], found[n + 2] = i, i, i
    return n


@compiled
def _fit_one(
    table: NDArray[np.float64],
    found: NDArray[np.uint32],
    i: int,
    n: int,
    facing: NDArray[np.float64],
    bond: NDArray[np.float64],
    excess: NDArray[np.float64],
    particle: int,
) -> float:
    """Fit to the n bonds of point i; return the sum of squares that is left over.

    `bond` takes them four by four: x, y, z, and what each moves by.
    """
    x_i, y_i, z_i = spread(table[i, 0]), spread(table[i, 1]), spread(table[i, 2])
    u_i, v_i, w_i = spread(table[i, 3]), spread(table[i, 4]), spread(table[i, 5])
    s_xx = s_xy = s_xz = s_yy = s_yz = s_zz = spread(0.0)
    for q in range(0, n, 4):
        x, y = gather(table, found, q, 0)
        z, u = gather(table, found, q, 2)
        v, w = gather(table, found, q, 4)
        x, y, z, u, v, w = x - x_i, y - y_i, z - z_i, u - u_i, v - v_i, w - w_i
        at = 6 * q
        store(bond, at, x)
        store(bond, at + 4, y)
        store(bond, at + 8, z)
        store(bond, at + 12, u)
        store(bond, at + 16, v)
        store(bond, at + 20, w)
        s_xx += x * x
        s_xy += x * y
        s_xz += x * z
        s_yy += y * y
        s_yz += y * z
        s_zz += z * z
    xx, xy, xz = total(s_xx), total(s_xy), total(s_xz)
    yy, yz, zz = total(s_yy), total(s_yz), total(s_zz)

    det = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    if not det > FLAT * (xx + yy + zz) ** 3:
        excess[particle] = np.nan
        return np.nan
    if len(facing):
        _shorten_all(bond, n, facing)

    s_ux = s_uy = s_uz = s_vx = s_vy = s_vz = s_wx = s_wy = s_wz = spread(0.0)
    for at in range(0, 6 * n, 24):
        x, y, z = load(bond, at), load(bond, at + 4), load(bond, at + 8)
        u, v, w = load(bond, at + 12), load(bond, at + 16), load(bond, at + 20)
        s_ux += u * x
        s_uy += u * y
        s_uz += u * z
        s_vx += v * x
        s_vy += v * y
        s_vz += v * z
        s_wx += w * x
        s_wy += w * y
        s_wz += w * z

    # L D L^T of the second moment of the bonds.
    l_yx, l_zx = xy / xx, xz / xx
    d_y = yy - l_yx * xy
    l_zy = (yz - l_yx * xz) / d_y
    d_z = zz - l_zx * xz - l_zy * l_zy * d_y
    rows = ((s_ux, s_uy, s_uz), (s_vx, s_vy, s_vz), (s_wx, s_wy, s_wz))
    for k in range(3):
        s_x, s_y, s_z = rows[k]
        b_x = total(s_x)
        b_y = total(s_y) - l_yx * b_x
        b_z = total(s_z) - l_zx * b_x - l_zy * b_y
        f_z = b_z / d_z
        f_y = b_y / d_y - l_zy * f_z
        excess[particle, k, 2] = f_z
        excess[particle, k, 1] = f_y
        excess[particle, k, 0] = b_x / xx - l_yx * f_y - l_zx * f_z
    f = excess[particle]
    f_ux, f_uy, f_uz = spread(f[0, 0]), spread(f[0, 1]), spread(f[0, 2])
    f_vx, f_vy, f_vz = spread(f[1, 0]), spread(f[1, 1]), spread(f[1, 2])
    f_wx, f_wy, f_wz = spread(f[2, 0]), spread(f[2, 1]), spread(f[2, 2])

    # A second pass over the bonds, and not the difference of two sums: that would cancel
    # where most of the motion is affine.
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
    vector = np.empty(3)
    for q in range(n):
        at = 24 * (q // 4) + q % 4 + 12
        for k in range(3):
            vector[k] = bond[at + 4 * k]
        _shorten(vector, facing)
        for k in range(3):
            bond[at + 4 * k] = vector[k]
