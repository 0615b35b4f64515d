"""Strain of each particle's neighbourhood."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.affine_fit import fit_affine
from glasscreep.analysis.compiled import compiled


@dataclass(frozen=True, slots=True)
class LocalStrain:
    """How each particle's neighbourhood deforms; `nan` where its bonds do not span space."""

    gradient: NDArray[np.float64]
    """(n, 3, 3) deformation gradient F that carries a bond, as a column, to the one after."""
    strain: NDArray[np.float64]
    """(n, 3, 3) Green-Lagrangian strain (F^T F - 1) / 2: a turn alone is no strain."""
    shear: NDArray[np.float64]
    """(n,) von Mises shear invariant of the strain: the tensor component of a simple shear,
    half of its shear angle."""
    d2min: NDArray[np.float64]
    """(n,) non-affine squared displacement, mean over neighbours [length**2]."""


def local_strain(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    box_before: NDArray[np.float64],
    box_after: NDArray[np.float64],
    cutoff: float = 2.5,
) -> LocalStrain:
    r"""Measure the strain of each particle's neighbourhood.

    The deformation gradient :math:`F_i` is the general matrix that best carries the bonds of
    particle :math:`i` from ``before`` to ``after``, by least squares as for `d2min`, which
    comes with it at no cost. Then

    .. math:: \eta = \tfrac12 (F^T F - 1), \qquad \eta_\text{shear}^2 = \eta_{xy}^2 +
        \eta_{yz}^2 + \eta_{zx}^2 + \tfrac16 \left[(\eta_{xx} - \eta_{yy})^2 +
        (\eta_{yy} - \eta_{zz})^2 + (\eta_{zz} - \eta_{xx})^2\right].

    Parameters
    ----------
    before, after : (n, 3) float
        Any image of each particle at the two instants, in the same order [length].
    box_before, box_after : (3,) or (3, 3) float
        Edge lengths of the periodic box, or its edge vectors, one a row; each is to become
        the one in the same place, so don't let a sheared box flip in between [length].
    cutoff : float
        Largest distance between neighbours, at ``before`` [length].

    Returns
    -------
    LocalStrain

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, or the box is too small for the cutoff.

    References
    ----------
    F. Shimizu, S. Ogata and J. Li, Materials Transactions 48, 2923 (2007), equations 1 to 4.
    """
    fit = fit_affine(before, after, box_before, box_after, cutoff, gradient=True)
    gradient, strain, shear = _strains(fit.excess)
    return LocalStrain(gradient, strain, shear, fit.residual / np.maximum(fit.bonds, 1))


@compiled
def _strains(
    excess: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    gradient, strain = np.empty_like(excess), np.empty_like(excess)
    shear = np.empty(len(excess))
    for p in range(len(excess)):
        for i in range(3):
            for j in range(3):
                # Of F less the identity, and not of F: that would round small strains away.
                twice = excess[p, i, j] + excess[p, j, i]
                for k in range(3):
                    twice += excess[p, k, i] * excess[p, k, j]
                strain[p, i, j] = 0.5 * twice
                gradient[p, i, j] = excess[p, i, j] + (1.0 if i == j else 0.0)
        squares = 0.0
        for i in range(3):
            j = (i + 1) % 3
            squares += strain[p, i, j] ** 2 + (strain[p, i, i] - strain[p, j, j]) ** 2 / 6
        shear[p] = np.sqrt(squares)
    return gradient, strain, shear
