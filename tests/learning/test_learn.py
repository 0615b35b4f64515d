"""Looseness is learnt whole, the same whoever does it and however often it is stopped."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import plain_refits
import pytest
from rich.console import Console
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score

from glasscreep.analysis.interstice_presets import FEATURES
from glasscreep.analysis.interstices import interstice_features
from glasscreep.campaign.learn import _known, learn
from glasscreep.campaign.lesson import lesson_of
from glasscreep.campaign.lesson_fits import CURVE
from glasscreep.campaign.lesson_report import lesson_tables
from glasscreep.campaign.lesson_tables import draw_name
from glasscreep.campaign.sections import Campaign
from glasscreep.tasks.fits import ALL
from glasscreep.tasks.model_file import load_model
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.tables import Table

pytestmark = pytest.mark.slow
DEADLINE_S = 300


def learn_in(campaign, workers):
    lesson = lesson_of(campaign.prepared.campaign, campaign.directory)
    return learn(lesson, Console(file=io.StringIO()), workers)


@pytest.fixture(scope="module")
def learnt(taught):
    """Learn from a copy of the campaign, with two workers."""
    copy = taught.copied("learnt")
    found = learn_in(copy, workers=2)
    assert found.is_new
    return copy, found.report


def looseness_folder(campaign):
    return campaign.directory / "looseness"


def examples_of(campaign, model, glasses, species=1):
    """Features and classes of all examples of some replicas."""
    reader, rows, labels = FrameReader(campaign.prepared.store), [], []
    columns = [FEATURES.index(name) for name in model.card.features]
    for row in np.flatnonzero(np.isin(campaign.prepared.glass_of_run, glasses)):
        d2min = campaign.array("d2min_20")[row]
        for frame in range(11):
            where = reader.position(row, frame), reader.box_edges(row)[frame], reader.species
            own = reader.species == species
            rows.append(interstice_features(*where)[own][:, columns])
            labels.append(d2min[frame][own] > 0.02)
    return np.concatenate(rows), np.concatenate(labels)


@pytest.fixture(scope="module")
def learnt_of_b(taught):
    """Learn of the other species."""
    copy, values = taught.copied("b"), taught.prepared.campaign.model_dump()
    values["learning"]["species"] = "B"
    campaign = Campaign.model_validate(values, strict=False)
    found = learn(lesson_of(campaign, copy.directory), Console(file=io.StringIO()), 2)
    return copy, found.report


@pytest.mark.parametrize(("of", "species"), [("learnt", 1), ("learnt_of_b", 2)])
def test_the_model_is_scored_on_every_example_of_the_test_replicas(of, species, request):
    campaign, report = request.getfixturevalue(of)
    model = load_model(looseness_folder(campaign) / "model.skops")
    assert model.card.species == "AB"[species - 1]
    features, loose = examples_of(campaign, model, report["model"]["test"], species)
    looseness = model.pipeline.predict_proba(features)[:, 1]
    scores = report["model"]["scores"]["test"]
    called = looseness > 0.5
    assert scores["confusion"] == confusion_matrix(loose, called).tolist()
    assert scores["auc"] == pytest.approx(roc_auc_score(loose, looseness), abs=1e-12)
    assert 0 < scores["auc_within_frames"] < 1
    assert scores["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(loose, called))


def test_replicas_that_test_take_no_part_in_the_model_nor_in_the_ranking(learnt):
    campaign, report = learnt
    train = report["model"]["train"]
    samples = Table(looseness_folder(campaign) / "samples.npz")
    for number, split in enumerate(report["splits"]):
        ranking = [name for name in samples if name.endswith(f" split {number}")]
        assert len(ranking) == 4  # loose and tight of two samples
        for name in ranking:
            assert np.isin(samples["glass"][samples[name]], split["train"]).all()
    assert not set(train) & set(report["model"]["test"])


def told_of(campaign, report, number):
    """Work out what the fits of a split are of, from the file and the report."""
    lesson, split = lesson_of(campaign.prepared.campaign, campaign.directory), report["splits"]
    counts = report["counts"]
    ((tight, loose),) = [
        (row["tight"], row["loose"])
        for row in counts["by_threshold"]
        if (row["interval"], row["threshold"]) == (20, 0.02)
    ]
    return lesson, {
        "train": split[number]["train"],
        "test": split[number]["test"],
        "columns": report["ranking"]["by_split"][number][:3],
        "variant": "main",
        "standardising": "training",
        "estimators": 2,
        "C": 1.0,
        "seed": lesson.seed("model"),
        "tight_weight": tight / counts["pool"]["tight"] * counts["pool"]["loose"] / loose,
    }


def test_all_scores_are_those_of_plain_fits_to_the_saved_tables(learnt):
    campaign, report = learnt
    with np.load(looseness_folder(campaign) / "pool.npz") as content:
        pool = dict(content)
    for number in range(len(report["splits"])):
        lesson, told = told_of(campaign, report, number)
        same, others = plain_refits.assert_same, report["sensitivity"]
        same(report["scores"][number], plain_refits.split(pool, told))
        assert others["main, chosen features"][number] == report["scores"][number]
        for name, instead in {
            "main, all features": {"columns": ALL},
            "radius B 0.44, chosen features": {"variant": "radius B 0.44"},
            "own standardising, chosen features": {"standardising": "separate"},
        }.items():
            same(others[name][number], plain_refits.split(pool, told | instead))
        for name, scores in report["contenders"].items():
            asked = {**told, "contender": name, "seed": lesson.seed(name)}
            same(scores[number], plain_refits.contend(pool, asked))


def test_curve_study_and_permutation_are_those_of_plain_fits(learnt):
    campaign, report = learnt
    samples, pool = (
        dict(np.load(looseness_folder(campaign) / name)) for name in ("samples.npz", "pool.npz")
    )
    lesson, told = told_of(campaign, report, 0)
    plain_refits.assert_same(report["permutation"], plain_refits.permute(pool, told))
    for at, (loose, tight) in enumerate(lesson.ranking()):
        name = draw_name(loose, 0)
        drawn = {"loose": name, "tight": draw_name(tight, 0), "seed": lesson.seed(name)}
        asked = {**told, **drawn, "order": report["ranking"]["order"], "counts": CURVE}
        plain_refits.assert_same(report["curve"][at], plain_refits.curve(samples, pool, asked))
    for at, (loose, tight) in enumerate(lesson.study()):
        if "refused" in report["study"][at]:
            continue
        drawn = {"loose": draw_name(loose), "tight": draw_name(tight)}
        asked = {**drawn, "seed": lesson.seed(draw_name(loose)), "C": [0.1, 1.0], "folds": 2}
        plain_refits.assert_same(report["study"][at], plain_refits.study(samples, asked))


def test_the_report_tells_its_seed_and_what_each_split_has(learnt):
    campaign, report = learnt
    assert (report["seed"], report["dropped_splits"]) == (0, [])
    assert len(report["splits"]) == len(report["scores"]) == 2
    assert {len(scores) for scores in report["contenders"].values()} == {2}
    assert {len(scores) for scores in report["sensitivity"].values()} == {2}
    reader = FrameReader(campaign.prepared.store)
    pool, runs = Table(looseness_folder(campaign) / "pool.npz"), reader.run_ids
    for split in report["splits"]:
        for does in ("train", "test"):
            own = np.isin(campaign.prepared.glass_of_run, split[does])
            assert split["runs"][does] == [runs[row] for row in np.flatnonzero(own)]
            loose = pool["loose"][np.isin(pool["glass"], split[does])]
            counted = {"tight": np.count_nonzero(~loose), "loose": np.count_nonzero(loose)}
            assert split["examples"][does] == counted


def test_the_pool_has_all_loose_examples_with_their_class(learnt):
    campaign, report = learnt
    pool = Table(looseness_folder(campaign) / "pool.npz")
    d2min, species = campaign.array("d2min_20"), campaign.array("species")
    loose = np.count_nonzero(d2min[:, :, species == 1] > 0.02)
    assert pool["loose"].sum() == loose == report["counts"]["pool"]["loose"]
    np.testing.assert_array_equal(
        pool["d2min"], d2min[pool["run"], pool["frame"], pool["particle"]]
    )
    np.testing.assert_array_equal(pool["loose"], pool["d2min"] > 0.02)


def test_one_worker_finds_the_same(learnt, taught):
    alone = learn_in(taught.copied("alone"), workers=1)
    assert alone.report == learnt[1]


@pytest.mark.parametrize("text", ["", "[]", '{"made_from": '])
def test_a_damaged_report_counts_as_nothing_learnt(tmp_path, text):
    (tmp_path / "looseness").mkdir()
    assert _known(tmp_path) == {}
    (tmp_path / "looseness" / "report.json").write_text(text)
    assert _known(tmp_path) == {}


def test_a_second_time_nothing_is_done(learnt):
    campaign, report = learnt
    before = (looseness_folder(campaign) / "model.skops").stat().st_mtime_ns
    again = learn_in(campaign, workers=2)
    assert not again.is_new
    assert again.report == report
    assert (looseness_folder(campaign) / "model.skops").stat().st_mtime_ns == before


def test_the_tables_show_what_was_found(learnt):
    console = Console(file=io.StringIO(), width=80)
    for table in lesson_tables(learnt[1]):
        console.print(table)
    text = console.file.getvalue()
    for expected in ("examples of 8 runs, 88 frames", "previous_d2min", "amlearn", "AUC"):
        assert expected in text
    best = FEATURES[learnt[1]["ranking"]["order"][0]]
    assert best in text


def test_a_lesson_stopped_after_the_model_goes_on_with_it(learnt, tmp_path):
    campaign, report = learnt
    copy = campaign.copied("stopped")
    folder = looseness_folder(copy)
    (folder / "report.json").unlink()
    before = (folder / "model.skops").stat().st_mtime_ns
    fits = sorted(folder.glob("fits/*/*.json"), key=lambda path: path.stat().st_mtime_ns)
    fits[-1].unlink()
    assert learn_in(copy, workers=1).report == report
    assert (folder / "model.skops").stat().st_mtime_ns == before
    (folder / "report.json").unlink()
    (folder / "model.skops").unlink()
    assert learn_in(copy, workers=1).report == report
    assert not list(folder.glob("model-*"))


@pytest.fixture(scope="module")
def learnt_of_holes(taught):
    """Learn where D2min of replica 2 is undefined, and of one frame of replica 0."""
    copy, values = taught.copied("holes"), taught.prepared.campaign.model_dump()
    for row, frame in ((0, 4), *((row, frame) for row in (4, 5) for frame in range(11))):
        copy.blank("d2min_20", row, frame)
    values["learning"] |= {"splits": 4, "test_fraction": 0.25}
    campaign = Campaign.model_validate(values, strict=False)
    found = learn(lesson_of(campaign, copy.directory), Console(file=io.StringIO()), 2)
    return copy, found.report


def test_what_is_undefined_and_splits_without_examples_are_told(learnt_of_holes):
    campaign, report = learnt_of_holes
    particles = int(np.count_nonzero(campaign.array("species") == 1))
    counts = report["counts"]
    assert counts["undefined"] == 23 * particles
    assert counts["blank_frames"] == 23
    by_glass = [row["undefined"] for row in counts["by_glass"]]
    assert by_glass == [particles, 0, 22 * particles, 0]
    assert [dropped["test"] for dropped in report["dropped_splits"]] == [[2]]
    assert len(report["splits"]) == len(report["scores"]) == 3
    console = Console(file=io.StringIO(), width=200)
    for table in lesson_tables(report):
        console.print(table)
    text = " ".join(console.file.getvalue().split())
    assert f"undefined: {23 * particles:,} examples, of replicas 0, 2, among them 23 whole" in text
    assert "1 of 4 splits are left out: the replicas that test (2) have 0 loose and 0 tight" in text


TOML = """
name = "filled"
replicas = 4
[model]
particles = 400
[creep]
steps = 240
frame_interval = 20
checkpoint_interval = 10
[[grid]]
temperature = [0.1, 0.3]
stress = 0.5
[analysis]
d2min_intervals = [20, 60]
[learning]
threshold = 0.02
splits = 2
samples = 2
per_class = 60
tight = 600
features = 3
estimators = 2
study = { thresholds = [0.01, 0.02], per_class = 40, folds = 2, C = [0.1, 1.0] }
"""


def command(campaign, *more):
    file = campaign.directory.with_suffix(".toml")
    file.write_text(TOML)
    words = "learn", str(file), "--dir", str(campaign.directory), *more
    return [str(Path(sys.executable).with_name("glasscreep")), *words]


def wait_for_fits(campaign, process):
    deadline = time.monotonic() + DEADLINE_S
    while not list(looseness_folder(campaign).glob("fits/*/*.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_it_goes_on_and_ends_the_same(learnt, taught):
    copy = taught.copied("killed")
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command(copy), start_new_session=True, **quiet) as process:
        wait_for_fits(copy, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert not (looseness_folder(copy) / "report.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in looseness_folder(copy).glob("fits/*/*.json")}
    done = subprocess.run(command(copy), timeout=DEADLINE_S, check=False, **quiet)
    assert done.returncode == 0, done.stdout
    report = json.loads((looseness_folder(copy) / "report.json").read_text())
    assert report == learnt[1]
    assert all(path.stat().st_mtime_ns == mtime for path, mtime in kept.items())
    assert "all that test" in done.stdout
    for name in ("study.png", "features.png", "model.md"):
        assert (looseness_folder(copy) / name).stat().st_size > 1000 or name == "model.md"


@pytest.mark.parametrize(
    ("number", "to"), [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)], ids=["INT", "TERM"]
)
def test_ctrl_c_and_sigterm_end_it_in_order(taught, number, to):
    copy = taught.copied(f"interrupted-{number}")
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command(copy), start_new_session=True, **quiet) as process:
        wait_for_fits(copy, process)
        to(process.pid, number)
        text, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "Traceback" not in text
    assert "leaked" not in text
    assert "the same command goes on from here" in text


def test_what_is_wrong_is_told_without_a_traceback(taught):
    copy = taught.copied("wrong")
    words = command(copy)
    file = copy.directory.with_suffix(".toml")
    file.write_text(TOML.replace("threshold = 0.02\n", "threshold = 5.0\n", 1))
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 2
    assert "0 of" in done.stderr
    assert "the largest is" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
