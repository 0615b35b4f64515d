"""The creep fit is ordinary least squares in the natural logarithm of time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import linregress

from glasscreep.analysis.creep import CreepFit, creep_fit

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def test_recovers_an_exact_law():
    time = np.arange(1, 21) * 100.0
    fit = creep_fit(time, 0.003 * np.log(time) + 0.02)
    assert_allclose([fit.slope, fit.intercept], [0.003, 0.02], rtol=1e-12)
    assert_allclose([fit.slope_stderr, fit.intercept_stderr], 0, atol=1e-15)


def test_creep_modulus_is_stress_over_slope():
    fit = CreepFit(slope=0.002, intercept=0.0, slope_stderr=0.0001, intercept_stderr=0.0)
    assert fit.modulus(0.5) == 250.0
    assert fit.modulus_stderr(0.5) == pytest.approx(12.5)


def test_without_creep_the_modulus_is_infinite():
    fit = creep_fit([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    assert fit.slope == 0
    assert fit.modulus(0.5) == math.inf
    assert math.isnan(fit.modulus_stderr(0.5))


@given(rngs, st.integers(3, 200))
def test_equals_scipy(rng, n):
    time = rng.uniform(0.1, 1e5, n)
    strain = 0.01 * np.log(time) + rng.normal(scale=0.01, size=n)
    fit, theirs = creep_fit(time, strain), linregress(np.log(time), strain)
    assert_allclose(
        [fit.slope, fit.intercept, fit.slope_stderr, fit.intercept_stderr],
        [theirs.slope, theirs.intercept, theirs.stderr, theirs.intercept_stderr],
        rtol=1e-6,
        atol=1e-12,
    )


@given(rngs, st.floats(1e-3, 1e3))
def test_unit_of_time_moves_only_the_intercept(rng, scale):
    time = np.arange(1, 31) * 10.0
    strain = 0.01 * np.log(time) + rng.normal(scale=0.01, size=30)
    fit, other = creep_fit(time, strain), creep_fit(time * scale, strain)
    assert_allclose([other.slope, other.slope_stderr], [fit.slope, fit.slope_stderr], rtol=1e-8)
    assert_allclose(other.intercept, fit.intercept - fit.slope * np.log(scale), atol=1e-10)


@given(rngs)
def test_standard_errors_cover_the_truth(rng):
    time = np.arange(1, 41) * 50.0
    slopes = [
        creep_fit(time, 0.01 * np.log(time) + rng.normal(scale=0.02, size=40)) for _ in range(200)
    ]
    within = np.mean([abs(fit.slope - 0.01) < 3 * fit.slope_stderr for fit in slopes])
    assert within > 0.95


def test_two_points_have_a_line_and_no_error():
    fit = creep_fit([1.0, math.e], [0.1, 0.3])
    assert_allclose([fit.slope, fit.intercept], [0.2, 0.1])
    assert math.isnan(fit.slope_stderr)
    assert math.isnan(fit.intercept_stderr)


@pytest.mark.parametrize(
    ("time", "strain", "text"),
    [
        ([], [], "two distinct times, got 0"),
        ([2.0, 2.0], [0.1, 0.2], "two distinct times, got 1"),
        ([1.0, 2.0], [0.1], r"got time \(2,\), strain \(1,\)"),
        ([1.0, 0.0], [0.1, 0.2], "got time 0.0, strain 0.2 at point 1"),
        ([1.0, np.inf], [0.1, 0.2], "got time inf, strain 0.2 at point 1"),
        ([1.0, 2.0], [np.nan, 0.2], "got time 1.0, strain nan at point 0"),
    ],
)
def test_points_that_cannot_be_fitted_are_refused(time, strain, text):
    with pytest.raises(ValueError, match=text):
        creep_fit(time, strain)
