"""The tail's exponent is that of maximum likelihood, from the bound of the best fit on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscreep.analysis.tail import tail_exponent

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def slow_scan(samples):
    """Fit the tail from each sample on, and measure its distance from both sides."""
    bounds = np.unique(samples[samples > 0])[:-1]
    fits = []
    for bound in bounds:
        tail = np.sort(samples[samples >= bound])
        n = len(tail)
        exponent = 1 + n / np.log(tail / bound).sum()
        model = 1 - (bound / tail) ** (exponent - 1)
        above, below = np.arange(1, n + 1) / n, np.arange(n) / n
        fits.append((max((above - model).max(), (model - below).max()), exponent, n))
    distance, exponent, n = np.transpose(fits)
    return bounds, distance, exponent, n


def random_samples(rng):
    """Draw one of several kinds of samples, some with ties, or with some at or below 0."""
    n = int(rng.integers(2, 200))
    kind = rng.integers(4)
    if kind == 0:
        return rng.pareto(rng.uniform(0.5, 4), n) + 1
    if kind == 1:
        return np.exp(rng.normal(size=n) * 2)
    if kind == 2:
        return np.append(rng.integers(-2, 9, n), [1.0, 2.0])
    return np.append(rng.uniform(size=n), rng.pareto(1, n) + 1)


@settings(max_examples=60)
@given(rngs)
def test_equals_a_scan_of_all_bounds(rng):
    samples = random_samples(rng)
    bounds, distance, exponent, n = slow_scan(samples)
    found = tail_exponent(samples)
    # Bounds as good as each other may be told apart by rounding alone.
    assert found.distance == pytest.approx(distance.min(), rel=1e-9)
    at = int(np.searchsorted(bounds, found.lower))
    assert bounds[at] == found.lower
    assert distance[at] == pytest.approx(distance.min(), rel=1e-9)
    assert found.exponent == pytest.approx(exponent[at], rel=1e-9)
    assert found.samples == n[at]
    assert found.stderr == pytest.approx((exponent[at] - 1) / np.sqrt(n[at]), rel=1e-9)


@pytest.mark.parametrize("draw", ["lognormal", "pareto", "mixed"])
def test_equals_a_scan_of_all_bounds_of_many_samples(draw):
    rng = np.random.default_rng(4)
    samples = {
        "lognormal": np.exp(rng.normal(size=1500)),
        "pareto": rng.pareto(1.5, 1500) + 1,
        "mixed": np.append(rng.uniform(size=1000), rng.pareto(2, 500) + 1),
    }[draw]
    bounds, distance, exponent, _ = slow_scan(samples)
    found = tail_exponent(samples)
    assert found.lower == bounds[np.argmin(distance)]
    assert found.exponent == pytest.approx(exponent[np.argmin(distance)], rel=1e-11)
    assert found.distance == pytest.approx(distance.min(), rel=1e-11)


def test_a_sample_by_hand():
    # From 1 on: ln 1 + ln 2 + ln 4 = 3 ln 2, so the exponent is 1 + 3 / (3 ln 2).
    found = tail_exponent([4.0, 0.5, 1.0, -3.0, 2.0], lower=1.0)
    assert found.exponent == pytest.approx(1 + 1 / np.log(2))
    assert found.stderr == pytest.approx(1 / np.log(2) / np.sqrt(3))
    assert (found.samples, found.lower) == (3, 1.0)
    # x**-(1 / ln 2) at 1, 2, 4 is 1, 1/e, 1/e**2; a third of the samples is at each.
    assert found.distance == pytest.approx(1 / 3)
    # From 0.5 on: four samples, sum of ln 1, 2, 4, 8 is 6 ln 2; from 2 on: 1 + 2 / ln 2.
    assert tail_exponent([0.5, 1, 2, 4], 0.5).exponent == pytest.approx(1 + 4 / 6 / np.log(2))
    assert tail_exponent([2, 4]).exponent == pytest.approx(1 + 2 / np.log(2))


def test_the_bound_need_not_be_a_sample():
    found = tail_exponent([1.0, 2.0, 4.0], lower=0.5)
    assert found.exponent == pytest.approx(1 + 3 / (6 * np.log(2)))
    assert found.lower == 0.5


@pytest.mark.parametrize("exponent", [1.5, 2.0, 3.5])
def test_samples_of_a_power_law(exponent):
    rng = np.random.default_rng(7)
    tail = 0.25 * rng.uniform(size=20000) ** (-1 / (exponent - 1))
    found = tail_exponent(tail, lower=0.25)
    assert abs(found.exponent - exponent) < 3 * found.stderr
    assert found.stderr == pytest.approx((exponent - 1) / np.sqrt(20000), rel=0.1)
    assert found.distance < 1.63 / np.sqrt(20000)
    body = rng.uniform(0.0, 0.25, size=20000)
    whole = tail_exponent(np.append(tail, body))
    assert abs(whole.exponent - exponent) < 3 * whole.stderr
    assert 0.23 < whole.lower < 2


@given(rngs, st.floats(1e-6, 1e6))
def test_order_does_not_matter_and_units_scale_the_bound_alone(rng, scale):
    samples = rng.pareto(1.5, 100) + 1
    found, scaled = tail_exponent(samples), tail_exponent(rng.permutation(samples) * scale)
    assert scaled.lower == pytest.approx(found.lower * scale)
    assert scaled.exponent == pytest.approx(found.exponent)
    assert scaled.samples == found.samples


@given(rngs)
def test_samples_at_or_below_zero_are_in_no_tail(rng):
    samples = rng.pareto(1.5, 100) + 1
    assert tail_exponent(np.append(samples, [0, -1, 0])) == tail_exponent(samples)


def test_refusals_say_what_was_got_and_what_is_allowed():
    with pytest.raises(ValueError, match="got nan at 1; leave such samples out"):
        tail_exponent([1.0, np.nan])
    with pytest.raises(ValueError, match=r"samples must have shape \(n,\), got \(2, 2\)"):
        tail_exponent(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"two distinct samples above 0, got \[3.0, 3.0\]"):
        tail_exponent([3.0, 3.0, 0.0, -1.0])
    with pytest.raises(ValueError, match=r"two distinct samples above 0, got \[\]"):
        tail_exponent([])
    with pytest.raises(ValueError, match=r"at or above the lower bound 2, got \[3.0\]"):
        tail_exponent([3.0, 1.0], lower=2.0)
    for lower in [0.0, -1.0, np.nan, np.inf]:
        with pytest.raises(ValueError, match=f"must be finite and above 0, got {lower}"):
            tail_exponent([3.0, 1.0], lower=lower)
