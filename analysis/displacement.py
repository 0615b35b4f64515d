"""How far particles moved, other than with their deforming box."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.species import as_species


def unwrap(positions: ArrayLike, images: ArrayLike, box: ArrayLike) -> NDArray[np.float64]:
    """Undo what periodic boundaries did to positions.

    Parameters
    ----------
    positions : (n, 3) float
        In the box [length].
    images : (n, 3) int
        Edges of the box that each particle has crossed.
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].

    Returns
    -------
    (n, 3) float64
        ``positions + images @ edge vectors`` [length].

    Raises
    ------
    ValueError
        If shapes differ or a number is not finite.
    """
    positions, images = as_positions(positions), as_positions(images, "images")
    _same_shape(positions, images, "positions", "images")
    return positions + images @ as_lattice(box)


def minimum_image(vectors: ArrayLike, box: ArrayLike) -> NDArray[np.float64]:
    """Take the shortest image of each vector, however tilted the box.

    Parameters
    ----------
    vectors : (n, 3) float
        Any image of each [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal periodic box, or its edge vectors [length].

    Returns
    -------
    (n, 3) float64
        One of the shortest images [length].

    Raises
    ------
    ValueError
        If the shape is another or a number is not finite.
    """
    vectors = as_positions(vectors, "vectors")
    lattice = _shortened(as_lattice(box))
    nearest = vectors - np.rint(vectors @ np.linalg.inv(lattice)) @ lattice
    if not np.any(lattice @ lattice.T - np.diag((lattice**2).sum(axis=1))):
        return nearest
    # Rounding fractions finds the shortest only where edges are square to each other; else it
    # is one of the images around, if no edge can be made shorter by another.
    best = nearest.copy()
    for steps in np.ndindex(3, 3, 3):
        other = nearest + (np.array(steps) - 1) @ lattice
        shorter = (other**2).sum(axis=1) < (best**2).sum(axis=1)
        best[shorter] = other[shorter]
    return best


def _shortened(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find edges of the same lattice that no other makes shorter, two by two."""
    edges, shortened = lattice.copy(), True
    while shortened:
        shortened = False
        edges = edges[np.argsort((edges**2).sum(axis=1), kind="stable")]
        for long, short in ((1, 0), (2, 0), (2, 1)):
            squared = edges[long] @ edges[long]
            whole = np.rint(edges[long] @ edges[short] / (edges[short] @ edges[short]))
            edge = edges[long] - whole * edges[short]
            # By more than rounding, or the search might not end.
            if edge @ edge < (1 - 1e-12) * squared:
                edges[long], shortened = edge, True
    return edges


def non_affine_displacement(
    before: ArrayLike,
    after: ArrayLike,
    box_before: ArrayLike,
    box_after: ArrayLike,
    wrapped: bool = False,
) -> NDArray[np.float64]:
    r"""Measure what each particle moved by beyond the homogeneous deformation of the box.

    .. math:: u_i = r'_i - r_i H^{-1} H' - c

    with :math:`H`, :math:`H'` the edge vectors of the two boxes, one a row, and :math:`c`
    the mean of the rest over all particles. A shift of all particles together is no motion
    of a periodic system; without :math:`c` the result would depend on the origin that the
    box deforms about.

    Parameters
    ----------
    before, after : (n, 3) float
        Positions at the two instants, in the same order; see `wrapped` [length].
    box_before, box_after : (3,) or (3, 3) float
        Edge lengths of the orthogonal periodic box, or its edge vectors [length].
    wrapped : bool
        False: positions are unwrapped (see `unwrap`), and any distance may be travelled.
        True: of each particle any image, and it is taken to have moved to the nearest; then
        no particle may have moved by half the box.

    Returns
    -------
    (n, 3) float64
        In the box `box_after` [length].

    Raises
    ------
    ValueError
        If shapes differ or a number is not finite.
    """
    before, after = as_positions(before, "before"), as_positions(after, "after")
    _same_shape(before, after, "before", "after")
    lattice = as_lattice(box_before, "box before")
    deformed = as_lattice(box_after, "box after")
    # The strain of the box apart, and not the difference of two large numbers.
    displacement = (after - before) - before @ (np.linalg.inv(lattice) @ (deformed - lattice))
    if wrapped:
        displacement = minimum_image(displacement, deformed)
    if len(displacement):
        displacement -= displacement.mean(axis=0)
    return displacement


def mean_squared_displacement(
    before: ArrayLike,
    after: ArrayLike,
    box_before: ArrayLike,
    box_after: ArrayLike,
    species: ArrayLike | None = None,
    wrapped: bool = False,
) -> NDArray[np.float64]:
    r"""Average the square of the non-affine displacement, :math:`\langle |u_i|^2 \rangle`.

    What particles move by with their box grows with their distance from the origin and
    says nothing of them; it is left out.

    Parameters
    ----------
    before, after, box_before, box_after, wrapped
        As for `non_affine_displacement`.
    species : (n,) int, optional
        Of each particle, from 1.

    Returns
    -------
    () or (n_species,) float64
        Mean over particles, of each species where those are given; ``nan`` where there are
        none [length**2].

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, or a species is no whole number from 1.
    """
    u = non_affine_displacement(before, after, box_before, box_after, wrapped)
    return _mean((u**2).sum(axis=1), species)


def self_overlap(
    before: ArrayLike,
    after: ArrayLike,
    box_before: ArrayLike,
    box_after: ArrayLike,
    distance: float = 0.3,
    species: ArrayLike | None = None,
    wrapped: bool = False,
) -> NDArray[np.float64]:
    r"""Measure which part of the particles is where it was, :math:`\langle |u_i| < a \rangle`.

    Parameters
    ----------
    before, after, box_before, box_after, wrapped
        As for `non_affine_displacement`.
    distance : float
        Length :math:`a` of the non-affine displacement that counts as gone [length].
    species : (n,) int, optional
        Of each particle, from 1.

    Returns
    -------
    () or (n_species,) float64
        Fraction of all particles, or of each species where those are given; ``nan`` where
        there are none [1].

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, a species is no whole number from 1, or
        `distance` is not finite and above 0.

    References
    ----------
    N. Lacevic, F. W. Starr, T. B. Schroder and S. C. Glotzer, J. Chem. Phys. 119, 7372
    (2003), who take a of 0.3.
    """
    if not (np.isfinite(distance) and distance > 0):
        msg = f"distance must be finite and above 0, got {distance}"
        raise ValueError(msg)
    u = non_affine_displacement(before, after, box_before, box_after, wrapped)
    return _mean(((u**2).sum(axis=1) < distance**2).astype(np.float64), species)


def _mean(values: NDArray[np.float64], species: ArrayLike | None) -> NDArray[np.float64]:
    if species is None:
        return np.asarray(values.mean() if len(values) else np.nan)
    kind = as_species(species, len(values)) - 1
    count, total = np.bincount(kind), np.bincount(kind, values)
    return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))


def _same_shape(
    one: NDArray[np.float64], other: NDArray[np.float64], name: str, other_name: str
) -> None:
    if one.shape != other.shape:
        msg = (
            f"{name} and {other_name} must both have shape (n, 3), "
            f"got {name} {one.shape} and {other_name} {other.shape}"
        )
        raise ValueError(msg)
