"""D2min is zero on affine motion and the mean least-squares residual on any other."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bonds import random_lattice, slow_gradients
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import cKDTree

from glasscreep.analysis.nonaffine import d2min

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
CUTOFF = 2.5

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def slow_d2min(before, after, box_before, box_after, cutoff=CUTOFF):
    """Take each particle by itself: its neighbours from a tree, numpy's least squares.

    Differences are taken in extended precision, or they would be less exact than `d2min`.
    """
    start = before.astype(np.longdouble) / box_before
    shift = after.astype(np.longdouble) / box_after - start
    shift -= np.rint(shift)
    wrapped = np.float64(start - np.floor(start)) % 1.0 * box_before
    near = cKDTree(wrapped, boxsize=box_before).query_ball_point(wrapped, cutoff)
    result = np.full(len(before), np.nan)
    for i, found in enumerate(near):
        others = np.array([j for j in found if j != i], dtype=int)
        apart = start[others] - start[i]
        apart -= np.rint(apart)
        moved = shift[others] - shift[i]
        moved -= np.rint(moved)
        bonds = np.float64(apart * box_before)
        change = np.float64((apart + moved) * box_after - apart * box_before)
        if np.linalg.matrix_rank(bonds) == 3:
            affine = np.linalg.lstsq(bonds, change)[0]
            result[i] = ((change - bonds @ affine) ** 2).sum() / len(others)
    return result


def random_motion(rng, n=120, noise=0.1):
    """Draw points in a small random box, and the same points later."""
    box_before = rng.uniform(5.1, 6.5, 3)
    box_after = box_before * rng.uniform(0.95, 1.05, 3)
    fraction = rng.uniform(size=(n, 3))
    before = fraction * box_before
    after = fraction * box_after + rng.normal(scale=noise, size=(n, 3))
    return before, after, box_before, box_after


def simple_cubic(edge):
    return np.argwhere(np.ones((edge, edge, edge))).astype(float)


@pytest.fixture(scope="module")
def real():
    with np.load(DATA) as data:
        return data["position"], data["box"]


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (2, 0)])
def test_equals_slow_reference_on_a_real_glass(real, pair):
    position, box = real
    frames = [position[frame] for frame in pair], [box[frame] for frame in pair]
    ours = d2min(*frames[0], *frames[1])
    assert_allclose(ours, slow_d2min(*frames[0], *frames[1]), rtol=1e-12)


def test_a_real_glass_has_few_loose_particles(real):
    position, box = real
    result = d2min(position[1], position[2], box[1], box[2])
    assert np.isfinite(result).all()
    assert 0 < (result > 0.25).mean() < 6e-3
    assert 1e-4 < np.median(result) < 1e-3


@given(rngs)
def test_equals_slow_reference_on_random_points(rng):
    motion = random_motion(rng)
    assert_allclose(d2min(*motion), slow_d2min(*motion), rtol=1e-12)


def random_tilted_motion(rng, n=50, noise=0.1):
    """Draw points in a small triclinic box, and the same points in one that is strained."""
    box_before = random_lattice(rng, 5.1)
    box_after = box_before @ (np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3)))
    fraction = rng.uniform(size=(n, 3))
    after = fraction @ box_after + rng.normal(scale=noise, size=(n, 3))
    return fraction @ box_before, after, box_before, box_after


@settings(max_examples=15)
@given(rngs, st.sampled_from([0.1, 3.0]))
def test_equals_slow_reference_in_tilted_boxes(rng, noise):
    # Of the larger noise many bonds go around the box.
    motion = random_tilted_motion(rng, noise=noise)
    left_over = slow_gradients(*motion, CUTOFF)[1]
    assert_allclose(d2min(*motion, total=True), left_over, rtol=1e-11)


@settings(max_examples=20)
@given(rngs)
def test_bonds_that_move_around_the_box_take_the_shortest_way(rng):
    motion = random_motion(rng, noise=5)
    assert_allclose(d2min(*motion), slow_d2min(*motion), rtol=1e-12)


def test_halves_that_part_meet_on_the_other_side():
    # Neither moves by half the box, but they part by more than that.
    rng = np.random.default_rng(1)
    before, box = rng.uniform(0, 6, (120, 3)), np.full(3, 6.0)
    after = before + rng.normal(scale=0.01, size=before.shape)
    after[:, 0] += np.where(before[:, 0] < 3, -1.7, 1.7)
    assert_allclose(d2min(before, after, box, box), slow_d2min(before, after, box, box), rtol=1e-11)


@given(rngs, st.sampled_from([0.1, 3.0]))
def test_description_of_the_box_does_not_matter(rng, noise):
    motion = random_tilted_motion(rng, noise=noise)
    edges = np.array([[1, 0, 0], [5, 1, 0], [-3, 7, 1]])
    tilted = d2min(*motion[:2], *(edges @ box for box in motion[2:]))
    assert_allclose(tilted, d2min(*motion), rtol=1e-9)


@given(rngs)
def test_rotation_of_box_and_particles_changes_nothing(rng):
    motion = random_tilted_motion(rng)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert_allclose(d2min(*(part @ turn for part in motion)), d2min(*motion), rtol=1e-9)


@given(rngs)
def test_edge_lengths_and_edge_vectors_are_one_box(rng):
    before, after, box_before, box_after = random_motion(rng)
    vectors = d2min(before, after, np.diag(box_before), np.diag(box_after))
    assert_array_equal(vectors, d2min(before, after, box_before, box_after))


def test_total_is_the_sum_over_neighbours(real):
    position, box = real
    points = position[0] % box[0]
    near = cKDTree(points, boxsize=box[0]).query_ball_point(points, CUTOFF, return_length=True)
    motion = position[0], position[1], box[0], box[1]
    assert_allclose(d2min(*motion, total=True), d2min(*motion) * (near - 1), rtol=1e-13)


def test_a_distance_just_beyond_the_cutoff_is_beyond():
    # Of each particle twelve distances are the cutoff but for the ninth digit.
    rng = np.random.default_rng(3)
    before, box = simple_cubic(6) * 1.1, np.full(3, 6.6)
    before = before + rng.normal(scale=1e-9, size=before.shape)
    after = before + rng.normal(scale=0.1, size=before.shape)
    motion = before, after, box, box, 1.1 * np.sqrt(2)
    assert_allclose(d2min(*motion), slow_d2min(*motion), rtol=1e-11)


def test_voids_and_clusters_are_no_different():
    # Rows of cells that are nearly empty, beside cells that are full.
    rng = np.random.default_rng(7)
    centers = rng.uniform(0, 30, (12, 3))
    before = (centers[:, None] + rng.normal(scale=0.6, size=(12, 25, 3))).reshape(-1, 3)
    after = before + rng.normal(scale=0.05, size=before.shape)
    box = np.full(3, 30.0)
    assert_allclose(d2min(before, after, box, box), slow_d2min(before, after, box, box), rtol=1e-9)


@given(rngs)
def test_small_departures_from_a_large_affine_motion_keep_their_digits(rng):
    # Points in a corner of a large box, sheared: no strain of the box takes it out.
    before = rng.uniform(size=(40, 3)) * 4
    shear = np.eye(3) + rng.normal(scale=0.2, size=(3, 3))
    after = before @ shear.T + rng.normal(scale=1e-5, size=(40, 3))
    box = np.full(3, 60.0)
    ours, slow = d2min(before, after, box, box, 5.0), slow_d2min(before, after, box, box, 5.0)
    assert_allclose(ours, slow, rtol=1e-8)


@given(rngs)
def test_strain_of_the_box_leaves_nothing(rng):
    before, _, box, other_box = random_motion(rng)
    result = d2min(before, before * (other_box / box), box, other_box)
    assert_allclose(result, 0, atol=1e-26)


@given(rngs)
def test_affine_motion_leaves_nothing(rng):
    before = rng.uniform(size=(40, 3)) * 4
    after = before @ rng.normal(scale=1.0, size=(3, 3)) + rng.normal(size=3)
    box = np.full(3, 60.0)
    assert_allclose(d2min(before, after, box, box, 5.0), 0, atol=1e-26)


def test_one_displaced_particle_in_a_lattice():
    # Six bonds of length 1: their second moment is 2 on the diagonal. The displaced
    # particle sees six bonds move alike, which by symmetry no linear map helps to fit;
    # a neighbour sees one bond move, and its fit takes half of that.
    before, box = simple_cubic(5), np.full(3, 5.0)
    displaced = np.array([0.03, -0.02, 0.06])
    after = before.copy()
    after[62] += displaced
    expected = np.zeros(125)
    expected[62] = displaced @ displaced
    near = cKDTree(before, boxsize=box).query_ball_point(before[62], 1.2)
    expected[[j for j in near if j != 62]] = displaced @ displaced / 2 / 6
    assert_allclose(d2min(before, after, box, box, 1.2), expected, rtol=1e-12, atol=1e-30)


@given(rngs)
def test_translation_changes_nothing(rng):
    before, after, box_before, box_after = random_motion(rng)
    drift = rng.uniform(-20, 20, size=(2, 3))
    moved = d2min(before + drift[0], after + drift[1], box_before, box_after)
    assert_allclose(moved, d2min(before, after, box_before, box_after), rtol=1e-9)


@given(rngs)
def test_image_of_a_particle_does_not_matter(rng):
    before, after, box_before, box_after = random_motion(rng)
    images = rng.integers(-3, 4, size=(2, *before.shape))
    other = d2min(
        before + images[0] * box_before, after + images[1] * box_after, box_before, box_after
    )
    assert_allclose(other, d2min(before, after, box_before, box_after), rtol=1e-9)


@given(rngs)
def test_order_of_the_particles_does_not_matter(rng):
    before, after, *boxes = random_motion(rng)
    order = rng.permutation(len(before))
    shuffled = d2min(before[order], after[order], *boxes)
    assert_allclose(shuffled, d2min(before, after, *boxes)[order], rtol=1e-11)


@given(rngs)
def test_rotations_that_keep_the_box_change_nothing(rng):
    before, after, box_before, box_after = random_motion(rng)
    axes, sign = rng.permutation(3), rng.choice([-1.0, 1.0], 3)
    rotated = d2min(
        before[:, axes] * sign, after[:, axes] * sign, box_before[axes], box_after[axes]
    )
    assert_allclose(rotated, d2min(before, after, box_before, box_after), rtol=1e-10)


@given(rngs, st.floats(1e-3, 1e3))
def test_scales_as_length_squared(rng, scale):
    motion = random_motion(rng)
    scaled = d2min(*(array * scale for array in motion), CUTOFF * scale)
    assert_allclose(scaled, d2min(*motion) * scale**2, rtol=1e-10)


@given(rngs)
def test_undefined_without_bonds_that_span_space(rng):
    tilted = rng.normal(size=(2, 3))
    sheet = rng.uniform(-1, 1, size=(20, 2)) @ tilted / np.abs(tilted).sum() + 10
    line = np.linspace(0, 1, 5)[:, None] * tilted[0] / np.abs(tilted[0]).sum() + 30
    alone = np.full((1, 3), 45.0)
    cloud = rng.uniform(size=(20, 3)) + 52
    before = np.concatenate([sheet, line, alone, cloud])
    box = np.full(3, 60.0)
    result = d2min(before, before + rng.normal(scale=0.1, size=before.shape), box, box)
    assert_array_equal(np.isnan(result), np.arange(len(before)) < 26)


def test_no_particles_is_no_result():
    assert d2min(np.ones((0, 3)), np.ones((0, 3)), np.full(3, 9.0), np.full(3, 9.0)).shape == (0,)


def refusal(**changes):
    good = {
        "before": np.ones((4, 3)),
        "after": np.ones((4, 3)),
        "box_before": np.full(3, 9.0),
        "box_after": np.full(3, 9.0),
        "cutoff": 2.5,
    }
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        d2min(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "the same particles, got shapes (4, 3) and (5, 3)" in refusal(after=np.ones((5, 3)))
    assert "before must have shape (n, 3), got (4, 2)" in refusal(
        before=np.ones((4, 2)), after=np.ones((4, 2))
    )
    small = refusal(box_before=np.array([9.0, 9.0, 4.9]))
    assert "shortest period is 4.9, and it must be above twice the cutoff, 2 * 2.5 = 5" in small
    assert "cutoff must be finite and above 0, got nan" in refusal(cutoff=np.nan)
    assert "cutoff must be finite and above 0, got 0" in refusal(cutoff=0)
    assert "three finite edge lengths above 0, or three edge vectors (3, 3)" in refusal(
        box_after=np.full(2, 9.0)
    )
    assert "that span a volume, got [9.0, -9.0, 9.0]" in refusal(
        box_before=np.array([9.0, -9.0, 9.0])
    )


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_a_number_is_refused_by_particle(name, value):
    position = np.ones((4, 3))
    position[2, 1] = value
    assert refusal(**{name: position}) == (
        f"{name} must be finite, got [1.0, {value}, 1.0] at particle 2"
    )


HASH = """
import hashlib, sys
import numpy as np
from glasscreep.analysis.deformation import local_strain
frames = np.load(sys.argv[1])
position, box = frames["position"], frames["box"]
result = local_strain(position[0], position[1], box[0], box[1])
for array in (result.d2min, result.gradient, result.strain, result.shear):
    print(hashlib.sha256(array).hexdigest())
"""


@pytest.mark.slow
def test_same_bits_just_compiled_or_from_the_cache(tmp_path):
    """What a resumed campaign computes must equal what an undisturbed one does."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", HASH, str(DATA)]
    hashes = {
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        for _ in range(3)
    }
    assert len(hashes) == 1
