"""Symmetry functions are sums over neighbours, and belong to the glass, not to its description."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.coordination_numbers import coordination
from glasscreep.analysis.symmetry_functions import RADII, radial_symmetry_functions

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=30)


def slow_functions(positions, lattice, species, radii, width, cutoff):
    """Take every image of every pair."""
    shifts = (np.array(list(np.ndindex(7, 7, 7))) - 3) @ lattice
    apart = positions[None, :] - positions[:, None]
    apart -= np.rint(apart @ np.linalg.inv(lattice)) @ lattice
    distance = np.linalg.norm(apart[:, :, None] + shifts, axis=-1)
    near = (distance < cutoff) & (distance > 0)
    terms = np.exp(-((distance[..., None] - radii) ** 2) / (2 * width**2)) * near[..., None]
    by_kind = [terms[:, species == kind].sum(axis=(1, 2)) for kind in range(1, species.max() + 1)]
    return np.concatenate(by_kind, axis=1)


def random_glass(rng, n=20):
    """Draw a leaning box so small that several images of a particle are near."""
    lattice = np.diag(rng.uniform(2, 4, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    species = np.append(rng.integers(1, 3, n - 1), 2)
    glass = rng.uniform(-1, 2, (n, 3)) @ lattice, lattice, species
    return *glass, rng.uniform(0, 2, rng.integers(1, 5)), rng.uniform(0.1, 1), rng.uniform(0.5, 2.5)


def test_two_particles_have_the_value_of_the_formula():
    positions, box = [[0.5, 1, 1], [9.7, 1, 1]], [10, 10, 10]  # 0.8 apart across a face
    found = radial_symmetry_functions(positions, box, [1, 2], [0.8, 0.9, 1.0], 0.1)
    values = [1, np.exp(-0.5), np.exp(-2)]
    assert_allclose(found, [[0, 0, 0, *values], [*values, 0, 0, 0]], rtol=1e-12)


def test_defaults_reach_past_the_first_shells_of_kob_andersen():
    assert RADII[0] == 0.6
    assert RADII[-1] == 2.5
    assert_allclose(np.diff(RADII), 0.1)
    apart = np.array([2.99, 3.01])
    for distance, value in zip(apart, [np.exp(-0.5 * 4.9**2), 0], strict=True):
        found = radial_symmetry_functions([[1, 1, 1], [1, 1, 1 + distance]], [9, 9, 9], [1, 1])
        assert found.shape == (2, 20)
        assert_allclose(found[:, -1], value, rtol=1e-9)


@few
@given(rngs)
def test_equals_direct_sum(rng):
    glass = random_glass(rng)
    assert_allclose(
        radial_symmetry_functions(*glass), slow_functions(*glass), rtol=1e-9, atol=1e-14
    )


@few
@given(rngs)
def test_neither_origin_nor_images_nor_order_nor_rotation_nor_scale_matter(rng):
    positions, lattice, species, radii, width, cutoff = random_glass(rng)
    order = rng.permutation(len(positions))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.choice([-1, 1])
    other = positions + rng.uniform(-9, 9, 3) + rng.integers(-3, 4, positions.shape) @ lattice
    found = radial_symmetry_functions(
        2 * other[order] @ turn,
        2 * lattice @ turn,
        species[order],
        2 * radii,
        2 * width,
        2 * cutoff,
    )
    expected = radial_symmetry_functions(positions, lattice, species, radii, width, cutoff)
    assert_allclose(found, expected[order], rtol=1e-8, atol=1e-12)


@few
@given(rngs)
def test_some_particles_are_rows_of_all(rng):
    glass = random_glass(rng)
    only = rng.integers(0, 20, rng.integers(0, 9))
    found = radial_symmetry_functions(*glass, only=only)
    assert_array_equal(found, radial_symmetry_functions(*glass)[only])


def test_functions_so_wide_that_they_are_1_count_the_neighbours_of_a_real_glass():
    with np.load(DATA) as data:
        positions, box, species = data["position"][0], data["box"][0], data["species"]
    found = radial_symmetry_functions(positions, box, species, [1.0], 1e9, 1.4)
    assert_allclose(found, coordination(positions, box, np.full((2, 2), 1.4), species))


def test_no_particles_have_no_rows():
    assert radial_symmetry_functions(np.ones((0, 3)), [9, 9, 9], []).shape == (0, 20)
    some = radial_symmetry_functions(np.ones((1, 3)), [9, 9, 9], [2], only=[])
    assert some.shape == (0, 40)


def refusal(**changes):
    good = {"positions": np.ones((2, 3)), "box": [9.0, 9.0, 8.0], "species": [1, 1]}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        radial_symmetry_functions(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "species must be (2,)" in refusal(species=[1])
    assert "radii must be (m,), finite and from 0 on, got []" in refusal(radii=[])
    assert "got [1.0, -0.5]" in refusal(radii=[1, -0.5])
    assert "got [[1.0]]" in refusal(radii=[[1]])
    assert "width and cutoff must be finite and above 0, got 0 and None" in refusal(width=0)
    assert "got 0.1 and nan" in refusal(cutoff=np.nan)
    assert "whole numbers of particles from 0 to 1, got 2 at 0 of (1,)" in refusal(only=[2])
    assert "got (2,) bool" in refusal(only=[True, False])
    assert "got (1, 2) int64" in refusal(only=[[0, 1]])
    many = np.arange(100_000) - 7
    assert refusal(only=many).endswith("got -7 at 0 of (100000,)")
