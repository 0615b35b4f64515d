"""The time of a voxel is where its correlation first vanishes; its surrogate is alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from voxel_series import autoregressive

from glasscreep.analysis.decorrelation import autoregressive_series, decorrelation_times
from glasscreep.analysis.temporal import temporal_autocorrelation

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def slow_time(curve):
    """Walk along the curve, and interpolate where it first is not above 0."""
    if not curve[0] > 0:
        return np.nan
    for lag in range(1, len(curve)):
        if curve[lag] <= 0:
            if np.isnan(curve[lag - 1]):
                return lag
            return np.interp(0, [curve[lag], curve[lag - 1]], [lag, lag - 1])
    return np.nan


def slow_persistence(series):
    """Correlate a series with itself a frame later, where both are there."""
    series = series - np.nanmean(series)
    before, after = series[:-1], series[1:]
    both = ~np.isnan(before * after)
    squares = (before[both] ** 2).sum() * (after[both] ** 2).sum()
    return (before[both] * after[both]).sum() / np.sqrt(squares) if squares > 0 else np.nan


@settings(max_examples=60)
@given(rngs, st.sampled_from(["frame", "voxel", "origin"]), st.sampled_from([0.0, 0.3]))
def test_times_are_where_the_curves_of_voxels_vanish(rng, mean, empty):
    fields = rng.normal(size=(int(rng.integers(3, 30)), 40)).cumsum(axis=0)
    fields[rng.uniform(size=fields.shape) < empty] = np.nan
    found = decorrelation_times(fields, 1, mean)
    curves = temporal_autocorrelation(fields, mean, False, per_voxel=True).voxels
    assert_allclose(found.times, [slow_time(curve) for curve in curves.T], rtol=1e-9)


@settings(max_examples=40)
@given(rngs, st.sampled_from([0.0, 0.3]))
def test_persistence_is_the_correlation_a_frame_later(rng, empty):
    fields = rng.normal(size=(25, 6)).cumsum(axis=0)
    fields[:, 1:][rng.uniform(size=(25, 5)) < empty] = np.nan
    found = decorrelation_times(fields, 1)
    apart = fields - np.nanmean(fields, axis=1, keepdims=True)
    expected = [slow_persistence(series) for series in apart.T]
    assert_allclose(found.persistence, expected, rtol=1e-9)


def test_a_cosine_vanishes_at_a_quarter_of_its_period():
    t = np.arange(4000)
    fields = np.cos(2 * np.pi * t / 100)[:, None] * np.array([1.0, -1.0])
    assert_allclose(decorrelation_times(fields, 0).times, 25, atol=0.3)


def test_opposite_voxels_that_take_turns_vanish_between_the_first_two_lags():
    sign = (-1.0) ** np.add.outer(np.arange(50), np.arange(4)).reshape(50, 2, 2)
    found = decorrelation_times(sign, 0)
    assert_allclose(found.times, np.full((2, 2), 0.5), rtol=1e-12)
    assert_allclose(found.persistence, np.full((2, 2), -1))


@pytest.mark.parametrize("memory", [300, 3000])
def test_slow_voxels_vanish_at_about_a_quarter_of_the_run_whatever_their_memory(memory):
    fields = autoregressive(np.random.default_rng(6), np.exp(-1 / memory), 1000, 1500)
    times = decorrelation_times(fields, 1).times
    assert 185 < np.median(times) < 270
    assert 330 < np.quantile(times, 0.95) < 390


def test_surrogates_of_an_autoregressive_process_are_like_it():
    fields = 3 * autoregressive(np.random.default_rng(7), 0.8, 400, 4000).reshape(400, 40, 100)
    found = decorrelation_times(fields, 2)
    assert found.times.shape == found.surrogate.shape == found.persistence.shape == (40, 100)
    assert np.mean(found.persistence) == pytest.approx(0.8, abs=0.015)
    for part in (0.1, 0.5, 0.9):
        expected = np.quantile(found.times, part)
        assert np.quantile(found.surrogate, part) == pytest.approx(expected, rel=0.1)


def test_surrogates_lack_a_memory_beyond_one_frame():
    # Noise on top of a slow process: a frame later little of it is left, later as much.
    rng = np.random.default_rng(8)
    fields = autoregressive(rng, 0.99, 500, 1000) + rng.normal(size=(500, 1000))
    found = decorrelation_times(fields, 2)
    assert np.median(found.times) > 5 * np.median(found.surrogate)


@settings(max_examples=20)
@given(rngs, st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_and_units_do_not_matter(rng, seed):
    fields = rng.normal(size=(20, 3, 3)).cumsum(axis=0)
    found = decorrelation_times(fields, seed)
    again = decorrelation_times(4 * fields + 2, np.random.default_rng(seed))
    for ours, theirs in zip(found, again, strict=True):
        assert_allclose(theirs, ours, rtol=1e-6)
    other = decorrelation_times(fields, seed + 1)
    assert_array_equal(other.times, found.times)
    assert not np.array_equal(other.surrogate, found.surrogate)


def test_surrogates_are_empty_where_voxels_are():
    fields = np.random.default_rng(9).normal(size=(30, 4))
    fields[:, 1] = np.nan
    fields[1:29, 3] = np.nan  # the ends alone: no pair until the last lag
    found = decorrelation_times(fields, 1)
    assert_array_equal(np.isnan(found.surrogate), [False, True, False, True])
    assert_array_equal(np.isnan(found.times), [False, True, False, False])
    assert found.times[3] == 29  # nothing to interpolate from


def test_surrogates_miss_the_frames_that_voxels_miss():
    fields = np.random.default_rng(3).normal(size=(40, 300))
    fields[2:38, 100:] = np.nan  # so lags from 2 to 36 have no pair
    found = decorrelation_times(fields, 4)
    for times in (found.times[100:], found.surrogate[100:]):
        assert (times > 36).any()
        assert ((times <= 1) | (times > 36)).all()


@pytest.mark.parametrize("persistence", [-0.6, 0.0, 0.5, 0.95])
def test_surrogates_are_stationary_and_forget_exponentially(persistence):
    count = 40000
    drawn = autoregressive_series(6, np.full(count, persistence), np.full(count, 3.0), 5)
    t = np.arange(6)
    expected = 9 * persistence ** np.abs(np.subtract.outer(t, t))
    assert_allclose(np.cov(drawn), expected, atol=4 * 9 * np.sqrt(2 / count))


def test_a_surrogate_without_persistence_is_nothing():
    drawn = autoregressive_series(3, np.array([np.nan, 1.0]), np.array([0.0, 2.0]), 1)
    assert np.isnan(drawn[:, 0]).all()
    assert_array_equal(drawn[:, 1], np.repeat(drawn[0, 1], 3))


def test_voxels_that_do_not_vary_have_no_time():
    found = decorrelation_times(np.ones((6, 5)), 0)
    for values in found:
        assert_array_equal(values, np.full(5, np.nan))


def test_refusals_are_those_of_the_correlation():
    with pytest.raises(ValueError, match="mean must be one of frame, voxel, origin, got 'own'"):
        decorrelation_times(np.ones((4, 3)), 0, "own")
    with pytest.raises(ValueError, match="one voxel or more, got"):
        decorrelation_times(np.ones(4), 0)
