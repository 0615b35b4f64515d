"""Periodic boxes, orthogonal or triclinic, and positions in them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.particle_errors import ParticleError


def as_lattice(box: ArrayLike, name: str = "box") -> NDArray[np.float64]:
    """Take a box in either form as its three edge vectors.

    Parameters
    ----------
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    name : str
        What errors call it.

    Returns
    -------
    (3, 3) float64
        One edge vector a row [length].

    Raises
    ------
    ValueError
        If the shape is another, a number is not finite, or the box has no volume.
    """
    edges = np.asarray(box, np.float64)
    if edges.shape == (3,) and np.isfinite(edges).all() and (edges > 0).all():
        return np.diag(edges)
    if edges.shape == (3, 3) and np.isfinite(edges).all():
        scale = np.abs(edges).max()
        if scale > 0 and abs(np.linalg.det(edges / scale)) > np.finfo(np.float64).eps:
            return np.require(edges, requirements=("C", "W"))
    msg = (
        f"the {name} must be three finite edge lengths above 0, or three edge vectors (3, 3) "
        f"that span a volume, got {edges.tolist()}"
    )
    raise ValueError(msg)


def inverse_of(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert edge vectors: positions times this are fractions of the box."""
    return np.asarray(np.linalg.inv(lattice), np.float64)


def heights(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure the distance between opposite faces.

    Parameters
    ----------
    lattice : (3, 3) float64
        One edge vector a row [length].

    Returns
    -------
    (3,) float64
        Of the faces that the other two vectors span; the edge lengths of an orthogonal box
        [length].
    """
    inverse = inverse_of(lattice)
    return np.asarray(1.0 / np.sqrt((inverse * inverse).sum(axis=0)))


def demand_room(lattice: NDArray[np.float64], cutoff: float, name: str = "box") -> None:
    """Refuse a box in which a particle could be a neighbour of its own image.

    Parameters
    ----------
    lattice : (3, 3) float64
        One edge vector a row [length].
    cutoff : float
        Largest distance between neighbours [length].
    name : str
        What errors call the box.

    Raises
    ------
    ValueError
        Unless ``0 < 2 * cutoff < min(heights)``, all finite.
    """
    demand_cutoff(cutoff)
    smallest = heights(lattice).min()
    if not 2 * cutoff < smallest:
        msg = (
            f"the {name} is too small: its smallest height is {smallest:.6g}, and it must be "
            f"above twice the cutoff, 2 * {cutoff:g} = {2 * cutoff:g}; "
            "take more particles or a smaller cutoff"
        )
        raise ValueError(msg)


def demand_cutoff(cutoff: float) -> None:
    """Refuse what is no distance up to which particles are neighbours.

    Raises
    ------
    ValueError
        Unless it is finite and above 0.
    """
    if not (np.isfinite(cutoff) and cutoff > 0):
        msg = f"cutoff must be finite and above 0, got {cutoff}"
        raise ValueError(msg)


def as_positions(positions: ArrayLike, name: str = "positions") -> NDArray[np.float64]:
    """Take positions, refusing what is none.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    name : str
        What errors call them.

    Returns
    -------
    (n, 3) float64
        Contiguous.

    Raises
    ------
    ValueError
        If the shape is another or a number is not finite; it names the particle.
    """
    # Writable, by a copy if need be: kernels are compiled anew for arrays that are not.
    array = np.require(positions, np.float64, ("C", "W"))
    if array.ndim != 2 or array.shape[1] != 3:
        msg = f"{name} must have shape (n, 3), got {array.shape}"
        raise ValueError(msg)
    finite = np.isfinite(array)
    if not finite.all():
        bad = int(np.argmin(finite.all(axis=1)))
        msg = f"{name} must be finite, got {array[bad].tolist()} at particle {{}}"
        raise ParticleError(msg, bad)
    return array


def wrap(
    positions: NDArray[np.float64], lattice: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Move positions into the box.

    Parameters
    ----------
    positions : (n, 3) float64
        Any image of each particle [length].
    lattice : (3, 3) float64
        One edge vector a row [length].

    Returns
    -------
    (n, 3) float64
        In the box, up to rounding [length].
    (n, 3) int64
        Images: ``wrapped + images @ lattice`` are the positions given.
    """
    # By hand, as a product of matrices starts threads where there are many particles.
    inverse = inverse_of(lattice)
    images = np.empty_like(positions)
    for k in range(3):
        fraction = positions[:, 0] * inverse[0, k]
        fraction += positions[:, 1] * inverse[1, k]
        fraction += positions[:, 2] * inverse[2, k]
        images[:, k] = np.floor(fraction)
    wrapped = positions.copy()
    for k in range(3):
        for edge in range(3):
            if lattice[edge, k] != 0:
                wrapped[:, k] -= images[:, edge] * lattice[edge, k]
    return wrapped, images.astype(np.int64)
