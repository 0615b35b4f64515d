"""Non-affine squared displacement."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.box import as_lattice, demand_room, wrap
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.neighbors import PaddedCells, padded_cells

# Bonds are flat where the determinant of their second moment is below this part of its trace
# cubed: a sheet thinner than a millionth of its width, which rounding can't tell from flat.
FLAT = 1e-13


def d2min(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    box_before: NDArray[np.float64],
    box_after: NDArray[np.float64],
    cutoff: float = 2.5,
) -> NDArray[np.float64]:
    r"""Measure how far each neighbourhood departs from an affine deformation.

    Fit to each particle :math:`i` the general 3x3 matrix :math:`F_i` that best carries
    the bonds to its :math:`n_i` neighbours from ``before`` to ``after``, and return the
    mean of what the fit leaves over,

    .. math:: D^2_{\min,i} = \frac{1}{n_i} \sum_j |r'_{ij} - F_i r_{ij}|^2 .

    Neighbours are all particles, of whatever species, within ``cutoff`` at ``before``.
    What a bond moves by is the minimum image of the relative displacement of its ends,
    in fractions of each configuration's own box; it is measured in the box ``after``.

    Parameters
    ----------
    before, after : (n, 3) float
        Any image of each particle at the two instants, in the same order [length].
    box_before, box_after : (3,) float
        Edge lengths of the orthogonal periodic box [length].
    cutoff : float
        Largest distance between neighbours [length].

    Returns
    -------
    (n,) float64
        Mean, not sum, over neighbours [length**2]. ``nan`` where the bonds of a particle
        do not span space and :math:`F_i` is undefined.

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, or the box is too small for the cutoff.

    References
    ----------
    M. L. Falk and J. S. Langer, Phys. Rev. E 57, 7192 (1998), who take the sum; the mean
    as in Wu and Ruiz Pestana, Frontiers in Materials 10 (2023).
    """
    before, after, box_before, box_after = (
        np.ascontiguousarray(array, dtype=np.float64)
        for array in (before, after, box_before, box_after)
    )
    lattice = as_lattice(box_before, "box_before")
    demand_room(lattice, cutoff, "box_before")
    as_lattice(box_after, "box_after")
    _check_positions(before, after)
    # The strain of the box is affine, so it may be left out; written so that what remains
    # is not the rounded difference of two large numbers.
    displacement = (after - before) - before * ((box_after - box_before) / box_before)
    cells = padded_cells(wrap(before, lattice)[0], lattice, float(cutoff))
    return _mean_residual(cells, displacement, box_after, float(cutoff))


def _check_positions(before: NDArray[np.float64], after: NDArray[np.float64]) -> None:
    if before.ndim != 2 or before.shape[1] != 3 or before.shape != after.shape:
        msg = (
            "before and after must both have shape (n, 3), "
            f"got before {before.shape} and after {after.shape}"
        )
        raise ValueError(msg)
    for name, position in (("before", before), ("after", after)):
        finite = np.isfinite(position)
        if not finite.all():
            bad = int(np.argmin(finite.all(axis=1)))
            msg = f"{name} must be finite, got {position[bad].tolist()} at particle {bad}"
            raise ValueError(msg)


@compiled
def _mean_residual(
    cells: PaddedCells,
    displacement: NDArray[np.float64],
    period: NDArray[np.float64],
    cutoff: float,
) -> NDArray[np.float64]:
    """Find each particle's neighbours and fit to what their bonds move by."""
    x, y, z, particle, _, first, shape, pad, row_start, row_stop = cells
    n_points = len(x)
    moved = np.empty((3, n_points))
    for point in range(n_points):
        for k in range(3):
            d = displacement[particle[point], k]
            moved[k, point] = d - np.rint(d / period[k]) * period[k]

    result = np.empty(len(displacement))
    found = np.empty(n_points + 1, np.uint32)
    squared = np.empty(n_points)
    bond = np.empty((6, n_points))
    for cx in range(pad[0], shape[0] - pad[0]):
        for cy in range(pad[1], shape[1] - pad[1]):
            for cz in range(pad[2], shape[2] - pad[2]):
                cell = (cx * shape[1] + cy) * shape[2] + cz
                for i in range(first[cell], first[cell + 1]):
                    n = _find(x, y, z, first, row_start, row_stop, cell, i, cutoff, squared, found)
                    _gather(x, y, z, moved, period, i, n, found, bond)
                    result[particle[i]] = _residual(bond, n) / (n - 1) if n > 1 else np.nan
    return result


