"""Local strain is that of the best affine map of each particle's bonds."""

from pathlib import Path

import numpy as np
import pytest
from bonds import random_lattice, slow_gradients
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.deformation import local_strain
from glasscreep.analysis.nonaffine import d2min

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"
BOX = np.full(3, 60.0)

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def mapped(matrix, rng, scale=4.0):
    """Measure a cloud in a corner of a large box before and after a linear map."""
    before = rng.uniform(size=(40, 3)) * scale
    return local_strain(before, before @ np.transpose(matrix), BOX, BOX, 5.0)


@given(rngs)
def test_a_linear_map_is_found(rng):
    matrix = np.eye(3) + rng.normal(scale=0.4, size=(3, 3))
    result = mapped(matrix, rng)
    assert_allclose(result.gradient, np.broadcast_to(matrix, (40, 3, 3)), atol=1e-11)
    strain = (matrix.T @ matrix - np.eye(3)) / 2
    assert_allclose(result.strain, np.broadcast_to(strain, (40, 3, 3)), atol=1e-11)
    assert_allclose(result.d2min, 0, atol=1e-24)


@given(rngs)
def test_a_rotation_is_no_strain(rng):
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    result = mapped(turn, rng)
    assert_allclose(result.gradient, np.broadcast_to(turn, (40, 3, 3)), atol=1e-11)
    assert_allclose(result.strain, 0, atol=1e-11)
    assert_allclose(result.shear, 0, atol=1e-11)


def test_simple_shear():
    angle = 0.1
    result = mapped([[1, angle, 0], [0, 1, 0], [0, 0, 1]], np.random.default_rng(0))
    strain = [[0, angle / 2, 0], [angle / 2, angle**2 / 2, 0], [0, 0, 0]]
    assert_allclose(result.strain, np.broadcast_to(strain, (40, 3, 3)), atol=1e-13)
    assert_allclose(result.shear, np.sqrt(angle**2 / 4 + angle**4 / 12), rtol=1e-12)


def test_stretch_and_dilation():
    stretched = mapped(np.diag([1.2, 1, 1]), np.random.default_rng(0))
    assert_allclose(stretched.shear, 0.22 / np.sqrt(3), rtol=1e-12)
    assert_allclose(mapped(np.eye(3) * 1.2, np.random.default_rng(0)).shear, 0, atol=1e-13)


def test_small_strains_keep_their_digits():
    result = mapped([[1, 1e-9, 0], [0, 1, 0], [0, 0, 1]], np.random.default_rng(0), 2.0)
    assert_allclose(result.strain[:, 0, 1], 5e-10, rtol=1e-6)


@given(rngs)
def test_strain_of_the_box_is_strain(rng):
    box_before = random_lattice(rng, 5.1)
    matrix = np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3))
    before = rng.uniform(size=(60, 3)) @ box_before
    result = local_strain(before, before @ matrix.T, box_before, box_before @ matrix.T)
    assert_allclose(result.gradient, np.broadcast_to(matrix, (60, 3, 3)), atol=1e-12)


@settings(max_examples=15)
@given(rngs)
def test_equals_independent_least_squares(rng):
    box_before = random_lattice(rng, 5.1)
    box_after = box_before @ (np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3)))
    fraction = rng.uniform(size=(50, 3))
    after = fraction @ box_after + rng.normal(scale=0.1, size=(50, 3))
    motion = fraction @ box_before, after, box_before, box_after
    expected, _ = slow_gradients(*motion, 2.5)
    assert_allclose(local_strain(*motion).gradient, expected, rtol=1e-10, atol=1e-12)


def test_the_d2min_that_comes_with_it_is_d2min():
    with np.load(DATA) as data:
        motion = *data["position"][:2], *data["box"][:2]
    assert_array_equal(local_strain(*motion).d2min, d2min(*motion))


def test_of_a_real_glass_neighbourhoods_strain_as_the_box_does():
    with np.load(DATA) as data:
        motion = *data["position"][:2], *data["box"][:2]
    result = local_strain(*motion)
    average = result.gradient.mean(axis=0)
    assert_allclose(average, np.diag(motion[3] / motion[2]), atol=2e-3)
    assert_array_equal(result.strain, result.strain.transpose(0, 2, 1))
    assert 0 < np.median(result.shear) < 0.1


def test_undefined_without_bonds_that_span_space():
    rng = np.random.default_rng(0)
    sheet = np.c_[rng.uniform(10, 12, (20, 2)), np.full(20, 5.0)]
    before = np.concatenate([sheet, rng.uniform(30, 32, (20, 3)), [[50.0, 50, 50]]])
    result = local_strain(before, before + rng.normal(scale=0.1, size=before.shape), BOX, BOX)
    flat = np.r_[np.full(20, True), np.full(20, False), True]
    for array in (result.gradient, result.strain, result.shear, result.d2min):
        assert_array_equal(np.isnan(array).reshape(41, -1).all(axis=1), flat)
        assert np.isfinite(array[~flat]).all()


def test_refusals_say_what_is_wrong():
    few = np.ones((4, 3))
    with pytest.raises(ValueError, match="box_before is too small"):
        local_strain(few, few, np.full(3, 4.9), BOX)
    with pytest.raises(ValueError, match=r"same particles, got shapes \(4, 3\) and \(3, 3\)"):
        local_strain(few, few[:3], BOX, BOX)
