"""Tables say what was found, how it scatters, and what was left out or could not be fitted."""

import copy
import io
from dataclasses import asdict

import numpy as np
import pytest
from rich.console import Console

from glasscreep.analysis.rarity import Rarity
from glasscreep.analysis.scores import Scores
from glasscreep.campaign.lesson_fits import CURVE
from glasscreep.campaign.lesson_report import lesson_tables
from glasscreep.campaign.lesson_spread import percent, spread, written

REFUSED = {"refused": "std[mean(V)] is of no use"}


def scores_of(seed):
    rng = np.random.default_rng(seed)
    loose = np.arange(300) < 60
    values = rng.normal(0.5 + 0.1 * loose, 0.2)
    found = asdict(Scores.of(loose, values))
    rare = asdict(Rarity.of(loose, values, 5.0))
    return {"train": found, "test": found, "rarity": rare, "features": 60}


def report_of(splits):
    scores = [scores_of(seed) for seed in range(splits)]
    whole = {**scores[0]["test"], "auc_within_frames": 0.7, "left_out": 0}
    return {
        "counts": {
            "interval": 20,
            "threshold": 0.25,
            "units": "lj",
            "runs": 3,
            "frames": 12,
            "undefined": 0,
            "blank_frames": 0,
            "by_threshold": [{"interval": 20, "threshold": 0.25, "tight": 900, "loose": 100}],
            "by_glass": [
                {"glass": glass, "tight": 300, "loose": 30, "undefined": 0} for glass in range(3)
            ],
        },
        "left_out": {
            "samples": {"examples": 80, "not_finite": 0},
            "pool": {"examples": 90, "not_finite": 0},
            "constant_features": [],
        },
        "splits": [{}] * splits,
        "dropped_splits": [],
        "study": [{"interval": 20, "threshold": 0.25, "per_class": 40, **scores[0]["test"]}],
        "ranking": {"order": list(range(60)), "mean": [1.0] * 60, "refused": []},
        "curve": [[scores[0]["test"]] * len(CURVE)],
        "scores": scores,
        "contenders": {"softness": [one["test"] for one in scores]},
        "sensitivity": {"main, all features": scores, "main, chosen features": scores},
        "permutation": {"features": ["mean(A)"], "mean": [0.1], "std": [0.02]},
        "model": {"scores": {"train": whole, "test": whole}},
    }


def shown(report):
    console = Console(file=io.StringIO(), width=200)
    for table in lesson_tables(report):
        console.print(table)
    return console.file.getvalue()


def flat(report):
    return " ".join(shown(report).split())


def test_a_spread_is_that_of_a_sample():
    assert spread([1.0, 2.0, 4.0]) == pytest.approx(np.sqrt(7 / 3))
    np.testing.assert_allclose(spread([[1.0, 0.0], [3.0, 0.0]]), [np.sqrt(2), 0])
    assert written([1.0, 2.0, 4.0]) == "2.333 ± 1.528"
    assert percent([0.5, 0.52]) == "51.0 ± 1.4"


def test_one_value_has_no_spread():
    assert (written([0.755]), percent([0.755]), spread([0.755])) == ("0.755", "75.5", 0)
    text = flat(report_of(1))
    assert "test, 1 split " in text
    assert "± 0.000" not in text
    assert "standard deviation" not in text


def test_f1_confusion_and_rarity_have_their_spread_over_splits():
    report = report_of(3)
    text, scores = flat(report), report["scores"]
    rows = [np.array(one["test"]["confusion"]) for one in scores]
    for at, name in enumerate(("tight", "loose")):
        shares = [percent([row[at, called] / row[at].sum() for row in rows]) for called in (0, 1)]
        counts = " ".join(map(str, rows[0][at]))
        assert f"{name} {counts} {shares[0]} {shares[1]}" in text
    rare = {name: [one["rarity"][name] for one in scores] for name in scores[0]["rarity"]}
    assert f"precision % 4.762 {written(100 * np.array(rare['precision']))}" in text
    by = written(100 * np.array(rare["average_precision"]))
    assert f"average precision % 4.762 {by}" in text
    assert f"lift of the top 1 % 1.0 {written(rare['lift'], 1)}" in text
    assert f"F1, weighted {written(rare['f1_weighted'])}" in text
    assert "one loose in 10" in text


def test_what_is_left_out_is_told():
    report = report_of(2)
    report["counts"].update(undefined=400, blank_frames=1)
    report["counts"]["by_glass"][1]["undefined"] = 400
    report["left_out"]["pool"]["not_finite"] = 7
    report["left_out"]["constant_features"] = ["min(A)", "mean[min(A)]"]
    report["model"]["scores"]["test"]["left_out"] = 12
    report["dropped_splits"] = [{"refused": "the replicas that test (2) have 0 loose"}]
    text = shown(report)
    for line in (
        "left out, D2min over 20 steps undefined: 400 examples, of replicas 1, among them 1 whole",
        "left out, a feature not finite: 0 of 80 drawn for samples, 7 of 90 drawn for models",
        "features left out, the same for all examples: min(A), mean[min(A)]",
        "left out of all that test, a feature not finite: 12 examples",
        "1 of 3 splits are left out:",
        "the replicas that test (2) have 0 loose",
    ):
        assert " ".join(line.split()) in " ".join(text.split())


@pytest.mark.parametrize("kind", ["study", "curve", "scores", "contenders", "sensitivity"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_refusal_is_told_and_the_rest_is_shown(kind, whole):
    report = copy.deepcopy(report_of(3))
    place = {"interval": 20, "threshold": 0.25} if kind == "study" else {}
    found = report[kind]
    for rows in found.values() if isinstance(found, dict) else [found]:
        if whole:
            rows[:] = [REFUSED | place] * len(rows)
        else:
            rows.append(REFUSED | place)
    text = flat(report)
    assert "not fitted: std[mean(V)] is of no use" in text
    assert "what the paper leaves open" in text


def test_a_refused_permutation_is_told():
    report = report_of(2)
    report["permutation"] = REFUSED
    assert "not fitted: std[mean(V)] is of no use" in flat(report)


def test_features_that_do_not_vary_are_counted():
    report = report_of(2)
    for one in report["sensitivity"]["main, all features"]:
        one["features"] = 50
    assert "50 of 60 features vary among what trains: main" in flat(report)
