"""Features that are the same for all are in no fit, and what can't be fitted says why."""

import numpy as np
import pytest

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.tasks.fit_examples import FEWEST
from glasscreep.tasks.fits import ALL, Fit, fit, fit_model
from glasscreep.tasks.tables import write_table

STILL = [4, 5, 40]
"""Columns that are the same for all."""
TOLD = {
    "train": [0, 1],
    "test": [2],
    "columns": [0, 4, 1],
    "variant": "main",
    "standardising": "training",
    "estimators": 2,
    "C": 1.0,
    "seed": 1,
    "tight_weight": 3.0,
    "loose": "drawn loose",
    "tight": "drawn tight",
    "folds": 3,
    "order": [4, 5, 0, 1, *(c for c in ALL if c not in (0, 1, 4, 5))],
    "counts": [3, 60],
}


def columns_of():
    rng, n = np.random.default_rng(0), 600
    loose = np.arange(n) % 4 == 0
    features = rng.normal(size=(n, 60))
    features[:, 0] += loose
    features[:, STILL] = [0.0, 7.0, -1.0]
    clipped = features.copy()
    clipped[:, TOLD["columns"]] = 0.0
    return {
        "features main": features,
        "features clipped": clipped,
        "loose": loose,
        "glass": np.arange(n) // 200,
        "drawn loose": rng.permutation(np.flatnonzero(loose))[:60],
        "drawn tight": rng.permutation(np.flatnonzero(~loose))[:60],
    }


def done(tmp_path, kind, change=None, **instead):
    columns = columns_of()
    if change:
        change(columns)
    path = tmp_path / "pool.npz"
    write_table(path, "known", columns)
    told = {**TOLD, "pool": str(path), **instead}
    if kind == "study":
        told["C"] = [0.1, 1.0]
    return fit(Fit(kind, str(path), told))


@pytest.mark.parametrize("kind", ["split", "permute", "curve", "study"])
def test_features_that_do_not_vary_make_no_difference(tmp_path, kind):
    def otherwise(columns):
        columns["features main"][:, STILL] = 3.0

    found = done(tmp_path, kind)
    assert "refused" not in found
    assert done(tmp_path, kind, otherwise) == found
    if kind in ("split", "permute"):
        few = done(tmp_path, kind, columns=[0, 1])
        assert few == found


def test_they_have_the_last_ranks(tmp_path):
    ranks = np.array(done(tmp_path, "rank"))
    assert sorted(ranks) == list(range(1, 61))
    assert ranks[STILL].tolist() == [58, 59, 60]
    assert ranks[0] == 1


def test_the_model_does_not_go_by_them(tmp_path):
    path = tmp_path / "pool.npz"
    write_table(path, "known", columns_of())
    assert fit_model(Fit("split", str(path), TOLD)).names == (FEATURES[0], FEATURES[1])


def test_where_all_that_are_chosen_are_the_same_it_is_refused(tmp_path):
    found = done(tmp_path, "split", variant="clipped")
    assert found["refused"].startswith(
        "all 3 features are the same for all 400 examples: "
        f"{FEATURES[0]}, {FEATURES[4]}, {FEATURES[1]}"
    )
    assert "refused" in done(tmp_path, "permute", columns=STILL)
    assert "refused" in done(tmp_path, "curve", counts=[1])


def test_a_side_without_a_class_is_refused(tmp_path):
    def no_loose_tests(columns):
        columns["loose"][columns["glass"] == 2] = False

    for kind, reason in {
        "split": "scores need examples of both classes, got 0 loose and 200 tight",
        "curve": "scores need examples of both classes, got 0 loose and 200 tight",
        "permute": "permutation importance needs 1 loose examples",
    }.items():
        assert reason in done(tmp_path, kind, no_loose_tests)["refused"]


@pytest.mark.parametrize("kind", ["study", "rank", "curve"])
def test_too_small_a_sample_is_refused_with_its_counts(tmp_path, kind):
    def few(columns):
        rows = columns["drawn loose"] = columns["drawn loose"][: FEWEST + 2]
        columns["features main"][rows[:3], 9] = np.nan

    found = done(tmp_path, kind, few)
    assert found["refused"] == (
        "a sample of 19 loose and 60 tight examples is too small: 20 of each are the least. More "
        "frames or replicas bring more"
    )
