"""The triangulation fills the box with tetrahedra whose spheres are empty, whatever is given."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from qhull import qhull_tetrahedra

from glasscreep.analysis.triangulation import delaunay

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
CRYSTALS = {
    "sc": [[0, 0, 0]],
    "bcc": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "fcc": [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    "diamond": [
        *([0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]),
        *([0.25, 0.25, 0.25], [0.25, 0.75, 0.75], [0.75, 0.25, 0.75], [0.75, 0.75, 0.25]),
    ],
}
FACES = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@pytest.fixture(scope="module")
def real():
    with np.load(DATA) as data:
        return data["position"], data["box"]


def crystal(name, cells):
    corners = np.array(list(itertools.product(range(cells), repeat=3)))
    return (corners[:, None] + np.array(CRYSTALS[name])).reshape(-1, 3), np.full(3, float(cells))


def as_lattice(box):
    return np.diag(box) if np.ndim(box) == 1 else box


def vertices_of(positions, box, tetrahedra):
    return positions[tetrahedra.vertices] + tetrahedra.images @ as_lattice(box)


def assert_fills_the_box(positions, box, tetrahedra):
    sides = np.diff(vertices_of(positions, box, tetrahedra)[:, [0, 1, 0, 2, 0, 3]], axis=1)[:, ::2]
    volumes = np.linalg.det(sides)
    assert (volumes > -1e-9 * np.abs(as_lattice(box)).max() ** 3).all()
    assert_allclose(volumes.sum() / 6, abs(np.linalg.det(as_lattice(box))), rtol=1e-9)
    t, k = np.indices(tetrahedra.across.shape)
    assert_array_equal(np.sort(tetrahedra.across, axis=None), np.repeat(np.arange(len(t)), 4))
    mine = tetrahedra.vertices[t[..., None], FACES[k]]
    for theirs in range(4):  # one of the facets across is the same
        facing = tetrahedra.across[tetrahedra.across, theirs] == t
        other = tetrahedra.vertices[tetrahedra.across[..., None], FACES[theirs]]
        same = (np.sort(mine, axis=-1) == np.sort(other, axis=-1)).all(axis=-1)
        k = np.where(facing & same, -1, k)
    assert (k == -1).all()


def assert_spheres_are_empty(positions, box, tetrahedra, reach=2):
    """Look at every image of every particle, in Python's whole numbers."""
    whole, lattice = (np.array(x, dtype=object) for x in (positions, as_lattice(box)))
    images = np.array(list(itertools.product(range(-reach, reach + 1), repeat=3)), dtype=object)
    everything = (whole[:, None] + images @ lattice).reshape(-1, 3)
    corners = whole[tetrahedra.vertices] + tetrahedra.images.astype(object) @ lattice
    is_degenerate = False
    for corner in corners:
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corner[1:] - corner[0]
        n = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        volume = n[0] * cx + n[1] * cy + n[2] * cz
        assert volume > 0
        a, b, c = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz, cx**2 + cy**2 + cz**2
        centre = [
            a * (by * cz - bz * cy) + b * (cy * az - cz * ay) + c * n[0],
            a * (bz * cx - bx * cz) + b * (cz * ax - cx * az) + c * n[1],
            a * (bx * cy - by * cx) + b * (cx * ay - cy * ax) + c * n[2],
        ]
        apart = everything - corner[0]
        squares, limits = volume * (apart**2).sum(axis=1), apart @ centre
        assert (squares >= limits).all()
        is_degenerate |= (squares == limits).sum() > 4
    assert tetrahedra.is_degenerate == is_degenerate


def random_box(rng, tilted):
    edges = rng.uniform(0.7, 1.4, 3)
    return np.diag(edges) + np.triu(rng.uniform(-0.6, 0.6, (3, 3)), 1) if tilted else edges


@pytest.mark.parametrize("frame", [0, 2])
def test_equals_qhull_on_a_real_glass(real, frame):
    position, box = real[0][frame], real[1][frame]
    ours = delaunay(position, box)
    vertices, images = qhull_tetrahedra(position, box)
    assert_array_equal(ours.vertices, vertices)
    assert_array_equal(ours.images, images)
    assert_fills_the_box(position, box, ours)


@given(rngs, st.sampled_from([12, 30, 80, 150]), st.booleans())
@settings(max_examples=30)
def test_equals_qhull_on_random_points(rng, n, tilted):
    box = random_box(rng, tilted)
    positions = rng.uniform(size=(n, 3)) @ as_lattice(box)
    ours = delaunay(positions, box)
    vertices, images = qhull_tetrahedra(positions, box)
    assert_array_equal(ours.vertices, vertices)
    assert_array_equal(ours.images, images)


