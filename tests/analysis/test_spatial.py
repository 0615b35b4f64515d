"""The correlation in space is the mean product of deviations over pairs of a distance."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.spatial import SpatialCorrelation, spatial_autocorrelation

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def slow_sums(positions, box, values, reach, bins):
    """Take every pair by itself, with all of its images, and numpy's mean."""
    lattice = np.diag(box) if np.ndim(box) == 1 else np.asarray(box)
    deviation = values - values.mean()
    apart = positions[:, None] - positions
    apart -= np.floor(apart @ np.linalg.inv(lattice)) @ lattice
    images = np.argwhere(np.ones((5, 5, 5))) - 2
    pairs, products = np.zeros(bins, int), np.zeros(bins)
    first = np.arange(len(values))[:, None] < np.arange(len(values))
    for image in images:
        squared = ((apart + image @ lattice) ** 2).sum(axis=2)
        place = np.floor(np.sqrt(squared) / reach * bins).astype(int)
        for k in range(bins):
            near = first & (place == k)
            pairs[k] += near.sum()
            products[k] += (near * np.outer(deviation, deviation)).sum()
    return pairs, products


def random_box(rng, triclinic):
    edges = rng.uniform(6.1, 8.0, 3)
    if not triclinic:
        return edges
    return np.diag(edges) + np.tril(rng.uniform(-1.5, 1.5, (3, 3)), -1)


def random_state(rng, triclinic=False, n=60):
    box = random_box(rng, triclinic)
    lattice = box if triclinic else np.diag(box)
    return rng.uniform(-1, 2, size=(n, 3)) @ lattice, box, rng.normal(size=n) + 3


def simple_cubic(edge):
    return np.argwhere(np.ones((edge, edge, edge))).astype(float)


@settings(max_examples=30)
@given(rngs, st.booleans(), st.integers(1, 12), st.floats(0.7, 2.4))
def test_equals_direct_sums(rng, triclinic, bins, reach):
    positions, box, values = random_state(rng, triclinic)
    found = spatial_autocorrelation(positions, box, values, reach, bins)
    pairs, products = slow_sums(positions, box, values, reach, bins)
    assert_array_equal(found.pairs, np.append(60, pairs))
    assert_allclose(found.products[1:], products, rtol=1e-12, atol=1e-11)
    assert_allclose(found.products[0], 60 * values.var(), rtol=1e-12)


@pytest.mark.slow
def test_equals_direct_sums_on_a_real_glass():
    with np.load(DATA) as data:
        positions, box = data["position"][0], data["box"][0]
    values = np.cos(positions[:, 0]) + np.random.default_rng(1).normal(size=len(positions))
    found = spatial_autocorrelation(positions, box, values, 5.0, 50)
    deviation = values - values.mean()
    pairs, products = np.zeros(51), np.zeros(51)
    for i in range(len(positions) - 1):
        apart = positions[i + 1 :] - positions[i]
        apart -= np.rint(apart / box) * box
        place = np.floor(np.minimum(np.sqrt((apart**2).sum(axis=1)) * 10, 50)).astype(int)
        pairs += np.bincount(place, minlength=51)
        products += np.bincount(place, deviation[i] * deviation[i + 1 :], minlength=51)
    assert_array_equal(found.pairs[1:], pairs[:50])
    assert_allclose(found.products[1:], products[:50], rtol=1e-10, atol=1e-8)
    assert found.pairs[1:].sum() > 3e6


def test_alternate_values_on_a_lattice():
    # Signs alternate, so neighbours at an odd sum of steps are opposite, at an even one alike.
    positions = simple_cubic(6)
    values = 5 + 2 * (-1.0) ** positions.sum(axis=1)
    found = spatial_autocorrelation(positions, np.full(3, 6.0), values, 2.5, 25)
    expected = np.full(26, np.nan)
    pairs = np.zeros(26, int)
    for squared, sign, neighbours in [(0, 1, 2), (1, -1, 6), (2, 1, 12), (3, -1, 8), (4, 1, 6)]:
        at = int(np.sqrt(squared) * 10 + 1e-9) + (squared > 0)
        expected[at], pairs[at] = sign, 216 * neighbours // 2
    expected[23], pairs[23] = -1, 216 * 12  # 24 neighbours at the root of 5
    expected[25], pairs[25] = 1, 216 * 12  # and 24 at that of 6
    assert_array_equal(found.pairs, pairs)
    assert_allclose(found.value, expected, rtol=1e-14)
    literal = spatial_autocorrelation(positions, np.full(3, 6.0), values, 2.5, 25, normalised=False)
    assert_allclose(literal.value, 4 * expected, rtol=1e-14)


@settings(max_examples=20)
@given(rngs, st.integers(1, 300))
def test_boxes_much_longer_than_wide(rng, n):
    box = 3 * 10 ** rng.uniform(0, 1.5, 3)
    positions = rng.uniform(size=(n, 3)) * box
    found = spatial_autocorrelation(positions, box, rng.normal(size=n), 1.4, 4)
    apart = positions[:, None] - positions
    apart -= np.rint(apart / box) * box
    place = np.sqrt((apart**2).sum(axis=2)[np.triu_indices(n, 1)]) / 1.4 * 4
    assert_array_equal(found.pairs[1:], np.histogram(place, [0, 1, 2, 3, 4 - 1e-12])[0])


def test_distances_at_an_edge_belong_to_the_bin_above():
    positions = np.array([[0.0, 0, 0], [1, 0, 0], [0, 3, 4], [4, 3, 4]])
    found = spatial_autocorrelation(positions, np.full(3, 30.0), np.arange(4.0), 5.0, 50)
    assert_array_equal(np.flatnonzero(found.pairs[1:]), [10, 40])  # 1 and 4; at 5 reach ends
    assert_allclose(found.edges[[10, 40]], [1, 4], rtol=1e-15)


