"""Hulls equal Qhull's, and are whole for points in planes and lattices, too."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import ConvexHull

from glasscreep.analysis.hull import hull_cells

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
BOX = 100 * np.eye(3)
GRID = np.argwhere(np.ones((5, 5, 5))) / 2 - 1
SHELLS = {  # neighbours in the triangulation of a crystal, and those that touch in a corner
    "sc": [p for p in GRID if (p % 1 == 0).all() and p.any()],
    "bcc": [p for p in GRID if (np.abs(p) == 0.5).all() or np.abs(p).sum() == np.abs(p).max() == 1],
    "fcc": [p for p in GRID if sorted(np.abs(p)) in ([0, 0.5, 0.5], [0, 0, 1])],
}
# Every array access of these is checked in a process of their own.
ROUGH_CRYSTALS = """
import numpy as np
from glasscreep.analysis.interstices import interstice_features

corners = np.argwhere(np.ones((5, 5, 5)))
cell = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
for seed in (9, 21, 24, 36):
    rng = np.random.default_rng(seed)
    exponent = rng.integers(-50, -20)
    positions = (corners[:, None] + cell).reshape(-1, 3)
    positions = positions + rng.uniform(-1, 1, (500, 3)) * 2.0**exponent
    where = positions, np.full(3, 5.0), np.ones(500, int)
    features = interstice_features(*where, cells="hull", radii=[0.3])
    assert np.isfinite(features).all(), seed
"""


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


def assert_is_hull(cloud, facets):
    """Demand a closed surface without folds, as large as Qhull's."""
    edges = np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert_array_equal(np.unique(edges, axis=0), np.unique(edges[:, ::-1], axis=0))
    assert len(facets) == 2 * len(np.unique(facets)) - 4
    corners = cloud[facets - 1] - cloud.mean(axis=0)
    width = np.ptp(cloud, axis=0).max()
    assert np.linalg.det(corners).min() > -1e-12 * width**3
    assert_allclose(volume(cloud, facets), ConvexHull(cloud, qhull_options="Qt").volume, rtol=1e-11)


@given(rngs, st.sampled_from(list(SHELLS)), st.floats(-60, -15), st.sampled_from([1, 0.9]))
@example(np.random.default_rng(1), "sc", -39.0, 1)
@example(np.random.default_rng(3), "sc", -41.0, 1)
@example(np.random.default_rng(430), "bcc", -42.0, 1)
@example(np.random.default_rng(1), "fcc", -39.0, 1)
@settings(max_examples=200)
def test_crystals_that_are_nearly_perfect(rng, name, exponent, edge):
    """Points that differ from planes and lines by about what rounding leaves uncertain."""
    cloud = rng.permutation(SHELLS[name]) * edge
    cloud = cloud + rng.uniform(-1, 1, cloud.shape) * 2.0**exponent
    assert_is_hull(cloud, hull(cloud)[0])


@pytest.mark.slow
def test_nothing_is_written_out_of_bounds(tmp_path):
    checked = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", ROUGH_CRYSTALS], env=checked, check=True)


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
