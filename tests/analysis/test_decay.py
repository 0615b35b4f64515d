"""The decay length is that of an exponential where there is one, and of the best fit elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from glasscreep.analysis.decay import decay_length

DISTANCE = np.append(0.0, 0.05 + 0.1 * np.arange(50))
EMPTY = slice(1, 10)  # no two particles are nearer than 0.9


def correlation(pairs, itself=1.0):
    """Make one with this value at distance 0, and none in bins that hold no pairs."""
    value = np.append(itself, pairs[1:])
    value[EMPTY] = np.nan
    return value


@given(st.floats(0.1, 8.0), st.floats(0.05, 3.0), st.floats(1e-3, 1e3))
def test_of_an_exponential_it_is_exact(length, near, itself):
    amplitude = itself * min(near, 1.0) * np.exp(DISTANCE[10] / length)
    value = correlation(amplitude * np.exp(-DISTANCE / length), itself)
    found = decay_length(DISTANCE, value)
    assert found.length == pytest.approx(length, rel=1e-6)
    assert found.amplitude == pytest.approx(amplitude, rel=1e-5)


def test_it_is_least_squares_where_there_is_none():
    rng = np.random.default_rng(4)
    value = correlation(np.exp(-(DISTANCE**2)) + rng.normal(scale=0.01, size=len(DISTANCE)))
    found = decay_length(DISTANCE, value)
    expected, _ = curve_fit(
        lambda r, amplitude, length: amplitude * np.exp(-r / length),
        DISTANCE[10:], value[10:], p0=(2, 0.5),
    )  # fmt: skip
    assert (found.amplitude, found.length) == pytest.approx(tuple(expected), rel=1e-4)


def test_pairs_that_correlate_more_than_a_particle_with_itself_are_left_out():
    value = correlation(np.exp(-DISTANCE / 0.6))
    value[10] = 4.0
    assert decay_length(DISTANCE, value).length == pytest.approx(0.6)


@pytest.mark.parametrize(
    "value",
    [
        correlation(np.zeros(51)),
        correlation(np.full(51, 0.3)),
        correlation(-np.exp(-DISTANCE)),
        correlation(np.where(np.arange(51) == 10, 0.5, 0.0)),
        np.full(51, np.nan),
        np.append([1.0, 0.4, 0.2], np.full(48, np.nan)),
    ],
    ids=["none", "does not fall", "negative", "one bin", "values that do not vary", "two bins"],
)
def test_without_a_decay_there_is_no_length(value):
    found = decay_length(DISTANCE, value)
    assert np.isnan([found.length, found.amplitude]).all()


def test_what_is_no_correlation_is_refused():
    with pytest.raises(ValueError, match=r"both be \(n,\), got \(51,\) and \(50,\)"):
        decay_length(DISTANCE, np.ones(50))
    with pytest.raises(ValueError, match=r"must increase, the first 0, got 0\.05 to 4\.95"):
        decay_length(DISTANCE[1:], np.ones(50))
    with pytest.raises(ValueError, match="must increase, the first 0, got none"):
        decay_length([], [])
