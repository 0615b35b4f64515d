"""Which particles something is asked of, where not of all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_particles(only: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Take the particles that are asked for, refusing what is none.

    Parameters
    ----------
    only : (k,) int, optional
        Particles, in any order, also several times; by default all.
    n : int
        Number of particles.

    Returns
    -------
    (k,) int64

    Raises
    ------
    ValueError
        If the shape is another, or there is no such particle.
    """
    if only is None:
        return np.arange(n)
    particles = np.asarray(only)
    whole = particles.ndim == 1 and (particles.size == 0 or particles.dtype.kind in "iu")
    if not whole:
        msg = (
            f"only must be (k,) whole numbers of particles from 0 to {n - 1}, "
            f"got {particles.shape} {particles.dtype}"
        )
        raise ValueError(msg)
    wrong = np.flatnonzero((particles < 0) | (particles >= n))
    if len(wrong):
        at = wrong[0]
        msg = (
            f"only must be whole numbers of particles from 0 to {n - 1}, "
            f"got {particles[at]} at {at} of {particles.shape}"
        )
        raise ValueError(msg)
    return particles.astype(np.int64)
