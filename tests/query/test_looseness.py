"""Looseness and what follows from it: the values, each computed by another way too."""

import hashlib

import numpy as np
import pytest
from loose_campaign import (
    ANALYSIS,
    FRAMES,
    NAMES,
    OF_BOTH,
    OF_FIELDS,
    OF_LOOSENESS,
    THRESHOLD,
    Expected,
    is_of_looseness,
    learn,
    names_of,
)
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.analysis.decorrelation import decorrelation_times
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min
from glasscreep.analysis.spatial import spatial_autocorrelation
from glasscreep.analysis.temporal import temporal_autocorrelation
from glasscreep.analysis.voxels import size_fluctuations
from glasscreep.campaign.query import query_table
from glasscreep.tasks.model_in_use import model_parameters, model_path
from glasscreep.tasks.physics import derived_seed


def test_looseness_is_what_the_model_says_of_the_features(learned, expected):
    campaign, _ = learned
    values = campaign.array("looseness")
    assert values.dtype == np.float32
    assert_allclose(values[0], expected.exact, rtol=1e-6)
    assert np.isnan(values[0][:, ~expected.own]).all()
    assert np.isnan(values[1:]).all()
    assert expected.exact[:, expected.own].std() > 0.05


def test_mean_and_spread_are_those_of_the_a_particles(learned, expected):
    campaign, _ = learned
    own = expected.stored[:, expected.own]
    assert_allclose(campaign.array("looseness_mean")[0], own.mean(axis=1), rtol=1e-12)
    assert_allclose(campaign.array("looseness_std")[0], own.std(axis=1), rtol=1e-12)


def test_the_fit_is_that_of_independent_least_squares(learned, expected):
    campaign, _ = learned
    assert_allclose(campaign.array("looseness_fit")[0], expected.fit(), rtol=1e-9)
    assert np.isnan(campaign.array("looseness_fit")[1:]).all()


@pytest.mark.parametrize("apart", [1, 3])
def test_histograms_count_every_a_particle_once(learned, expected, apart):
    campaign, _ = learned
    counted = campaign.array(f"looseness_histogram_{20 * apart}")[0]
    assert_array_equal(counted, expected.histogram(apart))
    assert (counted.sum(axis=1) > 0).all()
    density = campaign.array(f"looseness_density_{20 * apart}")[0]
    assert_array_equal(density, expected.density(apart))
    assert_array_equal(density.sum(axis=0), counted.sum(axis=0))
    assert density.sum() == expected.own.sum() * (FRAMES - apart)
    assert_allclose(campaign.array("looseness_bin"), np.arange(0.05, 1, 0.1))


def test_looseness_is_a_field_like_another(learned, expected):
    campaign, _ = learned
    sacf = [spatial_autocorrelation(*expected.field(t), 2.0, 10).value for t in range(FRAMES)]
    assert_array_equal(campaign.array("sacf_looseness")[0], sacf)
    tacf = temporal_autocorrelation(expected.fields()).value
    assert_array_equal(campaign.array("tacf_looseness")[0], tacf)
    seed = derived_seed(expected.run_id, "decorrelation_times_looseness")
    times = decorrelation_times(expected.fields(), seed)
    name = "decorrelation_times_looseness"
    assert_array_equal(campaign.array(name)[0], times.times.ravel() * 0.2)
    assert_array_equal(campaign.array(f"{name}_surrogate")[0], times.surrogate.ravel() * 0.2)
    first, *rest = (size_fluctuations(*expected.field(t), (1, 2, 3)) for t in range(FRAMES))
    assert_array_equal(campaign.array("size_fluctuations_looseness")[0], sum(rest, first).value)


def test_every_result_of_looseness_is_tested_here(learned):
    campaign, _ = learned
    fields = {f"{name}_looseness" for name in OF_FIELDS}
    surrogate = "decorrelation_times_looseness_surrogate"
    of_both = {f"{name}_{interval}" for name in OF_BOTH for interval in (20, 60)}
    tested = {*OF_LOOSENESS, "looseness_std", *fields, surrogate, *of_both}
    assert {name for name in names_of(campaign) if is_of_looseness(name)} == tested


