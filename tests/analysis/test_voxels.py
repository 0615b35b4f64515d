"""A voxel's value is the mean over its particles; its fluctuation falls with its size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.voxels import size_fluctuations, voxel_field

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def random_state(rng, n=80):
    """Draw particles in a triclinic box, with their fractions of it."""
    lattice = np.diag(rng.uniform(5, 8, 3)) + np.tril(rng.uniform(-2, 2, (3, 3)), -1)
    fraction = rng.uniform(size=(n, 3))
    return fraction, fraction @ lattice, lattice, rng.normal(size=n) + 3


def slow_voxels(fraction, values, edge):
    """List the values of the particles in each voxel."""
    inside = {}
    for place, value in zip(fraction, values, strict=True):
        inside.setdefault(tuple(int(edge * x) for x in place), []).append(value)
    return inside


@given(rngs, st.integers(1, 6))
def test_equals_particle_by_particle(rng, edge):
    fraction, positions, lattice, values = random_state(rng)
    field = voxel_field(positions, lattice, values, edge)
    mean, counts = np.full((edge,) * 3, np.nan), np.zeros((edge,) * 3, int)
    for place, found in slow_voxels(fraction, values, edge).items():
        mean[place], counts[place] = np.mean(found), len(found)
    assert_array_equal(field.counts, counts)
    assert_allclose(field.mean, mean, rtol=1e-13)


def test_fifteen_voxels_along_each_edge_unless_told():
    field = voxel_field(np.array([[1.5, 3.1, 5.9]]), np.array([3.0, 4.0, 6.0]), [2.5])
    assert field.mean.shape == (15, 15, 15)
    assert_array_equal(np.argwhere(field.counts), [[7, 11, 14]])
    assert field.mean[7, 11, 14] == 2.5
    assert np.isnan(field.mean).sum() == 15**3 - 1


def test_one_voxel_is_the_whole_system():
    _, positions, lattice, values = random_state(np.random.default_rng(0))
    field = voxel_field(positions, lattice, values, 1)
    assert_allclose(field.mean, [[[values.mean()]]], rtol=1e-14)


@given(rngs)
def test_what_must_not_matter_does_not(rng):
    fraction, positions, lattice, values = random_state(rng)
    images = rng.integers(-3, 4, positions.shape) @ lattice
    order = rng.permutation(len(values))
    base = voxel_field(positions, lattice, values, 4)
    shuffled = voxel_field((positions + images)[order], lattice, values[order], 4)
    assert_array_equal(shuffled.counts, base.counts)
    assert_allclose(shuffled.mean, base.mean, rtol=1e-12)
    # In the unit cube a strained box is the same, and a translation by whole voxels a roll.
    strained = voxel_field(fraction, np.ones(3), values, 4)
    assert_allclose(strained.mean, base.mean, rtol=1e-12)
    steps = rng.integers(-4, 5, 3)
    rolled = voxel_field(positions + steps / 4 @ lattice, lattice, values, 4)
    assert_allclose(rolled.mean, np.roll(base.mean, steps, (0, 1, 2)), rtol=1e-12)
    scaled = voxel_field(positions, lattice, 2 * values - 1, 4)
    assert_allclose(scaled.mean, 2 * base.mean - 1, rtol=1e-12, atol=1e-12)


def test_a_particle_just_below_the_box_is_in_its_last_voxel():
    positions = np.array([[-1e-20, 0.0, 9.0]])
    field = voxel_field(positions, np.full(3, 9.0), [1.0], 3)
    assert_array_equal(np.argwhere(field.counts), [[2, 0, 0]])


@settings(max_examples=50)
@given(rngs, st.integers(1, 4), st.booleans())
def test_fluctuations_equal_voxel_by_voxel(rng, count, literal):
    """And frames add up, however they are grouped."""
    divisions, results = [1, 2, 3, 5], []
    deviations = {edge: [] for edge in divisions}
    particles = 0
    for _ in range(count):
        fraction, positions, lattice, values = random_state(rng, int(rng.integers(1, 60)))
        particles += len(values)
        results.append(size_fluctuations(positions, lattice, values, divisions, literal))
        for edge in divisions:
            for found in slow_voxels(fraction, values, edge).values():
                apart = np.array(found) - values.mean()
                deviation = np.sqrt((apart**2).mean()) if literal else apart.mean() ** 2
                deviations[edge].append(deviation)
    cut = rng.integers(0, count)
    parts = [sum(part[1:], part[0]) for part in (results[:cut], results[cut:]) if part]
    total = sum(parts[1:], parts[0])
    mean = np.array([np.mean(deviations[edge]) for edge in divisions])
    expected = mean if literal else np.sqrt(mean)
    assert_allclose(total.value, expected, rtol=1e-9, atol=1e-14)
    assert_array_equal(total.filled, [len(deviations[edge]) for edge in divisions])
    assert_allclose(total.size, particles / count / np.array(divisions) ** 3)


def test_uncorrelated_values_fall_off_with_size_and_vanish_for_the_whole():
    # 12 x 12 x 12 sites: every voxel of a division holds as many.
    rng = np.random.default_rng(3)
    positions, box = np.argwhere(np.ones((12, 12, 12))) + 0.5, np.full(3, 12.0)
    frames = [
        size_fluctuations(positions, box, rng.normal(size=1728), [1, 2, 3, 4, 6]) for _ in range(60)
    ]
    found = sum(frames[1:], frames[0])
    inside = np.array([1728, 216, 64, 27, 8])
    assert_array_equal(found.size, inside)
    error = 1 / np.sqrt(2 * found.filled)
    expected = np.sqrt((1 - inside / 1728) / inside)
    assert (np.abs(found.value[1:] / expected[1:] - 1) < 4 * error[1:]).all()
    assert found.value[0] < 1e-15


def test_the_formula_of_the_paper_does_not_fall_off():
    positions, box = np.argwhere(np.ones((6, 6, 6))), np.full(3, 6.0)
    values = 3 + 2 * (-1.0) ** positions.sum(axis=1)
    assert_allclose(size_fluctuations(positions, box, values, [1, 2, 3], literal=True).value, 2)
    assert_allclose(size_fluctuations(positions, box, values, [1, 3]).value, 0, atol=1e-15)
    assert_allclose(size_fluctuations(positions, box, values, [6]).value, 2)


@given(rngs, st.booleans())
def test_fluctuations_scale_with_values_and_not_with_their_mean(rng, literal):
    _, positions, lattice, values = random_state(rng)
    base = size_fluctuations(positions, lattice, values, literal=literal)
    scaled = size_fluctuations(positions, lattice, 7 - 3 * values, literal=literal)
    assert_allclose(scaled.value, 3 * base.value, rtol=1e-9, atol=1e-13)


def test_without_particles_there_is_nothing():
    nothing = np.ones((0, 3)), np.full(3, 9.0), np.ones(0)
    assert np.isnan(voxel_field(*nothing, 2).mean).all()
    assert_array_equal(voxel_field(*nothing, 2).counts, np.zeros((2, 2, 2)))
    assert np.isnan(size_fluctuations(*nothing, [1, 2]).value).all()


@pytest.mark.parametrize("measure", [voxel_field, size_fluctuations])
def test_refusals_say_what_was_got_and_what_is_allowed(measure):
    box = np.full(3, 9.0)
    with pytest.raises(ValueError, match=r"shape \(2,\), one of each position, got \(3,\)"):
        measure(np.ones((2, 3)), box, np.ones(3))
    with pytest.raises(ValueError, match="got nan at particle 1; leave such particles out"):
        measure(np.ones((2, 3)), box, [0, np.nan])
    with pytest.raises(ValueError, match=r"positions must have shape \(n, 3\), got \(2, 2\)"):
        measure(np.ones((2, 2)), box, np.ones(2))


def test_numbers_of_voxels_below_one_are_refused():
    good = np.ones((2, 3)), np.full(3, 9.0), np.ones(2)
    with pytest.raises(ValueError, match="along an edge must be 1 or more, got 0"):
        voxel_field(*good, 0)
    with pytest.raises(ValueError, match="along an edge must be 1 or more, got -2"):
        size_fluctuations(*good, [3, -2])


def test_only_like_fluctuations_add_up():
    state = np.ones((2, 3)), np.full(3, 9.0), np.ones(2)
    good = size_fluctuations(*state, [1, 2])
    for other in [size_fluctuations(*state, [1, 3]), size_fluctuations(*state, [1, 2], True)]:
        with pytest.raises(ValueError, match=r"got literal False, divisions \[1, 2\] and"):
            good + other
