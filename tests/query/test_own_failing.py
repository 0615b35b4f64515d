"""A user's function that fails says so in a way that it can be mended, and nothing else stops."""

import re
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from own_analyses import SAID, SOURCE, TABLES, analysis_of, outcomes

from glasscreep.campaign.pinning import pinned
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.reader import FrameReader

FAILURES = [
    ("raise ValueError('boom')", r"failed with ValueError: boom \(line 3 of mine.py\)"),
    ("raise SystemExit(3)", r"failed with SystemExit: 3"),
    ("return None", r"returned NoneType, an array of object; numbers of shape \(200,\)"),
    ("return frame.positions", r"returned an array of shape \(200, 3\); numbers of shape \(200,\)"),
    ("return 1.0", r"returned an array of shape \(\); numbers"),
    ("return frame.species * 1j", r"returned ndarray, an array of complex128"),
    ("return ['a'] * 200", r"returned list, an array of <U1"),
    ("return [[1.0], [2.0, 3.0]]", r"returned list, which is no array"),
    ("return np.ma.masked_less(frame.time * np.ones(200), 1)", r"returned a masked array"),
    ("return np.where(frame.step == 60, np.inf, 1) * np.ones(200)", r"200 infinite numbers"),
    ("frame.positions[0] = 0", r"failed with ValueError: assignment destination is read-only"),
    ("frame.step = 0", r"failed with FrozenInstanceError"),
    ("import sibling", r"failed with ModuleNotFoundError: No module named 'sibling'"),
    ("return (yield)", r"returned generator"),
    ("return frame.nothing", r"failed with AttributeError"),
]


BROKEN = [
    ("f = 3", {}, "TypeError: 'int' object is not callable"),
    ("F = 3", {}, r"AttributeError: broken_1.py has no f: did you mean F\?"),
    ("def f(", {}, "SyntaxError"),
    ("import nothing_such", {}, r"ModuleNotFoundError.*\(line 1 of broken_3.py\)"),
    ("def f(frame, later): pass", {}, "missing 1 required positional argument: 'later'"),
    ("def f(frame, cutoff): pass", {"cutof": 1}, "unexpected keyword argument 'cutof'"),
]


@pytest.fixture(scope="module")
def failing(tmp_path_factory, make, corner, shrink):
    """Give the outcomes of functions that all fail, the first of each by its name."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "sibling.py").write_text("")
    bodies = [f"def f{at}(frame):\n    {body}\n" for at, (body, _) in enumerate(FAILURES)]
    tables = [{"function": f"mine:f{at}"} for at in range(len(FAILURES))]
    for at, (source, arguments, _) in enumerate(BROKEN):
        (folder / f"broken_{at}.py").write_text(source)
        table = {"function": f"broken_{at}:f", "name": f"broken{at}", "parameters": arguments}
        tables.append(table)
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        source = "\n".join(["import numpy as np", *bodies])
        campaign = make(folder / "filled", corner, analysis=analysis_of(folder, tables, source))
        campaign.write(0, 4)
        blocks = {block.names: block for block in campaign.blocks(0)}
        yield campaign, {name: analyse_block(block) for name, block in blocks.items()}


@pytest.mark.parametrize("at", range(len(FAILURES)))
def test_what_fails_says_what_came_and_what_to_do(failing, at):
    (campaign, outcomes), message = failing, FAILURES[at][1]
    outcome = outcomes[f"f{at}"]
    assert outcome.kind == "own"
    assert re.search(message, outcome.message), outcome.message
    assert re.search(rf"f{at}, frames 0 to 3: frame [02] of run \w+: mine:f{at}", outcome.message)
    assert f"glasscreep forget {campaign.directory} f{at}" in outcome.message
    assert campaign.place(0).name in outcome.message


@pytest.mark.parametrize("at", range(len(BROKEN)))
def test_what_is_no_such_function_says_so(failing, at):
    outcome, message = failing[1][f"broken{at}"], BROKEN[at][2]
    assert outcome.kind == "own"
    assert re.search(message, outcome.message), outcome.message


def test_other_results_and_runs_go_on(own):
    source = SOURCE + "\n\ndef middle(frame):\n    return [1, 2, 3][: 2 + (frame.step < 60)]\n"
    campaign = own(TABLES, source, results=["strain", "overlap"])
    kinds = {}
    for outcome in outcomes(campaign):
        kinds.setdefault(outcome.kind, []).append(outcome.message)
    assert all("frame 2 of run" in said for said in kinds["own"][:1])
    assert all(said.startswith("middle, ") for said in kinds["own"])
    for name in ("strain", "overlap", "wave", "total", "moved_20"):
        assert np.isfinite(campaign.array(name)[0]).any(), name
    middle = campaign.array("middle")[0]
    assert_array_equal(middle[:2], [[1, 2, 3]] * 2)
    assert np.isnan(middle[2:]).all()
    assert read_analysed(campaign.place(0)).results["middle"]["frames"] == 2


LATE = """
from pathlib import Path
import numpy as np

def each(frame, step):
    fails = frame.step == step and not Path(MENDED).exists()
    return frame.positions[:, 0] if not fails else 0.0

def whole(frame, step):
    return each(frame, step).mean()
"""


@pytest.mark.parametrize("failing", [0, 1, 4, 6, 11])
def test_what_it_gave_of_the_frames_before_is_kept_and_gone_on_from(own, tmp_path, failing):
    more = {"parameters": {"step": 20 * (failing + 1)}}
    tables = [
        {**more, "function": "mine:each"},
        {**more, "function": "mine:whole", "per": "frame"},
    ]
    campaign = own(tables, LATE.replace("MENDED", repr(str(tmp_path / "mended"))))
    campaign.write(0, 12)
    failed = set()
    for block in campaign.blocks(0):  # as the driver does: none after one that failed
        if block.names not in failed and analyse_block(block).kind == "own":
            failed.add(block.names)
    place, names = campaign.place(0), ("each", "whole")
    assert failed == set(names)
    before = {name: campaign.array(name)[0] for name in names}
    for name in names:
        assert read_analysed(place).results.get(name, {"frames": 0})["frames"] == failing
        assert f"frame {failing} of run {place.name}" in read_analysed(place).failed[name]
        assert np.isfinite(before[name][:failing]).all()
        assert np.isnan(before[name][failing:]).all()
    (tmp_path / "mended").touch()
    assert {block.start for block in campaign.blocks(0)} >= {failing}
    campaign.analyse(0)
    position = FrameReader(campaign.prepared.store).positions(0, 0, 12)[..., 0]
    assert_array_equal(campaign.array("each")[0], position)
    assert_array_equal(campaign.array("whole")[0], position.mean(axis=1))
    assert read_analysed(place).failed == {}


def test_a_kept_file_that_was_changed_is_not_run(own):
    campaign = own(TABLES[:1])
    (kept,) = (campaign.directory / "attached").iterdir()
    kept.write_text("raise SystemExit")
    outcome = next(each for each in outcomes(campaign) if each.kind != "done")
    assert outcome.kind == "damaged"
    assert "is not the file that the campaign began with" in outcome.message


def test_a_module_called_as_another_takes_nothing_s_place(own, tmp_path):
    (tmp_path / "json.py").write_text("def f(frame):\n    return frame.time\n")
    table = {**SAID, "function": "json:f", "per": "frame"}
    values, _ = pinned({"analysis": {"own": [table]}}, tmp_path)
    campaign = own([]).extended(analysis=values["analysis"])
    assert {outcome.kind for outcome in outcomes(campaign)} == {"done"}
    assert hasattr(sys.modules["json"], "loads")
