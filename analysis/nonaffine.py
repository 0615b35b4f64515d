"""Non-affine squared displacement."""

import numpy as np
from numpy.typing import NDArray

from glasscreep.analysis.affine_fit import fit_affine


def d2min(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    box_before: NDArray[np.float64],
    box_after: NDArray[np.float64],
    cutoff: float = 2.5,
    *,
    total: bool = False,
) -> NDArray[np.float64]:
    r"""Measure how far each neighbourhood departs from an affine deformation.

    Fit to each particle :math:`i` the general 3x3 matrix :math:`F_i` that best carries
    the bonds to its :math:`n_i` neighbours from ``before`` to ``after``, and return the
    mean of what the fit leaves over,

    .. math:: D^2_{\min,i} = \frac{1}{n_i} \sum_j |r'_{ij} - F_i r_{ij}|^2 .

    Neighbours are all particles, of whatever species, within ``cutoff`` at ``before``.
    What a bond moves by is the minimum image of the relative displacement of its ends,
    each in fractions of its own configuration's box; it is measured in the box ``after``.

    Parameters
    ----------
    before, after : (n, 3) float
        Any image of each particle at the two instants, in the same order [length].
    box_before, box_after : (3,) or (3, 3) float
        Edge lengths of the periodic box, or its edge vectors, one a row; each is to become
        the one in the same place, so don't let a sheared box flip in between [length].
    cutoff : float
        Largest distance between neighbours [length].
    total : bool
        Whether to return the sum, as Falk and Langer and as OVITO do, and not the mean.

    Returns
    -------
    (n,) float64
        Mean over neighbours, or their sum [length**2]. ``nan`` where the bonds of a particle
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
    fit = fit_affine(before, after, box_before, box_after, cutoff, gradient=False)
    return fit.residual if total else fit.residual / np.maximum(fit.bonds, 1)
