"""A feature is as important as what the model loses when it is shuffled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import balanced_accuracy_score

from glasscreep.analysis.loose_model import fit_loose_model
from glasscreep.analysis.permutation import permutation_importances

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
NAMES = ("a", "b", "c", "d")


def examples(seed, n=1500):
    rng = np.random.default_rng(seed)
    loose = np.arange(n) % 3 == 0
    features = rng.normal(size=(n, 4))
    features[:, 0] += 2.0 * loose
    features[:, 1] -= 1.0 * loose
    return features, loose


def fitted():
    features, loose = examples(1)
    return fit_loose_model(features, loose, names=NAMES, estimators=3, seed=0).pipeline


def test_equals_shuffling_by_hand():
    model, (features, loose) = fitted(), examples(2)
    found = permutation_importances(model, features, loose, repeats=30, seed=0)
    rng = np.random.default_rng(5)
    whole = balanced_accuracy_score(loose, model.predict(features))
    lost = np.empty((4, 30))
    for feature in range(4):
        for repeat in range(30):
            other = features.copy()
            other[:, feature] = rng.permutation(other[:, feature])
            lost[feature, repeat] = whole - balanced_accuracy_score(loose, model.predict(other))
    assert_allclose(found.mean, lost.mean(axis=1), atol=0.012)
    assert_allclose(found.std, lost.std(axis=1, ddof=1), atol=0.008)
    assert found.mean[0] > found.mean[1] > 0.03 > np.abs(found.mean[2:]).max()


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_and_another_other_shuffles(seed):
    model, (features, loose) = fitted(), examples(2, n=300)
    found = permutation_importances(model, features, loose, repeats=2, seed=seed)
    again = permutation_importances(model, features, loose, repeats=2, seed=seed)
    assert_array_equal(again.mean, found.mean)
    assert_array_equal(again.std, found.std)
    other = permutation_importances(model, features, loose, repeats=2, seed=seed + 1)
    assert not np.array_equal(other.mean, found.mean)


def test_one_class_far_more_often_does_not_hide_the_other():
    # Of one loose in fifty, plain accuracy would call every feature unimportant.
    model, (features, loose) = fitted(), examples(3, n=6000)
    rare = ~loose | (np.arange(6000) % 75 == 0)
    found = permutation_importances(model, features[rare], loose[rare], seed=0)
    assert found.mean[0] > 0.1


def test_refusals_have_the_counts():
    model, (features, loose) = fitted(), examples(2)
    with pytest.raises(
        ValueError, match=r"permutation importance needs 1 loose .* got 0 loose and"
    ):
        permutation_importances(model, features, loose & False, seed=0)
    with pytest.raises(ValueError, match="repeats must be 2 or more, got 0"):
        permutation_importances(model, features, loose, repeats=0, seed=0)
    features[4, 1] = np.nan
    with pytest.raises(ValueError, match="got 1 of 1500 examples with nan or inf, the first at 4"):
        permutation_importances(model, features, loose, seed=0)