@compiled
def _find(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    first: NDArray[np.int64],
    row_start: NDArray[np.int64],
    row_stop: NDArray[np.int64],
    cell: int,
    i: int,
    cutoff: float,
    squared: NDArray[np.float64],
    found: NDArray[np.uint32],
) -> int:
    """List in `found` the points within the cutoff of point i, itself among them."""
    # Read once, as the compiler can't know that the stores below leave them alone.
    x_i, y_i, z_i, cutoff_squared = x[i], y[i], z[i], cutoff * cutoff
    n = np.uint64(0)
    for row in range(len(row_start)):
        start, stop = first[cell + row_start[row]], first[cell + row_stop[row]]
        # Slices, and two loops of which the second does not branch, 3 times faster:
        # the first is vectorised, and a mispredicted branch costs more than a store.
        row_x, row_y, row_z = x[start:stop], y[start:stop], z[start:stop]
        for j in range(stop - start):
            dx, dy, dz = row_x[j] - x_i, row_y[j] - y_i, row_z[j] - z_i
            squared[j] = dx * dx + dy * dy + dz * dz
        for j in range(stop - start):
            found[n] = start + j
            n += np.uint64(squared[j] <= cutoff_squared)
    return int(n)


@compiled
def _gather(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    moved: NDArray[np.float64],
    period: NDArray[np.float64],
    i: int,
    n: int,
    found: NDArray[np.uint32],
    bond: NDArray[np.float64],
) -> None:
    """Write the bonds of point i and what they move by into the rows of `bond`."""
    u, v, w = moved[0], moved[1], moved[2]
    rx, ry, rz, ru, rv, rw = bond[0], bond[1], bond[2], bond[3], bond[4], bond[5]
    x_i, y_i, z_i, u_i, v_i, w_i = x[i], y[i], z[i], u[i], v[i], w[i]
    for q in range(n):
        j = np.uint64(found[q])
        rx[q], ry[q], rz[q] = x[j] - x_i, y[j] - y_i, z[j] - z_i
        ru[q], rv[q], rw[q] = u[j] - u_i, v[j] - v_i, w[j] - w_i
    for k in range(3):
        row, whole, half = bond[3 + k, :n], period[k], 0.5 * period[k]
        for q in range(n):
            d = row[q]
            d = d - whole if d > half else d
            row[q] = d + whole if d < -half else d


@compiled
def _residual(bond: NDArray[np.float64], n: int) -> float:
    """Sum over n bonds what the best affine map leaves over; `nan` if they are flat."""
    rx, ry, rz = bond[0, :n], bond[1, :n], bond[2, :n]
    xx = xy = xz = yy = yz = zz = 0.0
    for q in range(n):
        xx += rx[q] * rx[q]
        xy += rx[q] * ry[q]
        xz += rx[q] * rz[q]
        yy += ry[q] * ry[q]
        yz += ry[q] * rz[q]
        zz += rz[q] * rz[q]

    det = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    if not det > FLAT * (xx + yy + zz) ** 3:
        return np.nan

    # L D L^T of the second moment of the bonds.
    l_yx, l_zx = xy / xx, xz / xx
    d_y = yy - l_yx * xy
    l_zy = (yz - l_yx * xz) / d_y
    d_z = zz - l_zx * xz - l_zy * l_zy * d_y

    total = 0.0
    for k in range(3):
        u = bond[3 + k, :n]
        ux = uy = uz = 0.0
        for q in range(n):
            ux += u[q] * rx[q]
            uy += u[q] * ry[q]
            uz += u[q] * rz[q]
        uy -= l_yx * ux
        uz -= l_zx * ux + l_zy * uy
        f_z = uz / d_z
        f_y = uy / d_y - l_zy * f_z
        f_x = ux / xx - l_yx * f_y - l_zx * f_z
        # A second pass over the bonds, and not the difference of two sums: that would
        # cancel where most of the motion is affine.
        for q in range(n):
            miss = u[q] - f_x * rx[q] - f_y * ry[q] - f_z * rz[q]
            total += miss * miss
    return total
