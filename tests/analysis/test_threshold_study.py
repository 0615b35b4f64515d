"""A sample is scored by models that have not seen the replicas that they judge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glasscreep.analysis import threshold_study
from glasscreep.analysis.threshold_study import study_sample

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
NAMES = ("a", "b", "c")


def sample(rng, n=300, groups=5, apart=1.0):
    loose = rng.permutation(np.arange(n) % 2 == 0)
    features = rng.normal(size=(n, 3)) * [1, 100, 0.01]
    features[:, 0] += apart * loose
    return features, loose, rng.permutation(np.arange(n) % groups)


def study(features, loose, groups, **more):
    return study_sample(features, loose, groups, **{"names": NAMES, "seed": 0} | more)


@settings(max_examples=10)
@given(rngs)
def test_with_a_fold_for_each_group_equals_leaving_one_out(rng):
    features, loose, groups = sample(rng)
    found = study(features, loose, groups, Cs=(0.3,), seed=int(rng.integers(2**31)))
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.3, class_weight="balanced", max_iter=1000)
    )
    expected = cross_val_predict(
        model, features, loose, groups=groups, cv=LeaveOneGroupOut(), method="predict_proba"
    )[:, 1]
    assert found.C == 0.3
    assert found.balanced_accuracy == balanced_accuracy_score(loose, expected > 0.5)
    assert found.auc == pytest.approx(roc_auc_score(loose, expected), abs=1e-12)
    mean = (found.loose_accuracy + found.tight_accuracy) / 2
    assert found.balanced_accuracy == pytest.approx(mean)


@settings(max_examples=10)
@given(rngs, st.integers(2, 5))
def test_order_of_the_replicas_names_and_units_do_not_matter(rng, folds):
    features, loose, groups = sample(rng)
    ours = study(features, loose, groups, Cs=(1,), folds=folds)
    theirs = study(features * 4 + 1, loose, groups * 7 + 3, Cs=(1.0,), folds=folds)
    assert theirs.auc == pytest.approx(ours.auc, abs=1e-3)
    assert theirs.balanced_accuracy == pytest.approx(ours.balanced_accuracy, abs=0.01)


def test_the_same_seed_gives_the_same_and_another_other_folds():
    features, loose, groups = sample(np.random.default_rng(0), groups=20)
    assert study(features, loose, groups) == study(features, loose, groups)
    assert study(features, loose, groups).auc != study(features, loose, groups, seed=5).auc


def test_scores_are_what_the_classes_allow():
    # Normal distributions 2 apart: Phi(1) = 0.8413 of each are right, AUC Phi(sqrt(2)) = 0.9214.
    found = study(*sample(np.random.default_rng(1), n=4000, groups=10, apart=2.0))
    assert found.loose_accuracy == pytest.approx(0.8413, abs=0.03)
    assert found.tight_accuracy == pytest.approx(0.8413, abs=0.03)
    assert found.auc == pytest.approx(0.9214, abs=0.02)
    assert found.f1 == pytest.approx(0.8413, abs=0.02)


def test_what_only_tells_replicas_apart_does_not_help():
    # Looks perfect to a model that has seen the replica, and is worth nothing without.
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(10), 60)
    loose = rng.permuted(np.repeat([np.arange(60) < 30], 10, axis=0), axis=1).ravel()
    sign = np.where(groups % 2 == 0, 1.0, -1.0)
    features = np.column_stack([(2 * loose - 1) * sign, rng.normal(size=(600, 2))])
    found = study(features, loose, groups, folds=10)
    assert found.balanced_accuracy < 0.6


def test_the_number_that_does_best_is_chosen():
    # Of hardly any examples and a lot of noise, much freedom learns the noise.
    rng = np.random.default_rng(3)
    loose = np.arange(60) % 2 == 0
    features = rng.normal(size=(60, 40))
    features[:, 0] += 1.5 * loose
    groups = np.arange(60) // 4
    names = [str(k) for k in range(40)]
    found = study(features, loose, groups, names=names)
    each = {C: study(features, loose, groups, names=names, Cs=(C,)) for C in (0.001, 100)}
    assert found.C < 100
    assert found.balanced_accuracy >= each[100].balanced_accuracy


def test_the_folds_that_score_are_not_those_that_choose():
    features, loose, groups = sample(np.random.default_rng(6), groups=20)
    drawn = [
        [test.tolist() for _, test in threshold_study._folds(features, loose, groups, 5, seed)]
        for seed in (4, 5)
    ]
    judged = []

    def held_out(features, loose, folds, C):
        judged.append([test.tolist() for _, test in folds])
        return np.where(loose, 0.9, 0.1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threshold_study, "_held_out", held_out)
        study(features, loose, groups, Cs=(1, 2), seed=4)
    assert judged == [drawn[0], drawn[0], drawn[1]]
    assert drawn[0] != drawn[1]


def test_the_smallest_of_equals_is_chosen():
    loose = np.arange(40) % 2 == 0
    features = np.where(loose, 1.0, -1.0)[:, None] * [1.0, 2.0, 3.0]
    found = study(features, loose, np.arange(40) // 4, Cs=(10, 0.1, 1))
    assert (found.C, found.balanced_accuracy, found.auc, found.f1) == (0.1, 1, 1, 1)


def test_replicas_with_more_of_one_class_do_not_shift_the_other():
    # Half of the loose are of one replica: without it the tight are twice as many.
    rng = np.random.default_rng(4)
    loose = np.arange(2000) < 1000
    groups = np.concatenate([np.zeros(500), rng.integers(1, 4, 1500)]).astype(int)
    features = rng.normal(size=(2000, 3)) + loose[:, None] * [1.0, 0, 0]
    found = study(features, loose, groups, folds=4)
    assert found.loose_accuracy == pytest.approx(found.tight_accuracy, abs=0.06)


def refused(match, *examples, **more):
    with pytest.raises(ValueError, match=match):
        study(*examples, **more)


def test_refusals_have_the_counts():
    features, loose, groups = sample(np.random.default_rng(5))
    few = np.arange(300) < 4
    refused(
        "in 5 folds needs 5 loose examples and as many tight or more, got 4 loose and 296",
        features,
        few,
        groups,
    )
    refused("got 6 folds of 5 groups: take fewer folds or more", features, loose, groups, folds=6)
    refused("got 1 folds of 5 groups", features, loose, groups, folds=1)
    alone = groups == 2
    refused(
        r"without the groups \[2\] there are 0 loose and 240 tight examples to learn from",
        features,
        alone,
        groups,
    )
    refused(r"loose has shape \(300,\) but groups has \(299,\)", features, loose, groups[1:])
    for Cs in [(), (1, 0), (-1,)]:
        refused("Cs must be one number above 0 or more, got", features, loose, groups, Cs=Cs)
    refused(
        "1 of 3 features are the same for all 300 examples: c", features * [1, 1, 0], loose, groups
    )
    features[7] = np.nan
    refused("got 1 of 300 examples with nan or inf, the first at 7", features, loose, groups)