def test_every_result_says_what_it_is_computed_from(learned):
    campaign, _ = learned
    path, model = model_path(campaign.directory), model_parameters(campaign.directory)
    assert model["model"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert model["features"] == list(NAMES)
    assert model["preset"]["radii"] == [0.5, 0.3]
    assert campaign.attributes("looseness")["parameters"] == model
    assert campaign.attributes("sacf_looseness")["parameters"] == {
        "reach": 2.0, "bins": 10, "source": "looseness", "looseness": model,
    }  # fmt: skip
    joint = campaign.attributes("looseness_histogram_60")
    assert joint["interval"] == 60
    assert joint["parameters"] == {
        "threshold": THRESHOLD, "bins": 10, "source": "d2min_60, looseness",
        "d2min_60": {"cutoff": 2.5}, "looseness": model,
    }  # fmt: skip


def test_queries_give_the_densities(learned):
    campaign, _ = learned
    table = query_table(campaign.directory, "looseness_histogram_20")
    assert len(table) == 10  # of the one run that there is
    tight, loose = campaign.array("looseness_histogram_20")[0]
    assert_array_equal(table["tight"], tight)
    assert_array_equal(table["loose"], loose)
    assert_allclose(table["p_all"].sum() * 0.1, 1)
    assert_allclose(table["p_loose"].sum() * 0.1, 1)
    assert_allclose(table["p_all"], (tight + loose) / (tight + loose).sum() / 0.1)
    filled = tight + loose > 0
    prior = loose.sum() / (tight + loose).sum()
    bayes = table["p_loose"] * prior / table["p_all"]
    assert_allclose(table["loose_fraction"][filled], bayes[filled])
    assert table["loose_fraction"][~filled].isna().all()


def assert_told_by_bins(campaign):
    table = query_table(campaign.directory, "looseness_density_20")
    counts = campaign.array("looseness_density_20")[0]
    edges = [0.0, *10.0 ** (np.arange(-8, -1) / 2)]
    assert_allclose(table["d2min_bin"], np.repeat(edges, 10))
    assert_allclose(table["looseness_bin"], np.tile(np.arange(10) / 10 + 0.05, 8))
    assert_array_equal(table["value"], counts.ravel())
    said = campaign.attributes("looseness_density_20")["definition"]
    assert "d2min_bin the lower edge of each" in said
    assert "looseness_bin the middle of each" in said


def test_queries_tell_bins_by_their_values(learned, unlearned):
    assert_told_by_bins(learned[0])
    learn(unlearned.directory)
    extended = unlearned.extended()  # the coordinates come later than the store
    extended.analyse(0)
    assert_told_by_bins(extended)


def test_every_result_can_be_queried(learned, expected):
    campaign, _ = learned
    for name in filter(is_of_looseness, names_of(campaign)):
        assert len(query_table(campaign.directory, name, temperature=0.1, replica=0)), name
    fit = query_table(campaign.directory, "looseness_fit")
    assert list(fit)[4:] == ["slope", "intercept", "slope_stderr", "intercept_stderr"]
    assert_allclose(fit.iloc[0, 4:].astype(float), expected.fit(), rtol=1e-9)
    mean = query_table(campaign.directory, "looseness_mean")
    assert_allclose(mean["value"], query_table(campaign.directory, "looseness")["mean_A"])


def test_a_model_of_other_particles_gives_theirs(unlearned):
    pipeline = learn(unlearned.directory, species="B")
    campaign = unlearned.extended()
    campaign.analyse(0)
    expected = Expected(campaign, pipeline, species=2)
    values = campaign.array("looseness")[0]
    assert_allclose(values, expected.exact, rtol=1e-6)
    own = expected.stored[:, expected.own]
    assert_allclose(campaign.array("looseness_mean")[0], own.mean(axis=1), rtol=1e-12)
    assert_allclose(campaign.array("looseness_fit")[0], expected.fit(), rtol=1e-9)
    for name in OF_BOTH:
        assert campaign.array(f"{name}_60")[0].sum() == 40 * (FRAMES - 3)
    sacf = [spatial_autocorrelation(*expected.field(t), 2.0, 10).value for t in range(FRAMES)]
    assert_array_equal(campaign.array("sacf_looseness")[0], sacf)


@pytest.mark.slow
def test_particles_without_features_or_d2min_are_left_out(
    make, corner, tmp_path, monkeypatch, small_files, expected
):
    def lacking(*where, **more):
        features = interstice_features(*where, **more)
        features[:5] = np.nan
        return features

    def unknown(*pair, cutoff):
        values = d2min(*pair, cutoff=cutoff)
        values[4:7] = np.nan
        return values

    monkeypatch.setattr("glasscreep.analysis.interstices.interstice_features", lacking)
    monkeypatch.setattr("glasscreep.analysis.nonaffine.d2min", unknown)
    campaign = make(tmp_path / "filled", corner, analysis=ANALYSIS)
    learn(campaign.directory)
    campaign = campaign.extended()
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    values = campaign.array("looseness")[0]
    assert np.isnan(values[:, :5]).all()
    assert_array_equal(values[:, 5:], expected.stored[:, 5:].astype(np.float32))
    own = expected.stored[:, 5:160]
    assert_allclose(campaign.array("looseness_mean")[0], own.mean(axis=1), rtol=1e-12)
    assert np.isfinite(campaign.array("looseness_fit")[0]).all()
    assert np.isfinite(campaign.array("sacf_looseness")[0][:, [0, -1]]).all()
    for name in OF_BOTH:
        assert campaign.array(f"{name}_20")[0].sum() == 153 * (FRAMES - 1)
