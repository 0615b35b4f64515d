"""The correlation in time is the mean product of deviations over pairs of instants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from voxel_series import autoregressive

from glasscreep.analysis.temporal import TemporalCorrelation, temporal_autocorrelation

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
means = st.sampled_from(["frame", "voxel", "origin"])


def slow_sums(fields, mean):
    """Take each voxel by itself and each lag by itself, by the definition."""
    frames = len(fields)
    flat = fields.reshape(frames, -1)
    filled = (row[~np.isnan(row)] for row in flat)
    frame_mean = [row.mean() if len(row) else 0 for row in filled]
    deviation = flat - np.array(frame_mean)[:, None]
    pairs, products = np.zeros(flat.shape, int), np.zeros(flat.shape)
    for voxel, series in enumerate(deviation.T):
        if mean == "voxel" and not np.isnan(series).all():
            series = series - np.nanmean(series)
        for lag in range(frames):
            for t in range(frames - lag):
                later = series[t + lag]
                if mean == "origin":
                    later = flat[t + lag, voxel] - frame_mean[t]
                if not np.isnan(series[t] * later):
                    pairs[lag, voxel] += 1
                    products[lag, voxel] += series[t] * later
    return pairs, products


def random_fields(rng, empty, frames=None):
    """Draw fields of a few voxels that drift, of which some may be empty at times."""
    frames = int(rng.integers(1, 14)) if frames is None else frames
    fields = rng.normal(size=(frames, *rng.integers(1, 4, 2))) + rng.normal(size=(frames, 1, 1))
    fields[rng.uniform(size=fields.shape) < empty] = np.nan
    return fields


def ratio(products, pairs, normalised):
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = products / pairs
        return mean / mean[0] if normalised else mean


@settings(max_examples=150)
@given(rngs, means, st.sampled_from([0.0, 0.05, 0.6]), st.booleans())
def test_equals_the_definition(rng, mean, empty, normalised):
    fields = random_fields(rng, empty)
    pairs, products = slow_sums(fields, mean)
    found = temporal_autocorrelation(fields, mean, normalised, per_voxel=True)
    assert_array_equal(found.pairs, pairs.sum(axis=1))
    assert_allclose(found.products, products.sum(axis=1), atol=1e-11)
    assert found.voxels.shape == fields.shape
    vary = products[0] > 1e-20  # a voxel alone in its frames is its own mean
    ours = found.voxels.reshape(pairs.shape)
    assert_allclose(ours[:, vary], ratio(products, pairs, normalised)[:, vary], atol=1e-10)
    if products[0].sum() > 1e-20:
        expected = ratio(products.sum(axis=1), pairs.sum(axis=1), normalised)
        assert_allclose(found.value, expected, atol=1e-10)


def test_equals_correlate_of_long_series():
    """And of more voxels than are transformed at a time."""
    rng = np.random.default_rng(8)
    fields = np.cumsum(rng.normal(size=(300, 70)), axis=0)
    found = temporal_autocorrelation(fields, per_voxel=True)
    deviation = fields - fields.mean(axis=1, keepdims=True)
    full = [np.correlate(series, series, "full")[299:] for series in deviation.T]
    expected = np.transpose(full) / np.arange(300, 0, -1)[:, None]
    assert_allclose(found.voxels, expected / expected[0], rtol=1e-10, atol=1e-11)
    assert_allclose(found.value, expected.mean(axis=1) / expected[0].mean(), atol=1e-11)
    assert_array_equal(found.pairs, 70 * np.arange(300, 0, -1))
    assert temporal_autocorrelation(fields).voxels is None


@pytest.mark.parametrize("empty", [0.0, 0.3])
def test_an_autoregressive_process_decays_exponentially(empty):
    rng = np.random.default_rng(1)
    fields = autoregressive(rng, 0.9, 400, 2000)
    fields[rng.uniform(size=fields.shape) < empty] = np.nan
    found = temporal_autocorrelation(fields)
    lag = np.arange(60)
    assert_allclose(found.value[:60], 0.9**lag, atol=0.01)
    assert found.value[0] == 1


def test_opposite_voxels_that_take_turns():
    sign = (-1.0) ** np.add.outer(np.arange(6), np.arange(4))
    found = temporal_autocorrelation(7 + 2 * sign, normalised=False, per_voxel=True)
    assert_allclose(found.value, 4 * (-1.0) ** np.arange(6), rtol=1e-13)
    assert_allclose(found.voxels, np.repeat(found.value[:, None], 4, axis=1), rtol=1e-13)


def test_a_drift_of_all_is_no_correlation_and_stays_in_voxels_by_the_formula_of_the_paper():
    rng = np.random.default_rng(2)
    drift = -np.log(np.arange(1.0, 201.0))
    fields = rng.normal(size=(200, 500)) + drift[:, None]
    own, literal = (
        temporal_autocorrelation(fields, mean, False, True) for mean in ("frame", "origin")
    )
    assert abs(own.value[1:100]).max() < 0.02
    # The first factors of a frame sum to 0: over all voxels the drift takes no part.
    assert_allclose(literal.value, own.value, atol=1e-11)
    assert np.var(literal.voxels[100]) > 3 * np.var(own.voxels[100])


@pytest.mark.parametrize("mean", ["frame", "voxel", "origin"])
def test_digits_are_kept_far_from_zero(mean):
    # All numbers are multiples of 1/64, so that the shift itself loses nothing.
    fields = np.rint(np.random.default_rng(5).normal(size=(16, 4)) * 16) / 16
    base = temporal_autocorrelation(fields, mean, False, per_voxel=True)
    shifted = temporal_autocorrelation(fields + 2.0**32, mean, False, per_voxel=True)
    assert_allclose(shifted.voxels, base.voxels, atol=1e-13)


def test_a_voxel_apart_from_the_system_stays_correlated_unless_with_its_own_mean():
    rng = np.random.default_rng(3)
    fields = rng.normal(size=(500, 40))
    fields[:, 0] += 5
    frame, voxel = (
        temporal_autocorrelation(fields, mean, True, True) for mean in ("frame", "voxel")
    )
    assert (frame.voxels[:400, 0] > 0.9).all()
    assert abs(voxel.voxels[1:100, 0]).max() < 0.3


@settings(max_examples=50)
@given(rngs, means, st.sampled_from([0.0, 0.2]))
def test_what_must_not_matter_does_not(rng, mean, empty):
    fields = random_fields(rng, empty, frames=9)
    base = temporal_autocorrelation(fields, mean, False)
    flat = fields.reshape(9, -1)
    order = rng.permutation(flat.shape[1])
    scale, shift = rng.uniform(0.1, 10), rng.normal()
    for other, factor in [
        (flat, 1),
        (flat[:, order], 1),
        (fields + shift, 1),
        (-scale * fields, scale**2),
        (fields[::-1], 1),
    ]:
        if (
            mean == "origin"
            and other is not flat
            and factor == 1
            and np.array_equal(other, fields[::-1], equal_nan=True)
        ):
            continue  # reversed, the later frame's mean would be subtracted
        found = temporal_autocorrelation(other, mean, False)
        assert_array_equal(found.pairs, base.pairs)
        assert_allclose(found.products, factor * base.products, rtol=1e-9, atol=1e-10 * factor)
    if mean == "frame":
        drifted = temporal_autocorrelation(fields + rng.normal(size=(9, 1, 1)), mean, False)
        assert_allclose(drifted.products, base.products, atol=1e-10)


@given(rngs, st.integers(1, 5), st.sampled_from([0.0, 0.2]))
def test_runs_add_up(rng, count, empty):
    runs = [random_fields(rng, empty, frames=6) for _ in range(count)]
    found = [temporal_autocorrelation(run, per_voxel=True) for run in runs]
    total = sum(found[1:], found[0])
    pairs, products = zip(*(slow_sums(run, "frame") for run in runs), strict=True)
    pairs, products = (sum(part.sum(axis=1) for part in parts) for parts in (pairs, products))
    assert_array_equal(total.pairs, pairs)
    if products[0] > 1e-20:
        assert_allclose(total.value, ratio(products, pairs, True), atol=1e-9)


def test_empty_voxels_take_no_part():
    fields = np.random.default_rng(4).normal(size=(8, 6))
    fields[:, 2], fields[3] = np.nan, np.nan
    found = temporal_autocorrelation(fields, per_voxel=True)
    assert_array_equal(found.pairs, 5 * np.array([7, 5, 4, 3, 3, 3, 2, 1]))
    assert np.isnan(found.voxels[:, 2]).all()
    assert np.isfinite(np.delete(found.voxels, 2, axis=1)).all()
    nothing = temporal_autocorrelation(np.full((3, 2), np.nan), "voxel", per_voxel=True)
    assert_array_equal(nothing.pairs, [0, 0, 0])
    assert np.isnan(nothing.value).all()
    assert np.isnan(nothing.voxels).all()


def test_fields_that_do_not_vary_have_no_correlation():
    assert np.isnan(temporal_autocorrelation(np.ones((5, 4))).value).all()
    assert_array_equal(temporal_autocorrelation(np.ones((5, 4)), normalised=False).value, 0)


def test_one_frame_has_one_lag():
    assert_array_equal(temporal_autocorrelation(np.array([[1.0, 3.0]])).value, [1.0])


@pytest.mark.parametrize("shape", [(5,), (0, 3), (4, 0, 2), ()])
def test_fields_without_frames_or_voxels_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(frames, \.\.\.\) of one voxel or more, got"):
        temporal_autocorrelation(np.ones(shape))


def test_refusals_say_what_was_got_and_what_is_allowed():
    fields = np.ones((4, 2, 3))
    with pytest.raises(ValueError, match="mean must be one of frame, voxel, origin, got 'time'"):
        temporal_autocorrelation(fields, "time")
    fields[2, 1, 0], fields[3] = -np.inf, np.inf
    with pytest.raises(ValueError, match=r"nan where empty; got -inf in frame 2 at \(1, 0\)"):
        temporal_autocorrelation(fields)


def test_only_like_correlations_add_up():
    good = temporal_autocorrelation(np.eye(4))
    others = (
        temporal_autocorrelation(np.ones((3, 4))),
        temporal_autocorrelation(np.eye(4), normalised=False),
    )
    for other in others:
        with pytest.raises(ValueError, match="got 4 frames, normalised True and"):
            good + other
    assert isinstance(good + good, TemporalCorrelation)
