"""Displacements are those put in, whatever the box, its strain, and the images chosen."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.displacement import (
    mean_squared_displacement,
    minimum_image,
    non_affine_displacement,
    self_overlap,
    unwrap,
)

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=50)


def random_motion(rng, n=40, size=0.2):
    """Draw a motion whose mean is zero, in a box that deforms, tilts and turns."""
    box_before = np.diag(rng.uniform(4, 6, 3)) + rng.uniform(-1, 1, (3, 3))
    box_after = box_before @ (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    fraction = rng.uniform(-2, 3, (n, 3))
    moved = rng.normal(scale=size, size=(n, 3))
    moved -= moved.mean(axis=0)
    return (fraction @ box_before, fraction @ box_after + moved, box_before, box_after), moved


@few
@given(rngs)
def test_motion_is_found_in_a_deforming_box(rng):
    motion, moved = random_motion(rng)
    assert_allclose(non_affine_displacement(*motion), moved, atol=1e-13)
    assert_allclose(non_affine_displacement(*motion, wrapped=True), moved, atol=1e-13)


@few
@given(rngs)
def test_any_distance_is_found_where_positions_are_unwrapped(rng):
    motion, moved = random_motion(rng, size=20)
    assert_allclose(non_affine_displacement(*motion), moved, atol=1e-12)


@few
@given(rngs)
def test_images_do_not_matter_where_positions_are_wrapped(rng):
    (before, after, box_before, box_after), moved = random_motion(rng)
    images = rng.integers(-3, 4, (2, *before.shape))
    found = non_affine_displacement(
        before + images[0] @ box_before, after + images[1] @ box_after, box_before, box_after, True
    )
    assert_allclose(found, moved, atol=1e-12)


@few
@given(rngs)
def test_edges_that_span_the_same_lattice_do_not_matter(rng):
    (before, after, box_before, box_after), moved = random_motion(rng)
    tilt = np.tril(rng.integers(-9, 10, (3, 3)), -1) + np.eye(3)
    found = non_affine_displacement(before, after, tilt @ box_before, tilt @ box_after, True)
    assert_allclose(found, moved, atol=1e-11)


@few
@given(rngs)
def test_neither_a_common_shift_nor_order_nor_rotation_matter(rng):
    (before, after, box_before, box_after), moved = random_motion(rng)
    order = rng.permutation(len(before))
    shift = rng.uniform(-9, 9, (2, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    found = non_affine_displacement(
        (before + shift[0])[order] @ turn,
        (after + shift[1])[order] @ turn,
        box_before @ turn,
        box_after @ turn,
    )
    assert_allclose(found, moved[order] @ turn, atol=1e-12)


def test_small_motion_in_a_large_strain_keeps_its_digits():
    rng = np.random.default_rng(1)
    before, box = rng.uniform(0, 10, (30, 3)), np.array([10.0, 10.0, 10.0])
    moved = rng.normal(scale=1e-6, size=(30, 3))
    moved -= moved.mean(axis=0)
    stretch = np.array([1.25, 0.75, 1.5])
    found = non_affine_displacement(before, before * stretch + moved, box, box * stretch)
    assert_allclose(found, moved, atol=1e-14)


@few
@given(rngs)
def test_the_shortest_image_however_tilted_the_box(rng):
    tilt = np.tril(rng.integers(-5, 6, (3, 3)), -1) + np.eye(3)
    edges = np.diag(rng.uniform(1, 3, 3)) + rng.uniform(-0.8, 0.8, (3, 3))
    vectors = rng.normal(scale=2, size=(20, 3))
    found = minimum_image(vectors, tilt @ edges)
    steps = (found - vectors) @ np.linalg.inv(edges)
    assert_allclose(steps, np.rint(steps), atol=1e-9)
    shifts = (np.array(list(np.ndindex(9, 9, 9))) - 4) @ edges
    shortest = ((found[:, None] + shifts) ** 2).sum(axis=2).min(axis=1)
    assert_allclose((found**2).sum(axis=1), shortest, rtol=1e-12)


@given(st.tuples(*[st.sampled_from([-1, 1])] * 3), rngs)
def test_the_shortest_image_where_edges_are_shortest_two_by_two_only(signs, rng):
    # Each is the shortest that another can make it, but together they nearly cancel.
    edges = np.linalg.cholesky(np.full((3, 3), -0.48) + 1.48 * np.eye(3))
    vectors = rng.normal(size=(20, 3))
    found = minimum_image(vectors, np.array(signs)[:, None] * edges)
    shifts = (np.array(list(np.ndindex(9, 9, 9))) - 4) @ edges
    shortest = ((found[:, None] + shifts) ** 2).sum(axis=2).min(axis=1)
    assert_allclose((found**2).sum(axis=1), shortest, rtol=1e-12)


def test_the_shortest_image_in_an_orthogonal_box():
    found = minimum_image([[3.0, -2.0, 7.9], [2.4, 0.0, 4.1]], [5, 6, 8])
    assert_allclose(found, [[-2, -2, -0.1], [2.4, 0, -3.9]], atol=1e-15)


def test_images_of_a_real_glass():
    with np.load(DATA) as data:
        position, box, image = data["position"], data["box"], data["image"]
        species = data["species"]
    before, after = (unwrap(position[k], image[k], box[k]) for k in (0, 2))
    assert abs(after - position[2]).max() > 10
    from_images = non_affine_displacement(before, after, box[0], box[2])
    nearest = non_affine_displacement(position[0], position[2], box[0], box[2], wrapped=True)
    assert_allclose(from_images, nearest, atol=1e-13)
    cold, loose = mean_squared_displacement(before, after, box[0], box[2], species)
    assert 1e-3 < cold < loose < 1e-2
    overlap = self_overlap(before, after, box[0], box[2], 0.3, species)
    assert (overlap > 0.98).all()
    assert overlap[1] < overlap[0] < 1


def test_one_particle_moves_and_the_others_stay():
    # The mean of all is taken off: of 10 particles one moves by 9/10, the others by -1/10.
    before = np.arange(30.0).reshape(10, 3)
    after = before.copy()
    after[4, 2] += 1
    box, species = [40, 40, 40], [1] * 4 + [3] * 6
    found = mean_squared_displacement(before, after, box, box)
    assert_allclose(found, (0.81 + 9 * 0.01) / 10, rtol=1e-12)
    found = mean_squared_displacement(before, after, box, box, species)
    assert_allclose(found, [0.01, np.nan, (0.81 + 5 * 0.01) / 6], rtol=1e-12)
    assert self_overlap(before, after, box, box, 0.3) == 0.9
    assert self_overlap(before, after, box, box, 0.91) == 1
    assert self_overlap(before, after, box, box, 0.09) == 0
    found = self_overlap(before, after, box, box, 0.3, species)
    assert_allclose(found, [1, np.nan, 5 / 6])


@few
@given(rngs)
def test_means_equal_those_of_the_vectors(rng):
    motion, moved = random_motion(rng)
    species = np.append(rng.integers(1, 4, 39), 3)
    squared = (moved**2).sum(axis=1)
    assert_allclose(mean_squared_displacement(*motion), squared.mean(), rtol=1e-10)
    assert_allclose(self_overlap(*motion), (squared < 0.09).mean())
    of_each = mean_squared_displacement(*motion, species, wrapped=True)
    near = self_overlap(*motion, 0.3, species, wrapped=True)
    for kind in set(species.tolist()):
        assert_allclose(of_each[kind - 1], squared[species == kind].mean(), rtol=1e-10)
        assert_allclose(near[kind - 1], (squared[species == kind] < 0.09).mean())


def test_no_particles_have_no_mean():
    nobody = np.ones((0, 3)), np.ones((0, 3)), [9, 9, 9], [9, 9, 9]
    assert non_affine_displacement(*nobody, wrapped=True).shape == (0, 3)
    assert np.isnan(mean_squared_displacement(*nobody))
    assert self_overlap(*nobody, 0.3, []).shape == (0,)


def refusal(function, **changes):
    good = {
        "before": np.ones((4, 3)),
        "after": np.ones((4, 3)),
        "box_before": [9, 9, 9],
        "box_after": [9, 9, 9],
    }
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        function(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "before (4, 3) and after (5, 3)" in refusal(
        non_affine_displacement, after=np.ones((5, 3))
    )
    assert "after must be finite, got [1.0, nan, 1.0] at particle 0" in refusal(
        mean_squared_displacement, after=[[1, np.nan, 1]] * 4
    )
    assert "the box after must be" in refusal(self_overlap, box_after=[9, 9, 0])
    assert "the box before must be" in refusal(self_overlap, box_before=[9, 9])
    assert "distance must be finite and above 0, got 0" in refusal(self_overlap, distance=0)
    assert "species must be (4,)" in refusal(mean_squared_displacement, species=[1, 1])
    with pytest.raises(ValueError, match=r"positions \(4, 3\) and images \(3, 3\)"):
        unwrap(np.ones((4, 3)), np.ones((3, 3), int), [9, 9, 9])


def test_where_all_is_an_exact_copy_nothing_moves():
    before = np.random.default_rng(3).uniform(size=(20, 3))
    found = non_affine_displacement(before, before, [1, 1, 1], [1, 1, 1])
    assert_array_equal(found, np.zeros((20, 3)))