def test_uncorrelated_values():
    rng = np.random.default_rng(5)
    n = 4000
    positions, box = rng.uniform(size=(n, 3)) * 12, np.full(3, 12.0)
    found = spatial_autocorrelation(positions, box, rng.normal(size=n), 5.0, 10)
    error = 1 / np.sqrt(found.pairs[1:])
    assert (np.abs(found.value[1:] + 1 / (n - 1)) < 4 * error).all()
    assert found.value[0] == 1


def test_all_pairs_together_give_minus_one_over_the_others():
    # Deviations sum to 0, and here each pair is within reach just once.
    rng = np.random.default_rng(2)
    positions = rng.uniform(size=(40, 3))
    found = spatial_autocorrelation(positions, np.full(3, 30.0), rng.normal(size=40), 2.0, 1)
    assert_allclose(found.value, [1, -1 / 39], rtol=1e-12)


@settings(max_examples=25)
@given(rngs, st.booleans())
def test_what_must_not_matter_does_not(rng, triclinic):
    positions, box, values = random_state(rng, triclinic)
    lattice = box if triclinic else np.diag(box)
    base = spatial_autocorrelation(positions, box, values, 2.5, 5)
    images = rng.integers(-3, 4, positions.shape) @ lattice
    order = rng.permutation(len(values))
    axes, sign = rng.permutation(3), rng.choice([-1.0, 1.0], 3)
    scale = rng.choice([-1, 1]) * rng.uniform(0.1, 10)
    length = rng.uniform(0.1, 10)
    for other in [
        spatial_autocorrelation(positions + images + rng.normal(size=3), box, values, 2.5, 5),
        spatial_autocorrelation(positions[order], box, values[order], 2.5, 5),
        spatial_autocorrelation(positions[:, axes] * sign, lattice[:, axes] * sign, values, 2.5, 5),
        spatial_autocorrelation(positions, box, values * scale + rng.normal(), 2.5, 5),
        spatial_autocorrelation(positions * length, box * length, values, 2.5 * length, 5),
    ]:
        assert_array_equal(other.pairs, base.pairs)
        assert_allclose(other.value, base.value, rtol=1e-9, atol=1e-11)


@settings(max_examples=20)
@given(rngs, st.integers(1, 6))
def test_frames_add_up(rng, count):
    frames = [random_state(rng, n=int(rng.integers(1, 80))) for _ in range(count)]
    results = [spatial_autocorrelation(*frame, 3.0, 6) for frame in frames]
    cut = rng.integers(0, count)
    parts = [sum(part[1:], part[0]) for part in (results[:cut], results[cut:]) if part]
    total = sum(parts[1:], parts[0])
    pairs, products = zip(*(slow_sums(*frame, 3.0, 6) for frame in frames), strict=True)
    assert_array_equal(total.pairs[1:], np.sum(pairs, axis=0))
    particles = sum(len(values) for _, _, values in frames)
    variance = sum(len(values) * values.var() for _, _, values in frames) / particles
    with np.errstate(invalid="ignore"):
        expected = np.sum(products, axis=0) / np.sum(pairs, axis=0) / variance
    if variance > 0:
        assert_allclose(total.value[1:], expected, rtol=1e-9, atol=1e-9)


def test_values_that_do_not_vary_have_no_correlation():
    positions, box, _ = random_state(np.random.default_rng(0))
    values = np.full(60, 0.1)
    assert np.isnan(spatial_autocorrelation(positions, box, values, 2.5, 5).value).all()
    literal = spatial_autocorrelation(positions, box, values, 2.5, 5, normalised=False)
    assert_array_equal(literal.value, np.zeros(6))


@pytest.mark.parametrize("n", [0, 1])
def test_without_pairs_there_is_no_correlation(n):
    found = spatial_autocorrelation(np.ones((n, 3)), np.full(3, 9.0), np.ones(n), 2.0, 3)
    assert_array_equal(found.pairs, [n, 0, 0, 0])
    assert np.isnan(found.value).all()


def refusal(**changes):
    good = {"positions": np.ones((4, 3)), "box": np.full(3, 11.0), "values": np.ones(4)}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        spatial_autocorrelation(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "values must have shape (4,), one of each position, got (3,)" in refusal(
        values=np.ones(3)
    )
    nan = refusal(values=np.array([0, 1, np.nan, 2]))
    assert "got nan at particle 2; leave such particles out, their positions too" in nan
    assert "must be above twice the cutoff, 2 * 6 = 12" in refusal(reach=6.0)
    assert "bins must be from 1 to 1048576, got 0" in refusal(bins=0)
    assert "bins must be from 1 to 1048576, got 1048577" in refusal(bins=2**20 + 1)
    assert "got [1.0, inf, 1.0] at particle 0" in refusal(
        positions=np.where(np.arange(12).reshape(4, 3) == 1, np.inf, 1.0)
    )


def correlation(value, distance_step=1.0, normalised=True):
    """Make one with these values at 0 and the centres of bins, of a pair each."""
    edges = np.arange(len(value)) * distance_step
    pairs = np.where(np.isnan(value), 0, 1)
    return SpatialCorrelation(edges, pairs, np.nan_to_num(value), normalised)


def test_only_like_correlations_add_up():
    good = correlation(np.ones(4))
    for other in [
        correlation(np.ones(5)),
        correlation(np.ones(4), 2.0),
        correlation(np.ones(4), normalised=False),
    ]:
        with pytest.raises(ValueError, match="got 3 bins to 3, normalised True and"):
            good + other
