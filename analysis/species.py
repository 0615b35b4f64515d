"""Species of particles: whole numbers from 1, as LAMMPS counts its types."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_SPECIES = 100
"""Arrays over pairs of species stay small up to here."""


def as_species(species: ArrayLike, n: int, n_species: int | None = None) -> NDArray[np.int64]:
    """Take the species of particles, refusing what is none.

    Parameters
    ----------
    species : (n,) int
        Of each particle, from 1.
    n : int
        Number of particles.
    n_species : int, optional
        Number of species there may be; by default `MOST_SPECIES`.

    Returns
    -------
    (n,) int64
        Contiguous.

    Raises
    ------
    ValueError
        If the shape is another, or a species is no whole number from 1 to `n_species`; it
        names the particle.
    """
    array = np.asarray(species)
    if array.shape != (n,):
        msg = f"species must be ({n},), one for each of the positions, got {array.shape}"
        raise ValueError(msg)
    most = MOST_SPECIES if n_species is None else n_species
    wrong = ~((array >= 1) & (array <= most) & (array % 1 == 0))
    if wrong.any():
        bad = int(np.argmax(wrong))
        msg = (
            f"species must be whole numbers from 1 to {most}, "
            f"got {array[bad].item()!r} at particle {bad}"
        )
        raise ValueError(msg)
    return np.require(array, np.int64, ("C", "W"))


def symmetric(matrix: ArrayLike, name: str) -> NDArray[np.float64]:
    """Take what two species have in common, refusing what depends on their order.

    Parameters
    ----------
    matrix : (n_species, n_species) float
        One number for each pair of species.
    name : str
        What errors call it.

    Returns
    -------
    (n_species, n_species) float64
        Contiguous.

    Raises
    ------
    ValueError
        If the shape is another, the matrix is not symmetric, or a number is not finite and
        above 0.
    """
    array = np.require(matrix, np.float64, ("C", "W"))
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 0
    if square and (array > 0).all() and np.isfinite(array).all() and (array == array.T).all():
        return array
    msg = (
        f"{name} must be a symmetric matrix over pairs of species, finite and above 0, "
        f"got {array.tolist()}"
    )
    raise ValueError(msg)
