"""Each contender sees its own columns and equal classes, and is scored on what it has not seen."""

import dataclasses

import numpy as np
import pytest
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_array_equal
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from glasscreep.analysis.baselines import CONTENDERS, FREE_DISTANCES, complete, contend
from glasscreep.analysis.interstice_presets import FEATURES

BY_NAME = {contender.name: contender for contender in CONTENDERS}
SHAPES = {
    "voronoi_volume": (),
    "local_energy": (),
    "coordination": (2,),
    "free_distance": (20,),
    "previous_d2min": (),
    "symmetry_functions": (8,),
    "features": (60,),
}


def examples(seed, n=1200, apart=1.0):
    """Make columns whose first number tells the classes apart, of which a fifth is loose."""
    rng = np.random.default_rng(seed)
    loose = rng.permutation(np.arange(n) < n // 5)
    columns = {name: rng.normal(size=(n, *shape)) for name, shape in SHAPES.items()}
    for column in columns.values():
        column.reshape(n, -1)[:, 0] += apart * loose
    return columns, loose


def contest(name, seed=0, **more):
    return contend(BY_NAME[name], *examples(1, **more), *examples(2, **more), seed)


def test_the_table_names_what_each_judges_by():
    assert {name: one.columns for name, one in BY_NAME.items()} == {
        "voronoi_volume": ("voronoi_volume",),
        "local_energy": ("local_energy",),
        "coordination": ("coordination",),
        "free_distance": ("free_distance",),
        "previous_d2min": ("previous_d2min",),
        "softness": ("symmetry_functions",),
        "gradient_boosting": ("features",),
        "neural_network": ("features",),
    }
    assert [one.name for one in CONTENDERS if one.dynamic] == ["previous_d2min"]
    assert len(FREE_DISTANCES) == 20
    assert {FEATURES[at] for at in FREE_DISTANCES} >= {"mean(D)", "std[std(D)]", "max[min(D)]"}


@pytest.mark.parametrize("name", BY_NAME)
def test_each_does_what_the_classes_allow(name):
    # Normal distributions 2 apart: at best AUC 0.921 and 0.841 of each class.
    scores = contest(name, apart=2.0, n=2000)
    assert 0.86 < scores.auc < 0.95
    # Without equal classes the tight, four times as many, would be right far more often.
    assert scores.loose_accuracy == pytest.approx(scores.tight_accuracy, abs=0.1)
    assert np.sum(scores.confusion) == 2000


@pytest.mark.parametrize("name", BY_NAME)
def test_noise_is_worth_nothing(name):
    assert contest(name, apart=0.0).auc == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_same_seed_gives_the_same(name):
    assert contest(name, n=600, seed=7) == contest(name, n=600, seed=7)


@pytest.mark.parametrize("name", ["voronoi_volume", "softness", "gradient_boosting"])
def test_the_seed_decides_on_the_balanced_part(name):
    assert contest(name, seed=7) != contest(name, seed=8)


def test_softness_is_a_distance_from_a_plane():
    (train, loose), (test, truth) = examples(1), examples(2)
    scaler = StandardScaler().fit(train["symmetry_functions"])
    sampler = RandomUnderSampler(random_state=5)
    part, classes = sampler.fit_resample(scaler.transform(train["symmetry_functions"]), loose)
    plane = LinearSVC(dual=True, max_iter=100_000, random_state=0).fit(part, classes)
    softness = plane.decision_function(scaler.transform(test["symmetry_functions"]))
    scores = contest("softness", seed=5)
    assert scores.auc == pytest.approx(roc_auc_score(truth, softness), abs=1e-3)
    expected = balanced_accuracy_score(truth, softness > 0)
    assert scores.balanced_accuracy == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("name", ["gradient_boosting", "neural_network"])
def test_upper_bounds_see_what_no_plane_parts(name):
    def product(seed):
        columns, _ = examples(seed, n=4000)
        first, second = columns["features"][:, :2].T
        return columns, np.signbit((first - first.mean()) * second)

    def score(contender):
        return contend(contender, *product(1), *product(2), 0).auc

    plane = dataclasses.replace(BY_NAME["softness"], columns=("features",))
    assert score(plane) < 0.58
    assert score(BY_NAME[name]) > 0.75


def test_ten_of_each_class_are_enough_for_all():
    (train, loose), (test, truth) = examples(3, n=50), examples(2)
    for contender in CONTENDERS:
        scores = contend(contender, train, loose, test, truth, 0)
        assert np.sum(scores.confusion) == 1200


def test_only_its_columns_matter():
    (train, loose), (test, truth) = examples(1), examples(2)
    ours = contend(BY_NAME["coordination"], train, loose, test, truth, 0)
    few = {"coordination": train["coordination"], "local_energy": np.full(1200, np.nan)}
    assert contend(BY_NAME["coordination"], few, loose, test, truth, 0) == ours


def test_several_columns_stand_side_by_side():
    (train, loose), (test, truth) = examples(1), examples(2)
    both = dataclasses.replace(BY_NAME["coordination"], columns=("coordination", "local_energy"))
    scores = contend(both, train, loose, test, truth, 0)
    assert scores.auc > max(contest(name).auc for name in ("coordination", "local_energy"))


def test_rows_with_nan_are_left_out_for_who_needs_them():
    previous, others = BY_NAME["previous_d2min"], BY_NAME["local_energy"]
    (train, loose), (test, truth) = examples(1), examples(2)
    first = np.arange(1200) % 3 == 0
    for columns in (train, test):
        columns["previous_d2min"][first] = np.nan
    assert_array_equal(complete(previous, test), ~first)
    assert complete(others, test).all()
    scores = contend(previous, train, loose, test, truth, 0)
    assert np.sum(scores.confusion) == 800
    rest = ({"previous_d2min": side["previous_d2min"][~first]} for side in (train, test))
    assert scores == contend(previous, next(rest), loose[~first], next(rest), truth[~first], 0)
    assert np.sum(contend(others, train, loose, test, truth, 0).confusion) == 1200


def test_some_columns_may_be_the_same_for_all():
    # No neighbour is ever as near as the smallest radii of symmetry functions.
    (train, loose), (test, truth) = examples(1), examples(2)
    for side in (train, test):
        side["symmetry_functions"][:, 5:] = 0
    assert contend(BY_NAME["softness"], train, loose, test, truth, 0).auc > 0.7


def refused(match, name, train, loose, test, truth):
    with pytest.raises(ValueError, match=match):
        contend(BY_NAME[name], train, loose, test, truth, 0)


def test_refusals_have_the_counts():
    (train, loose), (test, truth) = examples(1), examples(2)
    few = np.cumsum(loose) * loose
    few = (few > 0) & (few < 10)
    refused(
        "training coordination needs 10 loose examples.*got 9 loose and 1191 tight",
        "coordination",
        train,
        few,
        test,
        truth,
    )
    refused(
        "testing coordination needs 1 loose examples.*got 0 loose and 1200 tight",
        "coordination",
        train,
        loose,
        test,
        truth & False,
    )
    refused(
        r"the columns of coordination have 1200 rows but loose has shape \(7,\)",
        "coordination",
        train,
        loose[:7],
        test,
        truth,
    )
    refused(
        "previous_d2min needs the columns previous_d2min, of which previous_d2min is missing; "
        "there are features",
        "previous_d2min",
        {"features": train["features"]},
        loose,
        test,
        truth,
    )
    refused(
        "softness has 8 columns to train with and 7 to test with",
        "softness",
        train,
        loose,
        test | {"symmetry_functions": test["symmetry_functions"][:, 1:]},
        truth,
    )
    refused(
        "all 2 columns of coordination are the same for all 1200",
        "coordination",
        train | {"coordination": np.ones((1200, 2))},
        loose,
        test,
        truth,
    )
    gone = train | {"previous_d2min": np.where(loose, np.nan, train["previous_d2min"])}
    refused(
        r"training previous_d2min \(240 of 1200 left out for nan\) needs 10 .* got 0 loose and "
        "960 tight",
        "previous_d2min",
        gone,
        loose,
        test,
        truth,
    )
    with pytest.raises(ValueError, match=r"\(n,\) or \(n, q\) with the same n, got .*\(1, 2, 3\)"):
        complete(BY_NAME["coordination"], {"coordination": np.ones((1, 2, 3))})
    both = dataclasses.replace(BY_NAME["coordination"], columns=("coordination", "local_energy"))
    with pytest.raises(ValueError, match=r"'coordination': \(5, 2\), 'local_energy': \(4,\)"):
        complete(both, {"coordination": np.ones((5, 2)), "local_energy": np.ones(4)})
