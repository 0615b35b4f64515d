"""A histogram counts every sample once, and a power law is a line on logarithmic axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.histograms import Histogram, histogram, log_binned_slope, log_edges

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def random_samples(rng, n=300):
    samples = 10.0 ** rng.uniform(-8, 4, size=n)
    samples[rng.uniform(size=n) < 0.1] = 0.0
    return samples


@given(rngs)
def test_equals_numpy(rng):
    samples = random_samples(rng)
    found = histogram(samples)
    counts, _ = np.histogram(samples, found.edges)
    assert_array_equal(found.counts, counts)
    assert found.below == (samples < found.edges[0]).sum()
    assert found.above == (samples >= found.edges[-1]).sum()
    density, _ = np.histogram(samples, np.r_[-1, found.edges, 1e9], density=True)
    assert_allclose(found.density, density[1:-1], rtol=1e-12)


@given(rngs, st.lists(st.integers(0, 300), max_size=5))
def test_blocks_add_up_to_the_whole(rng, cuts):
    samples = random_samples(rng)
    blocks = [histogram(block) for block in np.split(samples, sorted(cuts))]
    total = sum(blocks[1:], blocks[0])
    whole = histogram(samples)
    assert_array_equal(total.counts, whole.counts)
    assert (total.below, total.above, total.total) == (whole.below, whole.above, 300)
    assert_array_equal(total.density, whole.density)


def test_a_sample_at_an_edge_is_in_the_bin_above():
    found = histogram([1.0, 2.0, 2.0, 3.0, 0.5, -1.0, 0.0], [1.0, 2.0, 3.0])
    assert_array_equal(found.counts, [1, 2])
    assert (found.below, found.above) == (3, 1)
    assert_allclose(found.density, [1 / 7, 2 / 7])


def test_nothing_has_no_density():
    found = histogram([])
    assert found.total == 0
    assert np.isnan(found.density).all()


def test_edges_are_powers_of_ten_and_their_roots():
    assert len(log_edges()) == 81
    assert_allclose(log_edges()[[0, 10, 80]], [1e-6, 1e-5, 1e2], rtol=1e-14)
    assert_allclose(log_edges(0.02, 50, 2), 10.0 ** np.arange(-2, 2.5, 0.5), rtol=1e-14)
    # Shared by all that overlap, so that nothing has to be counted again.
    assert set(log_edges(1e-3, 1, 5)) <= set(log_edges(1e-6, 10, 5))


@given(st.floats(-3, 1), st.integers(1, 12))
def test_an_exact_power_law_gives_its_exponent(exponent, per_decade):
    edges = log_edges(1e-2, 1e4, per_decade)
    if exponent == -1:
        expected = np.diff(np.log(edges))
    else:
        expected = np.diff(edges ** (1 + exponent)) / (1 + exponent)
    counts = np.rint(expected / expected.min() * 1e5).astype(np.int64)
    found = log_binned_slope(Histogram(edges, counts, 3, 4), 1e-2)
    assert found.slope == pytest.approx(exponent, abs=1e-4)
    assert found.bins == len(counts)


def test_samples_of_a_power_law_give_it_within_the_error():
    rng = np.random.default_rng(11)
    slopes, errors = [], []
    for _ in range(200):
        samples = rng.uniform(size=5000) ** -1.0
        fit = log_binned_slope(histogram(samples, log_edges(1, 1e5, 5)), 1.0, upper=100.0)
        slopes.append(fit.slope)
        errors.append(fit.stderr)
    assert fit.bins == 10
    assert np.mean(slopes) == pytest.approx(-2, abs=0.01)
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.25)


def test_least_squares_by_hand():
    # Three bins a factor 10 apart; densities 100, 10, 10**0.5 of widths 9, 90, 900.
    edges = np.array([1.0, 10.0, 100.0, 1000.0])
    counted = Histogram(edges, np.array([900, 900, 2846]), 0, 0)
    fit = log_binned_slope(counted, 1.0)
    x, w = np.log(10) * np.arange(3), np.array([900, 900, 2846])
    y = np.log(w / np.diff(edges))
    (slope, _), cov = np.polyfit(x, y, 1, w=np.sqrt(w), cov=True)
    assert fit.slope == pytest.approx(slope)
    assert fit.stderr == pytest.approx(np.sqrt(cov[0, 0]))  # scatter larger than of counts
    pair = log_binned_slope(counted, 1.0, 100.0)
    assert pair.slope == pytest.approx(-1)
    assert pair.stderr == pytest.approx(np.sqrt(2 / 900) / np.log(10))


def test_empty_bins_and_bins_partly_outside_are_left_out():
    edges = log_edges(1, 1e5, 1)
    counted = Histogram(edges, np.array([5, 7, 0, 9, 11]), 0, 0)
    assert log_binned_slope(counted, 1.0).bins == 4
    assert log_binned_slope(counted, 1.5).bins == 3
    assert log_binned_slope(counted, 1.0, 9e4).bins == 3


def test_refusals_say_what_was_got_and_what_is_allowed():
    with pytest.raises(ValueError, match="got inf at 0; leave such samples out"):
        histogram([np.inf])
    for edges in [[1.0], [1.0, 1.0], [2.0, 1.0], [1.0, np.nan]]:
        with pytest.raises(ValueError, match="two or more increasing numbers, got"):
            histogram([1.0], edges)
    for wrong in [(0, 1, 5), (1, 1, 5), (1, np.inf, 5), (1, 2, 0)]:
        with pytest.raises(ValueError, match="0 < lowest < highest, both finite, and one bin"):
            log_edges(*wrong)
    counted = histogram([2.0, 3.0], [1.0, 10.0, 100.0])
    with pytest.raises(ValueError, match="needs two bins with samples between 1 and inf, got 1 of"):
        log_binned_slope(counted, 1.0)
    with pytest.raises(ValueError, match="must be above 0, got 0"):
        log_binned_slope(counted, 0.0)
    with pytest.raises(ValueError, match="got 2 bins from 1 to 100 and 80 bins from 1e-06 to 100"):
        counted + histogram([1.0])