def test_random_points_have_as_many_neighbours_as_known():
    n = 20_000
    positions = np.random.default_rng(5).uniform(size=(n, 3))
    tetrahedra = delaunay(positions, np.ones(3))
    faces = 2 * (len(tetrahedra.vertices) / n) + 2
    assert_allclose(faces, 2 + 48 * np.pi**2 / 35, atol=4 * 3.3 / np.sqrt(n))


@pytest.mark.parametrize("cells", [1, 2, 3])
@pytest.mark.parametrize("name", CRYSTALS)
def test_perfect_crystals(name, cells):
    positions, box = crystal(name, cells)
    tetrahedra = delaunay(positions, box)
    assert_fills_the_box(positions, box, tetrahedra)
    if cells < 3:
        whole, edges = (8 * positions).astype(int), (8 * box).astype(int)
        assert_spheres_are_empty(whole, edges, tetrahedra, reach=3 - cells)
    else:  # what is decided on the spheres is the same everywhere
        assert len(tetrahedra.vertices) % 27 == 0


@given(rngs, st.sampled_from(list(CRYSTALS)), st.integers(-52, -10))
@settings(max_examples=30)
def test_crystals_that_are_nearly_perfect(rng, name, exponent):
    positions, box = crystal(name, 3)
    positions = positions + rng.normal(size=positions.shape) * 2.0**exponent
    assert_fills_the_box(positions, box, delaunay(positions, box))


@given(rngs, st.integers(1, 12))
@settings(max_examples=40)
def test_few_points_of_a_small_lattice(rng, n):
    box = rng.integers(3, 6, 3)
    places = np.array(list(itertools.product(*map(range, box))))
    positions = places[rng.choice(len(places), n, replace=False)]
    tetrahedra = delaunay(positions, box)
    assert_fills_the_box(positions, box, tetrahedra)
    assert_spheres_are_empty(positions, box, tetrahedra)


@pytest.mark.parametrize(
    "positions",
    [
        np.zeros((1, 3)),
        np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [4, 0, 0]]),
        np.array([[x, y, 0] for x in range(5) for y in range(5)]),
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]),
    ],
    ids=["one", "line", "plane", "cluster"],
)
def test_sets_that_do_not_fill_the_box(positions):
    tetrahedra = delaunay(positions, np.full(3, 5))
    assert_fills_the_box(positions, np.full(3, 5), tetrahedra)
    assert_spheres_are_empty(positions, np.full(3, 5), tetrahedra)


def test_a_shell_around_one_particle():
    rng = np.random.default_rng(3)
    shell = rng.normal(size=(300, 3))
    shell *= 4 / np.linalg.norm(shell, axis=1)[:, None]
    positions = np.concatenate([[[0, 0, 0]], shell])
    box = np.full(3, 9.0)
    tetrahedra = delaunay(positions, box)
    assert_fills_the_box(positions, box, tetrahedra)
    around = np.unique(tetrahedra.vertices[(tetrahedra.vertices == 0).any(axis=1)])
    assert len(around) == 301


@pytest.mark.parametrize("scale", [2.0**-990, 2.0**-40, 2.0**40, 2.0**990])
def test_size_of_the_box_does_not_matter(scale):
    positions, box = np.random.default_rng(1).uniform(size=(40, 3)), np.array([1.0, 0.9, 1.1])
    for scaled, plain in zip(
        delaunay(positions * scale, box * scale), delaunay(positions, box), strict=True
    ):
        assert_array_equal(scaled, plain)


@given(rngs, st.booleans())
@settings(max_examples=20)
def test_image_of_a_particle_does_not_matter(rng, tilted):
    box = random_box(rng, tilted)
    positions = rng.uniform(size=(30, 3)) @ as_lattice(box)
    images = rng.integers(-5, 6, positions.shape)
    plain, moved = delaunay(positions, box), delaunay(positions + images @ as_lattice(box), box)
    assert_array_equal(moved.vertices, plain.vertices)
    shift = images[plain.vertices[:, :1]] - images[plain.vertices]
    assert_array_equal(moved.images, plain.images + shift)


@given(rngs)
@settings(max_examples=20)
def test_order_of_the_particles_does_not_matter(rng):
    box = np.array([4, 4, 5])
    places = np.array(list(itertools.product(*map(range, box))))
    positions, order = places[rng.choice(len(places), 30, replace=False)], rng.permutation(30)
    plain, shuffled = delaunay(positions, box), delaunay(positions[order], box)
    renamed = order[shuffled.vertices]
    by_name = np.take_along_axis(renamed, np.argsort(renamed, axis=1), axis=1)
    ours = np.sort(plain.vertices, axis=1)
    assert sorted(map(tuple, by_name.tolist())) == sorted(map(tuple, ours.tolist()))


@given(rngs)
@settings(max_examples=20)
def test_translation_does_not_matter(rng):
    positions, box = rng.integers(0, 2**20, (40, 3)), np.full(3, 2**20)
    moved = delaunay(positions + rng.integers(0, 2**20, 3), box)
    plain = delaunay(positions, box)
    assert_array_equal(moved.vertices, plain.vertices)


