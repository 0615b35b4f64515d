"""The model learns what can be learnt, and one matrix gives what scikit-learn gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.ensemble import EasyEnsembleClassifier
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from glasscreep.analysis import loose_model
from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.analysis.loose_model import LinearEnsemble, fit_loose_model
from glasscreep.analysis.scores import Scores

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
NAMES = ("a", "b", "c")


def examples(rng, n=400, d=3, part=0.1):
    """Draw classes that two features tell apart, the first the better."""
    loose = rng.permutation(np.arange(n) < max(2, part * n))
    features = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-2, 3, d) + rng.normal(size=d)
    spread = features.std(axis=0)
    features[:, 0] += 2.0 * spread[0] * loose
    features[:, 1] -= 0.7 * spread[1] * loose
    return features, loose


@settings(max_examples=15)
@given(rngs, st.integers(3, 8), st.integers(1, 4))
def test_equals_scikit_learn(rng, d, estimators):
    features, loose = examples(rng, d=d)
    names = [f"feature {k}" for k in range(d)]
    model = fit_loose_model(features, loose, names=names, estimators=estimators, seed=1)
    found = LinearEnsemble.of(model.pipeline).looseness(features)
    assert model.names == tuple(names)
    assert found.dtype == np.float64
    assert_allclose(found, model.pipeline.predict_proba(features)[:, 1], rtol=0, atol=1e-12)


def test_members_may_see_the_features_in_an_order_of_their_own():
    rng = np.random.default_rng(1)
    features, loose = examples(rng)
    pipeline = fit_loose_model(features, loose, names=NAMES, seed=1).pipeline
    pipeline[-1].estimators_features_ = [rng.permutation(3) for _ in range(10)]
    found = LinearEnsemble.of(pipeline).looseness(features)
    assert_allclose(found, pipeline.predict_proba(features)[:, 1], rtol=0, atol=1e-12)


@given(rngs, st.integers(1, 7), st.integers(0, 30), st.integers(1, 5), st.integers(1, 5))
def test_equals_the_mean_of_sigmoids_whatever_the_blocks(rng, block, n, d, m):
    linear = LinearEnsemble(rng.normal(size=(d, m)), rng.normal(size=m))
    features = rng.normal(scale=3, size=(n, d)).astype(rng.choice([np.float32, np.float64]))
    expected = [
        np.mean([expit(row @ linear.coefficients[:, k] + linear.intercepts[k]) for k in range(m)])
        for row in features.astype(np.float64)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loose_model, "_BLOCK", block)
        assert_allclose(linear.looseness(features), expected, rtol=0, atol=1e-14)


@settings(max_examples=10)
@given(rngs)
def test_units_of_the_features_do_not_matter(rng):
    features, loose = examples(rng)
    factor, shift = 10.0 ** rng.uniform(-3, 3, 3), rng.normal(size=3)
    ours, theirs = (
        LinearEnsemble.of(fit_loose_model(x, loose, names=NAMES, seed=3).pipeline).looseness(x)
        for x in (features, features * factor + shift)
    )
    assert_allclose(theirs, ours, atol=1e-4)


def test_looseness_by_hand():
    linear = LinearEnsemble(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.0, np.log(3)]))
    found = linear.looseness([[0.0, 0.0], [np.log(4), -np.log(3)], [1e5, 1e5], [-1e5, -1e5]])
    assert_allclose(found, [(1 / 2 + 3 / 4) / 2, (4 / 5 + 1 / 4) / 2, 1, 0], rtol=1e-14)
    assert 0 <= found.min() <= found.max() <= 1


def test_nan_has_no_looseness():
    linear = LinearEnsemble(np.ones((2, 3)), np.zeros(3))
    assert_array_equal(linear.looseness([[0.0, np.nan], [0.0, 0.0]]), [np.nan, 0.5])
    assert linear.looseness(np.empty((0, 2))).shape == (0,)


def test_learns_at_the_rate_that_the_classes_allow():
    # Two normal distributions a standard deviation apart: AUC = Phi(1 / sqrt(2)) = 0.7602,
    # and half way between them Phi(1 / 2) = 0.6915 of each class are right.
    rng = np.random.default_rng(4)
    loose = np.arange(40000) % 20 == 0
    features = rng.normal(size=(40000, 2))
    features[:, 0] += loose
    model = fit_loose_model(features, loose, names=("a", "b"), seed=0)
    scores = Scores.of(loose, LinearEnsemble.of(model.pipeline).looseness(features))
    assert scores.auc == pytest.approx(0.7602, abs=0.015)
    assert scores.loose_accuracy == pytest.approx(0.6915, abs=0.03)
    assert scores.tight_accuracy == pytest.approx(0.6915, abs=0.03)
    coefficients = LinearEnsemble.of(model.pipeline).coefficients
    assert_allclose(coefficients[0].mean(), 1, atol=0.1)  # the ratio of the densities is exp(x)
    assert_allclose(coefficients[1].mean(), 0, atol=0.1)


def test_the_model_is_the_one_of_the_paper():
    features, loose = examples(np.random.default_rng(5), d=60)
    pipeline = fit_loose_model(features, loose, seed=2**31).pipeline
    scaler, ensemble = (step for _, step in pipeline.steps)
    assert_allclose(scaler.mean_, features.mean(axis=0))
    assert len(ensemble.estimators_) == 10
    sizes = {len(member[0].sample_indices_) for member in ensemble.estimators_}
    assert sizes == {2 * loose.sum()}
    assert {member[-1].C for member in ensemble.estimators_} == {1.0}
    assert {type(member[-1]) for member in ensemble.estimators_} == {LogisticRegression}
    assert fit_loose_model(features, loose, seed=1).names == FEATURES


def test_the_seed_decides_on_the_tight_that_are_drawn():
    features, loose = examples(np.random.default_rng(6))
    linear = [
        LinearEnsemble.of(fit_loose_model(features, loose, names=NAMES, seed=seed).pipeline)
        for seed in (1, 1, 2)
    ]
    assert_array_equal(linear[0].coefficients, linear[1].coefficients)
    assert_array_equal(linear[0].intercepts, linear[1].intercepts)
    assert not np.array_equal(linear[0].coefficients, linear[2].coefficients)


def test_less_freedom_gives_smaller_coefficients():
    features, loose = examples(np.random.default_rng(7))
    sizes = [
        np.abs(
            LinearEnsemble.of(
                fit_loose_model(features, loose, names=NAMES, C=C, seed=0).pipeline
            ).coefficients
        ).sum()
        for C in (0.001, 1.0)
    ]
    assert sizes[0] < 0.5 * sizes[1]


def refused(match, features, loose, **more):
    with pytest.raises(ValueError, match=match):
        fit_loose_model(features, loose, **{"names": NAMES, "seed": 0} | more)


def test_refusals_have_the_counts():
    features, loose = examples(np.random.default_rng(8))
    few = np.arange(400) == 5
    refused("needs 2 loose examples and as many tight or more, got 1 loose and 399", features, few)
    refused("got 0 loose and 400 tight: take more runs or frames", features, few & False)
    refused("got 400 loose and 0 tight", features, few | True)
    refused("got 0 loose and 0 tight", features[:0], loose[:0])
    refused(r"loose must be booleans, such as d2min > 0.25, got float64", features, loose * 1.0)
    refused(r"\(n, d\) and loose \(n,\), got \(400, 3\) and \(399,\)", features, loose[1:])
    refused("features has 3 columns but 60 names", features, loose, names=FEATURES)
    refused(
        "estimators must be 1 or more and C above 0, got 0 and 1.0", features, loose, estimators=0
    )
    refused("got 10 and -1.0", features, loose, C=-1.0)
    still = features * [1, 0, 0] + [0, 0.1, 3]
    refused("2 of 3 features are the same for all 400 examples: b, c: leave", still, loose)
    features[[3, 7, 9], [0, 2, 1]] = np.nan, np.inf, np.nan
    refused("got 3 of 400 examples with nan or inf, the first at 3: leave", features, loose)


def test_other_models_are_refused():
    features, loose = examples(np.random.default_rng(9))
    other = make_pipeline(MinMaxScaler(), LogisticRegression()).fit(features, loose)
    with pytest.raises(ValueError, match="got MinMaxScaler, LogisticRegression"):
        LinearEnsemble.of(other)
    with pytest.raises(ValueError, match="got LogisticRegression"):
        LinearEnsemble.of(LogisticRegression())
    trees = make_pipeline(StandardScaler(), EasyEnsembleClassifier(2, random_state=0))
    with pytest.raises(
        ValueError, match="one of LogisticRegression, got one of AdaBoostClassifier"
    ):
        LinearEnsemble.of(trees.fit(features, loose))
    linear = LinearEnsemble(np.ones((2, 3)), np.zeros(3))
    with pytest.raises(ValueError, match=r"features must have shape \(n, 2\), got \(4, 3\)"):
        linear.looseness(np.ones((4, 3)))
