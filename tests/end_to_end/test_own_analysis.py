"""Functions of the user's in a whole campaign: alike on one worker and two; what fails holds nothing up."""

import re
import shutil

import numpy as np
import pytest

import glasscreep as package

from .conftest import contents

pytestmark = pytest.mark.slow

OWN = """
[[analysis.own]]
function = "mine:height"
units = "length"
definition = "along z"
[[analysis.own]]
function = "mine:twice"
needs = ["late"]
per = "frame"
units = "1"
definition = "needs what fails"
[[analysis.own]]
function = "mine:endless"
per = "frame"
units = "1"
time_limit_s = 3
definition = "does not end in some runs"
[[analysis.own]]
function = "mine:late"
per = "frame"
units = "1"
definition = "fails in some runs"
"""
SOURCE = """
def height(frame):
    print("a line for no one")
    return frame.positions[:, 2]

def twice(frame):
    return 2 * frame["late"]

def endless(frame):
    while frame.step > 150 and frame.temperature > 0.2:
        pass
    return frame.time

def late(frame):
    if frame.step > 150 and frame.temperature > 0.2:
        raise RuntimeError("too late")
    return frame.time
"""


def written(glasscreep, analysis_slots):
    (glasscreep.folder / "mine.py").write_text(SOURCE)
    path = glasscreep.write(steps=300)
    slots = f"analysis_slots = {analysis_slots}\n"
    path.write_text(path.read_text() + slots + OWN)
    return path


def test_one_worker_or_two_and_a_failure_that_holds_nothing_up(glasscreep):
    found = {}
    for slots in (1, 2):
        done = glasscreep("run", written(glasscreep, slots), "--dir", f"by{slots}")
        assert done.returncode == 1
        said = done.stdout.replace("\n", " ")
        assert said.count("mine:late failed with RuntimeError: too late (line 16 of mine.py)") == 1
        assert said.count("mine:endless did not come back within 3 s") == 1
        assert said.count("the same of 1 more: run ") == 2
        assert "mine:twice" not in said
        assert "for no one" not in said + done.stderr
        assert re.search(rf"glasscreep forget \S*by{slots} late`", said)
        found[slots] = contents(glasscreep.folder / f"by{slots}")
    assert found[1] == found[2]
    campaign = package.open(glasscreep.folder / "by1")
    assert set(campaign.runs["state"]) == {"done"}
    dataset = campaign.dataset
    np.testing.assert_array_equal(dataset.height, dataset.position.isel(dim=2))
    assert np.isfinite(dataset.late.values[dataset.temperature < 0.2]).all()
    early = dataset.step.values <= 150
    for failed in (dataset.late, dataset.endless):
        hot = failed.values[dataset.temperature > 0.2]
        assert np.isfinite(hot[:, early]).all()
        assert np.isnan(hot[:, ~early]).all()
    whole = dataset.late.where(dataset.temperature < 0.2)  # what needs it waits for what failed
    np.testing.assert_array_equal(dataset.twice, 2 * whole)
    assert np.isfinite(dataset.endless.values[dataset.temperature < 0.2]).all()

    # Mended, it is another result, that goes on once the former is forgotten.
    (glasscreep.folder / "mine.py").write_text(SOURCE.replace("0.2", "0.9"))
    again = glasscreep("run", glasscreep.folder / "small.toml", "--dir", "by1")
    assert again.returncode == 2
    assert "sha256 of mine:late for analysis.own late" in again.stderr
    assert glasscreep("forget", "by1", "late", "height", "endless", "--yes").returncode == 0
    assert glasscreep("run", glasscreep.folder / "small.toml", "--dir", "by1").returncode == 0
    assert np.isfinite(package.open(glasscreep.folder / "by1").dataset.late.values).all()
    shutil.rmtree(glasscreep.folder / "by2")
