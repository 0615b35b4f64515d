"""Distances to nearest neighbours by species: known of a lattice, and those of a slow search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

from glasscreep.analysis.nearest import nearest_distances
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_faces

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
LEANING = np.array([[6.0, 0, 0], [1.3, 5, 0], [-0.7, 0.4, 7]])


def slowly(positions, box, species, a, b):
    """Of each particle of one species, the faces of its Voronoi cell with the other."""
    faces = voronoi_faces(positions, box, delaunay(positions, box))
    found = []
    for i in np.flatnonzero(species == a):
        own = slice(faces.indptr[i], faces.indptr[i + 1])
        distances = faces.distance[own][species[faces.indices[own]] == b]
        if len(distances):
            found.append(distances.min())
    return np.mean(found) if found else np.nan


@given(rngs)
def test_are_those_of_a_slow_search(rng):
    positions, species = rng.random((60, 3)) @ LEANING, rng.integers(1, 3, 60)
    found = nearest_distances(positions, LEANING, species, 2)
    for a, b in np.ndindex(2, 2):
        expected = slowly(positions, LEANING, species, a + 1, b + 1)
        np.testing.assert_allclose(found[a, b], expected, rtol=1e-12)


@given(rngs)
def test_of_one_species_are_those_of_all(rng):
    positions = rng.random((80, 3)) * 5
    nearest = KDTree(positions, boxsize=5).query(positions, 2)[0][:, 1]
    found = nearest_distances(positions, [5, 5, 5], np.ones(80, int), 1)
    np.testing.assert_allclose(found, [[nearest.mean()]], rtol=1e-12)


@given(rngs, st.permutations(range(30)))
def test_depend_on_neither_order_nor_image(rng, order):
    positions, species = rng.random((30, 3)) @ LEANING, rng.integers(1, 3, 30)
    moved = positions[order] + rng.integers(-2, 3, (30, 3)) @ LEANING
    np.testing.assert_allclose(
        nearest_distances(moved, LEANING, species[order], 2),
        nearest_distances(positions, LEANING, species, 2),
        rtol=1e-9,
    )


def test_of_rock_salt():
    cells = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    species = 1 + cells.sum(axis=1).astype(int) % 2
    found = nearest_distances(cells, [4, 4, 4], species, 3)
    assert found[0, 1] == found[1, 0] == 1
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()


def test_known_tetrahedra_give_the_same():
    rng = np.random.default_rng(1)
    positions, species = rng.random((40, 3)) @ LEANING, rng.integers(1, 3, 40)
    known = delaunay(positions, LEANING)
    again = nearest_distances(positions, LEANING, species, 2, tetrahedra=known)
    np.testing.assert_array_equal(again, nearest_distances(positions, LEANING, species, 2))


def test_species_beyond_the_number_are_refused():
    with pytest.raises(ValueError, match="whole numbers from 1 to 1"):
        nearest_distances(np.eye(3), [3, 3, 3], [1, 1, 2], 1)
