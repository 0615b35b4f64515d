"""Strain of a loaded edge."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def compressive_strain(length: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    r"""Measure by how much of its reference length an edge has become shorter.

    .. math:: \epsilon = 1 - L / L_0

    Two references are in use. From the edge of the *starting* box, the strain contains
    the volume relaxation on loading: a glass quenched at density 1.2 is under tension,
    and about 2 % of it is that. From the edge of the *first relaxed loaded frame*, it
    is creep alone and starts at zero.

    Parameters
    ----------
    length : (...) float
        Edge of the box along the loaded axis; ``nan`` gives ``nan`` [length].
    reference : float or broadcastable to `length`
        Edge that counts as unstrained [length].

    Returns
    -------
    (...) float64
        Positive in compression, negative in extension [1].

    Raises
    ------
    ValueError
        If a length or a reference is infinite, zero or negative, or a reference ``nan``.

    References
    ----------
    Wu and Ruiz Pestana, Frontiers in Materials 10, 1272355 (2023).
    """
    length, reference = np.asarray(length, np.float64), np.asarray(reference, np.float64)
    if not np.all(np.isfinite(reference) & (reference > 0)):
        msg = f"the reference length must be finite and above 0, got {reference.tolist()}"
        raise ValueError(msg)
    wrong = np.isinf(length) | (length <= 0)
    if wrong.any():
        msg = f"a length must be finite and above 0, got {length[wrong].tolist()[:3]}"
        raise ValueError(msg)
    return np.asarray(1.0 - length / reference)
