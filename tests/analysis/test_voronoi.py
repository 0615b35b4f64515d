"""Neighbours are those with a face in common: as known for crystals, as Qhull finds elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from qhull import qhull_neighbors
from test_delaunay import crystal, random_box, rngs

from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi import voronoi_neighbors

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"


def rows(neighbors):
    indptr, indices = neighbors
    return [row.tolist() for row in np.split(indices, indptr[1:-1])]


def test_equals_qhull_on_a_real_glass():
    with np.load(DATA) as data:
        position, box, species = data["position"][2], data["box"][2], data["species"]
    ours = voronoi_neighbors(position, box)
    for mine, theirs in zip(ours, qhull_neighbors(position, box), strict=True):
        assert_array_equal(mine, theirs)
    count = np.diff(ours[0])
    assert 14.7 < count[species == 1].mean() < 14.9
    assert 11.0 < count[species == 2].mean() < 11.3


@given(rngs, st.sampled_from([12, 30, 80]), st.booleans())
@settings(max_examples=25)
def test_equals_qhull_on_random_points(rng, n, tilted):
    box = random_box(rng, tilted)
    positions = rng.uniform(size=(n, 3)) @ (box if tilted else np.diag(box))
    ours, theirs = voronoi_neighbors(positions, box), qhull_neighbors(positions, box)
    assert_array_equal(ours[0], theirs[0])
    assert rows(ours) == [sorted(row) for row in rows(theirs)]


@pytest.mark.parametrize("cells", [1, 2, 4])
@pytest.mark.parametrize(("name", "faces"), [("sc", 6), ("bcc", 14), ("fcc", 12), ("diamond", 16)])
def test_crystals_have_as_many_faces_as_known(name, faces, cells):
    positions, box = crystal(name, cells)
    indptr, indices = voronoi_neighbors(positions, box)
    assert set(np.diff(indptr)) == {faces}
    if cells == 4:
        apart = positions[indices] - np.repeat(positions, faces, axis=0)
        nearest = np.linalg.norm(apart - 4 * np.rint(apart / 4), axis=1).round(9)
        expected = {"sc": 1, "bcc": 2, "fcc": 1, "diamond": 2}[name]
        assert len(set(nearest)) == expected


@given(rngs, st.sampled_from([1, 9, 400]), st.booleans())
@settings(max_examples=20)
def test_from_known_tetrahedra_they_are_the_same(rng, n, is_degenerate):
    box = np.array([7.0, 7.0, 8.0])
    positions = rng.uniform(size=(n, 3)) * box
    if is_degenerate:
        positions = crystal("fcc", 4)[0] * 1.75
    tetrahedra = delaunay(positions, box)
    assert tetrahedra.is_degenerate >= is_degenerate
    known = voronoi_neighbors(positions, box, tetrahedra)
    for mine, theirs in zip(known, voronoi_neighbors(positions, box), strict=True):
        assert_array_equal(mine, theirs)


@given(rngs)
@settings(max_examples=20)
def test_neighbours_are_mutual(rng):
    positions = rng.uniform(size=(100, 3))
    found = rows(voronoi_neighbors(positions, np.ones(3)))
    pairs = [(i, j) for i, row in enumerate(found) for j in row]
    assert sorted(pairs) == sorted((j, i) for i, j in pairs)
    assert all(row == sorted(row) for row in found)