@given(rngs)
@settings(max_examples=20)
def test_turning_the_box_does_not_matter(rng):
    positions, box = rng.uniform(size=(40, 3)), rng.uniform(0.8, 1.2, 3)
    axes, sign = rng.permutation(3), rng.choice([-1.0, 1.0], 3)
    turned = delaunay(positions[:, axes] * sign, box[axes])
    plain = delaunay(positions, box)
    ours, theirs = (np.sort(one.vertices, axis=1).tolist() for one in (plain, turned))
    assert sorted(ours) == sorted(theirs)


@given(rngs)
@settings(max_examples=20)
def test_the_same_lattice_by_other_edges_does_not_matter(rng):
    # So many that no tetrahedron has a particle twice: which comes first depends on the edges.
    positions, box = rng.integers(0, 2**20, (150, 3)), np.diag([2**20, 2**20, 2**21])
    sheared = box + rng.integers(-3, 4) * np.array([[0, 0, 0], [2**20, 0, 0], [0, 0, 0]])
    plain, other = (
        {
            (*vertices.tolist(), *(images @ edges).ravel().tolist())
            for vertices, images in zip(*delaunay(positions, edges)[:2], strict=True)
        }
        for edges in (box, sheared)
    )
    assert other == plain


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (0, 2), (2, 0)])
def test_repairing_an_earlier_frame_equals_beginning_anew(real, pair):
    (before, after), box = real[0][list(pair)], real[1][list(pair)]
    anew = delaunay(after, box[1])
    repaired = delaunay(after, box[1], delaunay(before, box[0]))
    for ours, theirs in zip(repaired, anew, strict=True):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("pair", [(0, 1), (1, 2)])
def test_following_frames_are_repaired_indeed(real, pair, monkeypatch):
    (before, after), box = real[0][list(pair)], real[1][list(pair)]
    previous = delaunay(before, box[0])

    def fail(grid):
        pytest.fail("began anew")

    monkeypatch.setattr(sys.modules[delaunay.__module__], "find_tetrahedra", fail)
    assert_fills_the_box(after, box[1], delaunay(after, box[1], previous))


@given(rngs, st.floats(-16, 0), st.booleans())
@example(np.random.default_rng(0), -12.59375, True)
@settings(max_examples=25)
def test_repairing_after_any_motion_equals_beginning_anew(rng, exponent, is_crystal):
    if is_crystal:
        before, box = crystal("fcc", 8)
    else:
        before, box = rng.uniform(size=(1500, 3)) * [11, 12, 13], np.array([11.0, 12.0, 13.0])
    after = before * 1.001 + rng.normal(size=before.shape) * 10.0**exponent
    after += rng.integers(-1, 2, before.shape) * box * 1.001
    repaired = delaunay(after, box * 1.001, delaunay(before, box))
    for ours, theirs in zip(repaired, delaunay(after, box * 1.001), strict=True):
        assert_array_equal(ours, theirs)


def test_another_system_is_no_help_but_does_no_harm(real):
    position, box = real[0][1][:3000], real[1][1]
    other = delaunay(real[0][0], real[1][0])
    scrambled = other._replace(vertices=np.random.default_rng(0).permutation(other.vertices))
    garbled = other._replace(across=np.roll(other.across, 7, axis=0))
    anew, all_anew = delaunay(position, box), delaunay(real[0][1], box)
    for ours, theirs in zip(delaunay(position, box, other), anew, strict=True):
        assert_array_equal(ours, theirs)
    for wrong in (scrambled, garbled):
        for ours, theirs in zip(delaunay(real[0][1], box, wrong), all_anew, strict=True):
            assert_array_equal(ours, theirs)


def test_refusals_say_what_is_wrong():
    with pytest.raises(ValueError, match="at least one particle, got none"):
        delaunay(np.empty((0, 3)), np.ones(3))
    with pytest.raises(ValueError, match=r"particles 2 and 4 are at one place"):
        delaunay([[0, 0, 0], [1, 1, 1], [0.5, 0.2, 0], [1, 0, 1.5], [0.5, 2.2, 2]], [2, 2, 2])
    with pytest.raises(ValueError, match=r"finite, got \[0.0, nan, 0.0\] at particle 1"):
        delaunay([[0, 0, 0], [0, np.nan, 0]], np.ones(3))
    with pytest.raises(ValueError, match=r"too empty or too elongated.*more than 6 images"):
        delaunay(np.zeros((1, 3)), [1, 1, 300])
    with pytest.raises(ValueError, match="three finite edge lengths above 0"):
        delaunay(np.zeros((1, 3)), [1, 1, 0])
    with pytest.raises(ValueError, match="wrap them into the box"):
        delaunay([[0, 0, 0], [500.5, 0.5, 0.5]], np.ones(3))
