"""Cells and faces are those of crystals, and Qhull's elsewhere; cells fill the box."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import Voronoi

from glasscreep.analysis.triangulation import delaunay
from glasscreep.analysis.voronoi_cells import voronoi_faces, voronoi_volumes

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
CELLS = {
    "sc": [[0, 0, 0]],
    "bcc": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "fcc": [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
}

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=20)


def crystal(name, edge):
    cells = np.argwhere(np.ones((edge, edge, edge)))
    return (cells[:, None] + np.array(CELLS[name])).reshape(-1, 3)


def qhull_faces(positions, lattice, skin):
    """Measure faces by Qhull, with all images within `skin` of the box."""
    shifts = np.array(sorted(np.ndindex(5, 5, 5), key=lambda s: s != (2, 2, 2))) - 2
    n, inverse = len(positions), np.linalg.inv(lattice)
    wrapped = positions - np.floor(positions @ inverse) @ lattice
    points = ((shifts @ lattice)[:, None] + wrapped).reshape(-1, 3)
    depth, fraction = skin * np.linalg.norm(inverse, axis=0), points @ inverse
    near = ((fraction > -depth) & (fraction < 1 + depth)).all(axis=1)
    near[:n] = True
    particle, voronoi = np.flatnonzero(near) % n, Voronoi(points[near])
    ends = voronoi.ridge_points
    ridges = [corners for corners in voronoi.ridge_vertices if -1 not in corners]
    ends = ends[[-1 not in corners for corners in voronoi.ridge_vertices]]
    sizes = np.array([len(corners) for corners in ridges])
    ridge = np.repeat(np.arange(len(sizes)), sizes)
    first = (np.cumsum(sizes) - sizes)[ridge]
    corner = voronoi.vertices[np.concatenate(ridges)]
    corner -= corner[first]
    fan = np.cross(corner[:-1], corner[1:]) * (ridge[1:] == ridge[:-1])[:, None]
    normal = np.array([np.bincount(ridge[1:], fan[:, k]) for k in range(3)])
    area = np.linalg.norm(normal, axis=0) / 2
    distance = np.linalg.norm(voronoi.points[ends[:, 0]] - voronoi.points[ends[:, 1]], axis=1)
    one, other = np.concatenate([ends, ends[:, ::-1]]).T
    own = one < n
    return in_order(
        one[own], particle[other[own]], np.tile(distance, 2)[own], np.tile(area, 2)[own]
    )


def in_order(center, neighbor, distance, area):
    order = np.lexsort((area, distance.round(9), neighbor, center))
    return center[order], neighbor[order], distance[order], area[order]


def assert_equals_qhull(faces, positions, lattice, skin):
    center = np.repeat(np.arange(len(positions)), np.diff(faces.indptr))
    ours = in_order(center, faces.indices, faces.distance, faces.area)
    theirs = qhull_faces(positions, lattice, skin)
    assert_array_equal(ours[0], theirs[0])
    assert_array_equal(ours[1], theirs[1])
    assert_allclose(ours[2], theirs[2], rtol=1e-12)
    assert_allclose(ours[3], theirs[3], rtol=1e-9, atol=1e-12)


def random_points(rng, n=12):
    lattice = np.diag(rng.uniform(2, 4, 3)) + rng.uniform(-0.7, 0.7, (3, 3))
    return rng.uniform(size=(n, 3)) @ lattice, lattice


def measured(positions, box):
    tetrahedra = delaunay(positions, box)
    return (
        voronoi_volumes(positions, box, tetrahedra),
        voronoi_faces(positions, box, tetrahedra),
    )


def assert_consistent(volumes, faces, box):
    """Cells fill the box, are closed, and are made of the pyramids on their faces."""
    assert_allclose(volumes.sum(), abs(np.linalg.det(np.array(box))), rtol=1e-12)
    center = np.repeat(np.arange(len(volumes)), np.diff(faces.indptr))
    pyramids = np.bincount(center, faces.area * faces.distance / 6)
    assert_allclose(pyramids, volumes, rtol=1e-12)
    outward = (faces.area / faces.distance)[:, None] * faces.vector
    total = [np.bincount(center, outward[:, k]) for k in range(3)]
    assert_allclose(total, 0, atol=1e-12 * faces.area.max())


@few
@given(rngs)
def test_equals_qhull_on_random_points(rng):
    positions, lattice = random_points(rng)
    volumes, faces = measured(positions, lattice)
    assert_consistent(volumes, faces, lattice)
    assert_equals_qhull(faces, positions, lattice, 4.0)


@pytest.mark.slow
def test_equals_qhull_on_a_real_glass():
    with np.load(DATA) as data:
        positions, box = data["position"][0], data["box"][0]
    volumes, faces = measured(positions, box)
    assert_consistent(volumes, faces, np.diag(box))
    assert (faces.area > 0).all()
    assert_equals_qhull(faces, positions, np.diag(box), 2.0)


@pytest.mark.parametrize("noise", [0, 1e-15, 1e-12, 1e-5])
@pytest.mark.parametrize("edge", [1, 2])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sc", {1: 6}),
        ("bcc", {3**0.5 * 3 / 16: 8, 1 / 8: 6}),
        ("fcc", {2**0.5 / 8: 12}),
    ],
)
def test_crystals_where_many_tetrahedra_are_flat(name, expected, edge, noise):
    rng = np.random.default_rng(7)
    positions = crystal(name, edge) + 0.1234
    positions += noise * rng.normal(size=positions.shape)
    box = np.diag([edge] * 3)
    volumes, faces = measured(positions, box)
    assert_consistent(volumes, faces, box)
    assert_allclose(volumes, 1 / len(CELLS[name]), rtol=20 * noise + 1e-14)
    areas = [[area] * number * len(positions) for area, number in expected.items()]
    expected = np.sort(np.concatenate(areas))
    found = np.sort(faces.area)
    assert_allclose(found[-len(expected) :], expected, atol=20 * noise + 1e-14)
    assert_allclose(found[: -len(expected)], 0, atol=20 * noise + 1e-14)


def test_a_rounding_error_does_not_matter_to_flat_tetrahedra():
    # In the exact crystal they have no volume, and no circumcentre.
    exact, box = crystal("sc", 3), [3, 3, 3]
    tetrahedra = delaunay(exact + 1e-12 * np.random.default_rng(2).normal(size=exact.shape), box)
    corner = exact[tetrahedra.vertices] + 3.0 * tetrahedra.images
    assert (np.linalg.det(corner[:, 1:] - corner[:, :1]) == 0).any()
    assert_allclose(voronoi_volumes(exact, box, tetrahedra), 1, rtol=1e-14)
    faces = voronoi_faces(exact, box, tetrahedra)
    assert_consistent(np.ones(27), faces, np.diag(box))
    assert_allclose(faces.area, faces.distance == 1, atol=1e-14)


def test_rows_are_sorted_and_faces_are_shared():
    positions, lattice = random_points(np.random.default_rng(3), n=40)
    _, faces = measured(positions, lattice)
    center = np.repeat(np.arange(40), np.diff(faces.indptr))
    for i in range(40):
        row = faces.indices[faces.indptr[i] : faces.indptr[i + 1]]
        assert_array_equal(row, np.sort(row))
    apart = positions[faces.indices] - positions[center]
    steps = (faces.vector - apart) @ np.linalg.inv(lattice)
    assert_allclose(steps, np.rint(steps), atol=1e-12)
    one = np.lexsort((*faces.vector.T.round(9), faces.indices, center))
    other = np.lexsort((*-faces.vector.T.round(9), center, faces.indices))
    assert_array_equal(center[one], faces.indices[other])
    assert_array_equal(faces.area[one], faces.area[other])


def test_uniform_points_have_as_many_faces_as_theory_says():
    positions = np.random.default_rng(11).uniform(size=(4000, 3))
    volumes, faces = measured(positions, [1, 1, 1])
    assert_consistent(volumes, faces, np.eye(3))
    # Meijering, Philips Res. Rep. 8, 270 (1953): 2 + 48 pi^2 / 35 faces, and an area of
    # (256 pi / 3)^(1/3) Gamma(5/3) per cell at density 1.
    assert_allclose(len(faces.area) / 4000, 2 + 48 * np.pi**2 / 35, rtol=5e-3)
    assert_allclose(faces.area.sum() / 4000 * 4000 ** (2 / 3), 5.82087, rtol=5e-3)
    assert_allclose((volumes * 4000).var(), 0.179, rtol=0.1)


@few
@given(rngs)
def test_neither_rotation_nor_origin_nor_images_nor_order_nor_scale_matter(rng):
    positions, lattice = random_points(rng)
    volumes, faces = measured(positions, lattice)
    order = rng.permutation(len(positions))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    other = positions + rng.uniform(-2, 2, 3) + rng.integers(-2, 3, positions.shape) @ lattice
    other_volumes, other_faces = measured(3 * other[order] @ turn, 3 * lattice @ turn)
    assert_allclose(other_volumes, 27 * volumes[order], rtol=1e-9)
    assert_array_equal(np.diff(other_faces.indptr), np.diff(faces.indptr)[order])
    assert_allclose(np.sort(other_faces.area), 9 * np.sort(faces.area), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", [voronoi_volumes, voronoi_faces])
def test_refusals_say_what_was_got_and_what_is_allowed(measure):
    positions, lattice = random_points(np.random.default_rng(5))
    tetrahedra = delaunay(positions, lattice)

    def refusal(**changes):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
            measure(positions, lattice, tetrahedra._replace(**changes))
        return str(caught.value)

    vertices = tetrahedra.vertices.copy()
    vertices[3, 1] = 12
    assert "particles, from 0 to 11, got 0 to 12" in refusal(vertices=vertices)
    vertices[3, 1] = -1
    assert "particles, from 0 to 11, got -1 to" in refusal(vertices=vertices)
    assert "vertices (m, 4) and images (m, 4, 3)" in refusal(vertices=vertices[:, :3])
    assert "vertices (m, 4) and images (m, 4, 3)" in refusal(images=tetrahedra.images[1:])


def test_what_is_no_triangulation_is_refused():
    positions, lattice = random_points(np.random.default_rng(5), n=300)
    tetrahedra = delaunay(positions, lattice)
    vertices = np.random.default_rng(6).integers(0, 300, tetrahedra.vertices.shape, np.int32)
    with pytest.raises(ValueError, match="must be a triangulation of the periodic box"):
        voronoi_faces(positions, lattice, tetrahedra._replace(vertices=vertices))
