"""Each fit is what plain libraries make of the replicas that train, scored on those that test."""

import numpy as np
import plain_refits
import pytest

from glasscreep.analysis.baselines import CONTENDERS, FREE_DISTANCES
from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.tasks.fits import Fit, fit, fit_model
from glasscreep.tasks.tables import write_table

TRAIN, TEST = [0, 1, 3], [2, 4]
COLUMNS = [7, 0, 31, 12]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Write a table of examples of five replicas, each with a shift of its own."""
    rng, n = np.random.default_rng(3), 900
    glass, loose = rng.integers(0, 5, n), rng.random(n) < 0.2

    def column(*shape):
        shift = 0.5 * rng.normal(size=(5, *shape))[glass]
        signal = loose.reshape(-1, *(1 for _ in shape)) * rng.normal(size=shape)
        return rng.normal(size=(n, *shape)) + shift + 0.6 * signal

    columns = {
        "features main": column(60),
        "features clipped": column(60),
        "voronoi_volume": column(),
        "local_energy": column(),
        "coordination": column(2),
        "previous_d2min": np.where(rng.random(n) < 0.2, np.nan, column()),
        "symmetry_functions": column(5),
        "loose": loose,
        "glass": glass,
        "drawn loose": rng.permutation(np.flatnonzero(loose & np.isin(glass, TRAIN))),
        "drawn tight": rng.permutation(np.flatnonzero(~loose & np.isin(glass, TRAIN)))[:80],
    }
    file = tmp_path_factory.mktemp("refits") / "pool.npz"
    write_table(file, "known", columns)
    return file


@pytest.fixture(scope="module")
def table(path):
    with np.load(path) as content:
        return dict(content)


def told(**more):
    return {
        "train": TRAIN,
        "test": TEST,
        "columns": COLUMNS,
        "variant": "main",
        "standardising": "training",
        "estimators": 3,
        "C": 0.3,
        "seed": 11,
        "tight_weight": 7.0,
        **more,
    }


OF_SAMPLE = {"loose": "drawn loose", "tight": "drawn tight", "seed": 5}


@pytest.mark.parametrize(
    "instead",
    [
        {},
        {"variant": "clipped"},
        {"columns": list(range(60))},
        {"standardising": "separate"},
    ],
    ids=str,
)
def test_a_split(path, table, instead):
    found = fit(Fit("split", str(path), told(**instead)))
    plain_refits.assert_same(found, plain_refits.split(table, told(**instead)))


def test_the_model(path, table):
    found = fit_model(Fit("split", str(path), told()))
    expected = plain_refits.split(table, told())
    plain_refits.assert_same(found.train, expected["train"])
    (x, y), (others, truth) = plain_refits.sides(table, TRAIN, TEST, "features main")
    plain = plain_refits.ensemble(x[:, COLUMNS], y, 3, 0.3, 11)
    judged = plain.predict_proba(others[truth][:, COLUMNS])[:, 1]
    np.testing.assert_allclose(found.loose, judged, atol=1e-12)
    np.testing.assert_array_equal(found.pipeline[0].mean_, plain[0].mean_)


@pytest.mark.parametrize("name", [one.name for one in CONTENDERS])
def test_a_contender(path, table, name):
    asked = {"contender": name, "train": TRAIN, "test": TEST, "seed": 5}
    found = fit(Fit("contend", str(path), asked))
    plain_refits.assert_same(found, plain_refits.contend(table, asked))


def test_free_distances_are_those_of_the_refits():
    assert list(FREE_DISTANCES) == plain_refits.FREE_DISTANCES


def test_a_curve(path, table):
    order = list(range(59, -1, -1))
    asked = {**OF_SAMPLE, "pool": str(path), "test": TEST, "order": order, "counts": (1, 3, 60)}
    found = fit(Fit("curve", str(path), {**asked, "C": 0.3}))
    plain_refits.assert_same(found, plain_refits.curve(table, table, {**asked, "C": 0.3}))


def test_a_permutation(path, table):
    found = fit(Fit("permute", str(path), told()))
    plain_refits.assert_same(found, plain_refits.permute(table, told()))
    assert found["features"] == [FEATURES[column] for column in COLUMNS]


def test_a_sample_of_the_study(path, table):
    asked = {**OF_SAMPLE, "C": [0.01, 1.0], "folds": 3}
    found = fit(Fit("study", str(path), asked))
    plain_refits.assert_same(found, plain_refits.study(table, asked))
