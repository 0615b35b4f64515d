"""The linear map that best carries each neighbourhood from one configuration to another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.bond_fit import fit_bonds, shorten_rows
from glasscreep.analysis.box import as_lattice, as_positions, demand_cutoff
from glasscreep.analysis.compiled import compiled
from glasscreep.analysis.lattice_reduction import facing_vectors, reduced
from glasscreep.analysis.neighbors import padded_cells

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
    the bond after; `nan` where the bonds do not span space. Empty where not asked for."""


def fit_affine(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    box_before: NDArray[np.float64],
    box_after: NDArray[np.float64],
    cutoff: float,
    *,
    gradient: bool,
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
    gradient : bool
        Whether `excess` is wanted.

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
    _demand_room(facing_vectors(lattice), cutoff)
    cell, facing = reduced(lattice), facing_vectors(target)
    wrapped, moved, strain = _prepared(before, after, lattice, target, cell)
    farthest = shorten_rows(moved, facing)
    cells = padded_cells(wrapped, cell, cutoff, CELLS_PER_CUTOFF)
    # Where no particle moves by a quarter of the box, no bond changes by half of it.
    near = 16 * farthest < _shortest_squared(facing)
    excess = np.empty((len(before) if gradient else 0, 3, 3))
    residual, bonds = fit_bonds(
        cells, moved, strain, facing[:0] if near else facing, cutoff, excess
    )
    return AffineFit(residual, bonds, excess)


def _demand_room(facing: NDArray[np.float64], cutoff: float) -> None:
    """Refuse a box in which two bonds could lead to the same particle, or one to itself."""
    demand_cutoff(cutoff)
    shortest = _shortest_squared(facing) ** 0.5
    if not 2 * cutoff < shortest:
        msg = (
            f"box_before is too small: its shortest period is {shortest:.6g}, and it must be "
            f"above twice the cutoff, 2 * {cutoff:g} = {2 * cutoff:g}; "
            "take more particles or a smaller cutoff"
        )
        raise ValueError(msg)


def _shortest_squared(facing: NDArray[np.float64]) -> float:
    return float((facing * facing).sum(axis=1).min())


@compiled
def _prepared(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    lattice: NDArray[np.float64],
    target: NDArray[np.float64],
    cell: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Wrap into a cell of the lattice; take the strain of the box out of what particles move by.

    Returned is that strain, too. Without BLAS, which rounds differently from one processor to
    another.
    """
    inverse, of_edges, strain = _inverse(cell), _inverse(lattice), np.empty((3, 3))
    for k in range(3):
        for j in range(3):
            strain[k, j] = 0.0
            for i in range(3):
                strain[k, j] += of_edges[j, i] * (target[i, k] - lattice[i, k])
    wrapped, moved = np.empty(before.shape), np.empty(before.shape)
    for i in range(len(before)):
        x, y, z = before[i, 0], before[i, 1], before[i, 2]
        a = np.floor(x * inverse[0, 0] + y * inverse[1, 0] + z * inverse[2, 0])
        b = np.floor(x * inverse[0, 1] + y * inverse[1, 1] + z * inverse[2, 1])
        c = np.floor(x * inverse[0, 2] + y * inverse[1, 2] + z * inverse[2, 2])
        for k in range(3):
            image = a * cell[0, k] + b * cell[1, k] + c * cell[2, k]
            wrapped[i, k] = before[i, k] - image
            # The strain of the box is affine, so it may be left out; written so that what
            # remains is not the rounded difference of two large numbers.
            of_box = x * strain[k, 0] + y * strain[k, 1] + z * strain[k, 2]
            moved[i, k] = (after[i, k] - before[i, k]) - of_box
    return wrapped, moved, strain


@compiled
def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    inverse = np.empty((3, 3))
    for i in range(3):
        for k in range(3):
            a, b, c, d = (i + 1) % 3, (i + 2) % 3, (k + 1) % 3, (k + 2) % 3
            inverse[k, i] = matrix[a, c] * matrix[b, d] - matrix[a, d] * matrix[b, c]
    determinant = 0.0
    for k in range(3):
        determinant += matrix[0, k] * inverse[k, 0]
    for i in range(3):
        for k in range(3):
            inverse[i, k] /= determinant
    return inverse
