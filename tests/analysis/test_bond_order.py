"""Bond order is that of known crystals, and equals the sum over spherical harmonics."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import cKDTree
from scipy.special import sph_harm_y

from glasscreep.analysis.steinhardt import bond_order
from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_faces

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
CELLS = {
    "sc": [[0, 0, 0]],
    "bcc": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "fcc": [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
}
# q4 and q6 over 6, 14, 8 and 12 neighbours: Mickel et al., J. Chem. Phys. 138, 044501 (2013),
# and Steinhardt et al., Phys. Rev. B 28, 784 (1983).
KNOWN = [
    ("sc", 1.1, [0.76376, 0.35355]),
    ("bcc", 1.1, [0.03637, 0.51069]),
    ("bcc", 0.9, [0.50918, 0.62854]),
    ("fcc", 0.8, [0.19094, 0.57452]),
]

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=20)


def crystal(name, edge):
    cells = np.argwhere(np.ones((edge, edge, edge)))
    return (cells[:, None] + np.array(CELLS[name])).reshape(-1, 3)


def slow_order(vectors, weights, degree):
    """Sum spherical harmonics over the bonds of one particle."""
    x, y, z = vectors.T
    polar, azimuth = np.arccos(z / np.linalg.norm(vectors, axis=1)), np.arctan2(y, x)
    q = [
        (weights * sph_harm_y(degree, m, polar, azimuth)).sum() / weights.sum()
        for m in range(-degree, degree + 1)
    ]
    return np.sqrt(4 * np.pi / (2 * degree + 1) * (np.abs(q) ** 2).sum())


def random_points(rng, n=30):
    lattice = np.diag(rng.uniform(4, 6, 3)) + rng.uniform(-1, 1, (3, 3))
    return rng.uniform(-1, 2, (n, 3)) @ lattice, lattice


@pytest.mark.parametrize(("name", "cutoff", "expected"), KNOWN)
@pytest.mark.parametrize("edge", [1, 3])
def test_crystals_in_boxes_of_any_size(name, cutoff, expected, edge):
    found = bond_order(crystal(name, edge), [edge] * 3, cutoff=cutoff)
    assert_allclose(found, np.tile(expected, (len(found), 1)), atol=5e-6)


@pytest.mark.parametrize(("name", "cutoff"), [("sc", 1.1), ("fcc", 0.8)])
def test_weighted_faces_without_area_do_not_matter(name, cutoff):
    # Where cells touch in a point or line, some such neighbours are in the triangulation.
    positions = crystal(name, 2)
    by_area = bond_order(positions, [2, 2, 2], weighted=True)
    assert_allclose(by_area, bond_order(positions, [2, 2, 2], cutoff=cutoff), atol=1e-12)


def test_an_icosahedron_has_no_order_but_of_degree_6_and_10():
    golden = (1 + np.sqrt(5)) / 2
    corners = [np.roll([0, a, b * golden], k) for a in (-1, 1) for b in (-1, 1) for k in range(3)]
    found = bond_order(np.array([np.zeros(3), *corners]), [20] * 3, (4, 6, 8, 10), cutoff=1.95)
    # Opposite, or at an angle whose squared cosine is 1/5: (2 + 10 P_l) / 12 is left.
    assert_allclose(found[0], [0, np.sqrt(0.44), 0, np.sqrt(1.5808 / 12)], atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_spherical_harmonics_on_a_real_glass(weighted):
    with np.load(DATA) as data:
        positions, box = data["position"][0], data["box"][0]
    tetrahedra = delaunay(positions, box)
    found = bond_order(positions, box, (2, 4, 6), tetrahedra=tetrahedra, weighted=weighted)
    faces = voronoi_faces(positions, box, tetrahedra)
    for i in range(0, len(positions), 500):
        row = slice(faces.indptr[i], faces.indptr[i + 1])
        weights = faces.area[row] if weighted else np.ones(row.stop - row.start)
        expected = [slow_order(faces.vector[row], weights, degree) for degree in (2, 4, 6)]
        assert_allclose(found[i], expected, rtol=1e-12)


@few
@given(rngs, st.lists(st.integers(1, 20), min_size=1, max_size=4, unique=True))
def test_equals_spherical_harmonics_within_a_cutoff(rng, degrees):
    positions, box = rng.uniform(size=(30, 3)) * 5, np.array([5.0, 5.0, 5.0])
    found = bond_order(positions, box, degrees, cutoff=1.2)
    near = cKDTree(positions, boxsize=box).query_ball_point(positions, 1.2)
    for i, others in enumerate(near):
        vectors = positions[[j for j in others if j != i]] - positions[i]
        vectors -= np.rint(vectors / box) * box
        if len(vectors):
            expected = [slow_order(vectors, np.ones(len(vectors)), degree) for degree in degrees]
            assert_allclose(found[i], expected, rtol=1e-9, atol=1e-7)
        else:
            assert np.isnan(found[i]).all()


@few
@given(rngs, st.sampled_from([{}, {"weighted": True}, {"cutoff": 2.0}]))
def test_neither_rotation_nor_origin_nor_images_nor_order_nor_scale_matter(rng, options):
    positions, lattice = random_points(rng)
    order = rng.permutation(len(positions))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    other = positions + rng.uniform(-9, 9, 3) + rng.integers(-3, 4, positions.shape) @ lattice
    expected = bond_order(positions, lattice, **options)
    found = bond_order(
        3 * other[order] @ turn,
        3 * lattice @ turn,
        **(options | ({"cutoff": 6.0} if "cutoff" in options else {})),
    )
    assert_allclose(found, expected[order], rtol=1e-9, atol=1e-7)


@few
@given(rngs)
def test_columns_are_in_the_order_of_the_degrees(rng):
    positions, lattice = random_points(rng)
    found = bond_order(positions, lattice, (8, 2, 5), cutoff=2.0)
    for column, degree in enumerate((8, 2, 5)):
        alone = bond_order(positions, lattice, (degree,), cutoff=2.0)
        assert_array_equal(found[:, column], alone[:, 0])


def refusal(**changes):
    good = {"positions": np.arange(12.0).reshape(4, 3), "box": [9, 10, 11], "cutoff": 3.0}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        bond_order(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "from 1 to 100, got [4, 0]" in refusal(degrees=(4, 0))
    assert "from 1 to 100, got [2.5]" in refusal(degrees=(2.5,))
    assert "from 1 to 100, got [101]" in refusal(degrees=(101,))
    assert "different whole numbers from 1 to 100, got [4, 4]" in refusal(degrees=(4, 4))
    assert "got []" in refusal(degrees=())
    assert "cutoff must be finite and above 0, got 0" in refusal(cutoff=0)
    assert "either a cutoff or Voronoi neighbours" in refusal(weighted=True)
