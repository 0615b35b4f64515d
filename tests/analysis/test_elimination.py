"""Rankings are those of scikit-learn's recursive elimination."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import RFE

from glasscreep.analysis.elimination import mean_ranking, rank_features
from glasscreep.analysis.interstices import interstice_features
from glasscreep.analysis.nonaffine import d2min

DATA = Path(__file__).parents[1] / "data" / "ka_creep.npz"


def examples(seed, n=300, d=12):
    """Draw features, the first of which tell most of the class."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d))
    told = features @ 0.5 ** np.arange(d) + 0.5 * rng.normal(size=n)
    return features, told > np.median(told)


def scikit_learn(features, loose, seed, **options):
    model = GradientBoostingClassifier(random_state=seed, **options)
    return RFE(model, n_features_to_select=1, step=1).fit(features, loose).ranking_


@pytest.mark.parametrize("seed", [0, 17])
def test_ranks_as_scikit_learn_does(seed):
    features, loose = examples(seed)
    found = rank_features(features, loose, seed=seed)
    assert_array_equal(found, scikit_learn(features, loose, seed))
    assert found[0] == 1


def test_ranks_as_scikit_learn_does_with_other_trees():
    features, loose = examples(3, n=200, d=6)
    found = rank_features(features, loose, seed=3, trees=20, depth=2, learning_rate=0.5)
    options = {"n_estimators": 20, "max_depth": 2, "learning_rate": 0.5}
    assert_array_equal(found, scikit_learn(features, loose, 3, **options))


@pytest.mark.slow
def test_ranks_many_features_of_many_examples_as_scikit_learn_does():
    features, loose = examples(5, n=2000, d=25)
    assert_array_equal(rank_features(features, loose, seed=5), scikit_learn(features, loose, 5))


@pytest.mark.slow
def test_ranks_features_of_a_real_glass_as_scikit_learn_does_but_for_equal_values():
    with np.load(DATA) as data:
        positions, boxes, species = data["position"], data["box"], data["species"]
    features = interstice_features(positions[0], boxes[0], species)[species == 1]
    moved = d2min(*positions[:2], *boxes[:2])[species == 1]
    kept = moved.argsort()[np.r_[0:300, -300:0]]
    rows, loose = features[kept, ::3], np.arange(600) >= 300
    ours, theirs = rank_features(rows, loose, seed=1), scikit_learn(rows, loose, 1)
    assert spearmanr(ours, theirs).statistic > 0.98
    distinct = rows.astype(np.float32).argsort(axis=0, kind="stable").argsort(axis=0)
    assert_array_equal(rank_features(distinct, loose, seed=1), scikit_learn(distinct, loose, 1))


def test_of_features_that_tell_nothing_the_first_goes_first():
    features = np.column_stack([np.ones(20), np.arange(20), np.ones(20)])
    assert rank_features(features, np.arange(20) > 9, seed=0).tolist() == [3, 1, 2]
    assert rank_features([[1], [2]], [True, False], seed=0).tolist() == [1]


def test_refuses_what_importances_do():
    with pytest.raises(ValueError, match="true of some examples and false of others"):
        rank_features(np.eye(3), np.ones(3), seed=0)
    with pytest.raises(ValueError, match="trees must be a whole number from 1"):
        rank_features(np.eye(3), [0, 0, 1], seed=0, trees=0)


def test_mean_ranking_goes_by_mean_then_median_then_number():
    merged = mean_ranking([[1, 2, 3, 4, 5], [4, 2, 3, 1, 5], [4, 5, 3, 1, 2]])
    assert_allclose(merged.mean, [3, 3, 3, 2, 4])
    assert_allclose(merged.median, [4, 2, 3, 1, 5])
    assert_allclose(merged.spread, np.sqrt([2, 2, 0, 2, 2]))
    assert merged.order.tolist() == [3, 1, 2, 0, 4]
    assert mean_ranking([[2, 1, 3], [1, 2, 3]]).order.tolist() == [0, 1, 2]


def test_mean_ranking_refuses_what_is_none():
    with pytest.raises(ValueError, match=r"got \(3,\)"):
        mean_ranking([1, 2, 3])
    with pytest.raises(ValueError, match=r"got \(0, 3\)"):
        mean_ranking(np.ones((0, 3)))
    with pytest.raises(ValueError, match=r"from 1 to 2 once, got \[2, 2\] as number 1"):
        mean_ranking([[1, 2], [2, 2]])
