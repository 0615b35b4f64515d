"""How far the nearest neighbours are, by species."""

from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasscreep.analysis.box import as_lattice, as_positions
from glasscreep.analysis.species import as_species
from glasscreep.analysis.tetrahedra import Tetrahedra
from glasscreep.analysis.triangulation import delaunay


def nearest_distances(
    positions: ArrayLike,
    box: ArrayLike,
    species: ArrayLike,
    n_species: int,
    tetrahedra: Tetrahedra | None = None,
) -> NDArray[np.float64]:
    """Average the distance from a particle to the nearest of its neighbours of a species.

    Neighbours are those that share an edge of the Delaunay triangulation.

    Parameters
    ----------
    positions : (n, 3) float
        Any image of each particle [length].
    box : (3,) or (3, 3) float
        Edge lengths of an orthogonal box, or one edge vector a row [length].
    species : (n,) int
        Of each particle, from 1 to `n_species`.
    n_species : int
        Number of species.
    tetrahedra : Tetrahedra, optional
        What `delaunay` returns for these positions and this box, if it is known.

    Returns
    -------
    (n_species, n_species) float64
        Mean over the particles of the species of the row, to the species of the column; those
        without such a neighbour are left out, and nan if there are no others [length].

    Raises
    ------
    ValueError
        As `delaunay`, and if a species is not allowed.
    """
    places, lattice = as_positions(positions), as_lattice(box)
    kind = as_species(species, len(places), n_species) - 1
    found = delaunay(places, lattice) if tetrahedra is None else tetrahedra
    corners = places[found.vertices] + found.images @ lattice
    nearest = np.full((len(places), n_species), np.inf)
    for a, b in permutations(range(4), 2):
        of, to = found.vertices[:, a], found.vertices[:, b]
        distance = np.sqrt(((corners[:, b] - corners[:, a]) ** 2).sum(axis=1))
        np.minimum.at(nearest, (of, kind[to]), distance)
    means = np.full((n_species, n_species), np.nan)
    for row, column in np.ndindex(means.shape):
        distances = nearest[kind == row, column]
        if np.isfinite(distances).any():
            means[row, column] = distances[np.isfinite(distances)].mean()
    return means
