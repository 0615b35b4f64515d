"""Importances are those of scikit-learn's trees, and of trees grown the slow way."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from glasscreep.analysis.boosting import gradient_boosting_importances, pairwise_sum
from glasscreep.analysis.regression_tree import grow_tree
from glasscreep.analysis.sorted_features import bench_for, sort_features

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
few = settings(max_examples=20)


def examples(rng, n=300, d=12):
    """Draw features of which the first three tell the class, by and large."""
    features = rng.normal(size=(n, d)).astype(np.float32)
    told = features[:, 0] + features[:, 1] * features[:, -1] + rng.normal(size=n)
    return features, told > np.median(told)


def scikit_learn(features, loose, seed, trees=100, depth=3, learning_rate=0.1):
    model = GradientBoostingClassifier(
        n_estimators=trees, max_depth=depth, learning_rate=learning_rate, random_state=seed
    )
    return model.fit(features, loose).feature_importances_


def slow_importances(features, loose, trees, rate):
    odds = np.full(len(loose), np.log(loose.mean() / (1 - loose.mean())))
    falls = np.zeros(features.shape[1])
    for _ in range(trees):
        slope = loose - 1 / (1 + np.exp(-odds))
        leaf = slow_tree(features, slope, 1, falls)
        curvature = (loose - slope) * (1 - loose + slope)
        for inside in (leaf == k for k in np.unique(leaf)):
            odds[inside] += rate * slope[inside].sum() / curvature[inside].sum()
    return falls / falls.sum()


def slow_tree(features, target, depth, falls):
    """Try every split of every node by the variances it leaves."""
    found = []
    for f in range(features.shape[1] if depth else 0):
        places = np.sort(features[:, f])
        for middle in (places[:-1] + places[1:]) / 2:
            left = features[:, f] < middle
            rest = sum(target[part].var() * part.sum() for part in (left, ~left))
            found.append((target.var() * len(target) - rest, f, left))
    leaf = np.zeros(len(target), int)
    if found:
        fall, best, left = max(found, key=lambda split: split[0])
        assume(sum(other >= fall * (1 - 1e-9) for other, *_ in found) == 1)
        falls[best] += fall
        for part in (left, ~left):
            inside = slow_tree(features[part], target[part], depth - 1, falls)
            leaf[part] = inside + leaf.max() + 1
    return leaf


@pytest.mark.parametrize("seed", range(4))
def test_equals_scikit_learn_to_the_last_bits(seed):
    features, loose = examples(np.random.default_rng(seed))
    ours = gradient_boosting_importances(features, loose, seed=seed)
    assert_allclose(ours, scikit_learn(features, loose, seed), rtol=1e-12)


@pytest.mark.parametrize(("trees", "depth", "rate"), [(30, 1, 1.0), (20, 2, 0.3), (20, 6, 0.05)])
def test_equals_scikit_learn_with_other_trees_and_many_more_of_one_class(trees, depth, rate):
    features, loose = examples(np.random.default_rng(9), n=1100, d=5)
    kept = np.flatnonzero(~loose | (np.arange(1100) % 7 == 0))
    given, seed = (features[kept], loose[kept]), 2**32 - 1
    options = {"trees": trees, "depth": depth, "learning_rate": rate}
    ours = gradient_boosting_importances(*given, seed=seed, **options)
    assert_allclose(ours, scikit_learn(*given, seed, **options), rtol=1e-12)


def test_equals_scikit_learn_where_many_values_are_equal_and_features_tell_of_different_things():
    rng = np.random.default_rng(3)
    features = np.round(rng.normal(size=(400, 4)), 1)
    features[::5] += 4e-8  # less than what may be parted
    loose = features @ [1, 2, 3, 4] + rng.normal(size=400) > 0
    ours = gradient_boosting_importances(features, loose, seed=1, trees=40)
    assert_allclose(ours, scikit_learn(features, loose, 1, trees=40), atol=1e-3)
    first = gradient_boosting_importances(features, loose, seed=1, trees=1, depth=2)
    assert_allclose(first, scikit_learn(features, loose, 1, trees=1, depth=2), rtol=1e-10)


@few
@given(rngs)
def test_equals_trees_grown_the_slow_way(rng):
    features, loose = examples(rng, n=60, d=3)
    slow = slow_importances(features.astype(float), loose, 5, 0.5)
    options = {"trees": 5, "depth": 1, "learning_rate": 0.5}
    ours = gradient_boosting_importances(features, loose, seed=1, **options)
    assert_allclose(ours, slow, rtol=1e-8, atol=1e-12)


@few
@given(rngs, st.integers(1, 4))
def test_a_tree_equals_one_grown_the_slow_way(rng, depth):
    features, target = rng.normal(size=(60, 3)).astype(np.float32), rng.normal(size=60)
    falls, ours, leaf = np.zeros(2), np.zeros(3), np.empty(60, int)
    slow = slow_tree(features[:, [0, 2]].astype(float), target, depth, falls)
    prepared = sort_features(features)
    kept, bench = np.array([0, 2]), bench_for(prepared)
    leaves = grow_tree(prepared, kept, target, depth, 1, bench, leaf, ours)
    assert_allclose(ours, [falls[0], 0, falls[1]], rtol=1e-9)
    assert leaves == len(np.unique(slow)) == len(np.unique(np.column_stack([leaf, slow]), axis=0))


@few
@given(rngs)
def test_only_the_order_of_values_counts(rng):
    features, loose = examples(rng, n=80, d=4)
    ranks = features.argsort(axis=0).argsort(axis=0)
    assert_array_equal(
        gradient_boosting_importances(ranks**3 - 5e4, loose, seed=3, trees=10),
        gradient_boosting_importances(features, loose, seed=3, trees=10),
    )


@few
@given(rngs)
def test_neither_order_nor_direction_nor_the_names_of_classes_matter(rng):
    features, loose = examples(rng, n=150, d=4)
    rows, columns = rng.permutation(150), rng.permutation(4)
    found = gradient_boosting_importances(features, loose, seed=3, trees=10, depth=1)
    other = gradient_boosting_importances(
        -features[rows][:, columns], ~loose[rows], seed=5, trees=10, depth=1
    )
    assert_allclose(other, found[columns], rtol=1e-8, atol=1e-12)


def test_of_equal_features_the_one_tried_first_is_split_as_in_scikit_learn():
    features, loose = examples(np.random.default_rng(2), d=4)
    copies = np.repeat(features, 3, axis=1)
    for seed in range(3):
        ours = gradient_boosting_importances(copies, loose, seed=seed)
        assert np.count_nonzero(ours) > 4
        assert_allclose(ours, scikit_learn(copies, loose, seed), rtol=1e-12)


@pytest.mark.parametrize("between", [False, True])
def test_features_that_part_the_same_few_after_equal_values_take_turns_as_in_scikit_learn(between):
    rng = np.random.default_rng(4)
    features, target = rng.normal(size=(300, 5)).astype(np.float32), rng.normal(size=300)
    target[0] = 10
    features[0, 1:4] = 10
    for f in (1, 2, 3):  # which others are next to it depends on the feature
        features[[3 * f, 3 * f + 1, 3 * f + 2], f] = 5
    if between:
        features[1, 1:4], target[1] = 6, -10
    prepared, chosen = sort_features(features), []
    for seed in range(20):
        falls, first = np.zeros(5), np.random.RandomState(seed).randint(0, 2**31 - 1)
        bench, leaf = bench_for(prepared), np.empty(300, int)
        grow_tree(prepared, np.arange(5), target, 1, first, bench, leaf, falls)
        model = DecisionTreeRegressor(max_depth=1, random_state=seed).fit(features, target)
        chosen.append((int(falls.argmax()), int(model.tree_.feature[0])))
    assert all(ours == theirs for ours, theirs in chosen)
    assert {ours for ours, _ in chosen} == {1, 2, 3}


def test_one_feature_that_tells_all_has_all_importance():
    noise = np.random.default_rng(1).normal(size=(100, 2))
    loose = np.arange(100) % 2 == 0
    features = np.column_stack([noise[:, 0], loose, noise[:, 1]])
    assert gradient_boosting_importances(features, loose, seed=0, trees=5).tolist() == [0, 1, 0]


def test_features_that_tell_nothing_have_no_importance():
    loose = np.arange(100) % 2 == 0
    same = np.column_stack([np.ones(100), 1 + 1e-8 * loose])
    assert gradient_boosting_importances(same, loose, seed=0).tolist() == [0, 0]


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 127, 128, 129, 300, 4231])
def test_sums_have_the_bits_of_those_of_numpy(n):
    values = np.random.default_rng(n).normal(size=n)
    assert pairwise_sum(values) == values.sum()


def refusal(**changes):
    good = {"features": np.eye(4), "loose": [1, 1, 0, 0], "seed": 1}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the callers look at the text
        gradient_boosting_importances(**(good | changes))
    return str(caught.value)


def test_refusals_say_what_was_got_and_what_is_allowed():
    assert "got (4,) and (4,)" in refusal(features=np.ones(4))
    assert "got (4, 4) and (3,)" in refusal(loose=[1, 0, 1])
    assert "got (0, 4) and (0,)" in refusal(features=np.ones((0, 4)), loose=[])
    holes = np.eye(4)
    holes[2, 1], holes[3, 3] = np.nan, 1e39
    assert "got nan at example 2, feature 1, and at 2 places in all" in refusal(features=holes)
    assert "true of some examples and false of others, got {1: 4}" in refusal(loose=[1] * 4)
    assert "got {0: 1, 1: 2, 2: 1}" in refusal(loose=[0, 1, 1, 2])
    assert "seed must be a whole number from 0 to 4294967295, got -1" in refusal(seed=-1)
    assert "trees must be a whole number from 1" in refusal(trees=0)
    assert "depth must be a whole number from 1 to 64, got 2.5" in refusal(depth=2.5)
    assert "learning_rate must be finite and above 0, got nan" in refusal(learning_rate=np.nan)
