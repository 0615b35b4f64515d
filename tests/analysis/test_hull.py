"""Hulls equal Qhull's, and are whole for points in planes and lattices, too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import ConvexHull

from glasscreep.analysis.hull import hull_cells

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
BOX = 100 * np.eye(3)


def hull(cloud, center=(0.0, 0.0, 0.0)):
    """Take the hull of the points around one particle, as corners and images of facets."""
    positions = np.concatenate([[center], np.asarray(cloud, float)])
    points = np.column_stack([positions, np.ones(len(positions))])
    indptr = np.array([0, len(cloud), *[len(cloud)] * len(cloud)])
    indices = np.arange(1, len(points), dtype=np.int32)
    inverse = np.linalg.inv(BOX)
    vertices, images, first = hull_cells(points, BOX, inverse, indptr, indices, 0, 1)
    assert_array_equal(first, [0, len(vertices)])
    assert (vertices[:, 0] == 0).all()
    return vertices[:, 1:], images


def volume(cloud, facets):
    """Sum signed volumes, which tell facets that turn the wrong way and holes."""
    middle = np.mean(cloud, axis=0)
    return np.linalg.det(np.asarray(cloud)[facets - 1] - middle).sum() / 6


@given(rngs, st.integers(4, 40))
@settings(max_examples=50)
def test_random_points_have_the_facets_of_qhull(rng, n):
    cloud = rng.normal(size=(n, 3))
    facets, images = hull(cloud)
    ours = sorted(sorted(facet) for facet in (facets - 1).tolist())
    theirs = sorted(sorted(facet) for facet in ConvexHull(cloud).simplices.tolist())
    assert ours == theirs
    assert not images.any()
    assert_allclose(volume(cloud, facets), ConvexHull(cloud).volume, rtol=1e-12)


@given(rngs)
@settings(max_examples=50)
def test_points_of_a_lattice_have_the_volume_of_qhull(rng):
    """Many in one plane, many in one line, in any order and position."""
    grid = np.argwhere(np.ones((3, 3, 3))) - 1.0
    chosen = grid[rng.permutation(27)[: rng.integers(8, 28)]]
    if np.linalg.matrix_rank(chosen - chosen[0]) < 3:
        return
    cloud = chosen @ rng.normal(size=(3, 3)) + rng.normal(size=3)
    facets, _ = hull(cloud)
    assert_allclose(volume(cloud, facets), ConvexHull(cloud).volume, rtol=1e-9)
    edges = np.sort(np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]]))
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_images_lead_to_the_nearest_copies():
    cloud = np.array([[1.0, 0, 0], [-1, 1, 0], [-1, -1, 1], [-1, -1, -1], [-3, 0, 0]])
    center = np.array([0.5, 0, 0])
    facets, images = hull(cloud + center - BOX[0], center)
    assert sorted(np.unique(facets)) == [1, 2, 3, 4, 5]
    assert_array_equal(images, np.broadcast_to([[0] * 3, *[[1, 0, 0]] * 3], images.shape))


@pytest.mark.parametrize(
    "cloud",
    [
        np.eye(3),
        [[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [1, 1, 0]],
        np.ones((6, 1)) * [1, 2, 3],
    ],
    ids=["three", "plane", "one place"],
)
def test_no_facets_without_a_body(cloud):
    facets, _ = hull(cloud)
    assert len(facets) == 0
