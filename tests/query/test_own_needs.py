"""Functions of the user's get neighbours and other results of a frame, computed before."""

import os
import pickle
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from filled_campaign import Frames, make_campaign, make_files_small
from numpy.testing import assert_array_equal
from own_analyses import analysis_of

from glasscreep.analysis import coordination
from glasscreep.campaign.file import CampaignFileError, load
from glasscreep.campaign.forget import forget, with_dependents
from glasscreep.campaign.own_trials import demand_own
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.reader import FrameReader

FRAMES, CUTOFF = 12, 1.4
SOURCE = """
import os
import signal

import numpy as np


def near(frame, cutoff):
    pairs = frame.neighbors(cutoff)
    return np.bincount(pairs.center, minlength=len(frame.species))


def work(frame):
    if frame.step == 140 and "KILL" in os.environ:
        os.kill(os.getppid(), signal.SIGKILL)
    return frame["near"] * frame["d2min_20"]


def column(frame):
    return frame["features"][:, 0] + frame["strain"]


def change(before, after):
    return after["near"] - before["near"] + before["d2min"]


def total(frames):
    return [np.nansum(frame["d2min_60"]) + np.isnan(frame["d2min_60"]).all() for frame in frames]


def sum_of(frames):
    return sum(frame["work"][0] for frame in list(frames)[:-1])
"""
TABLES = [
    {"function": "mine:sum_of", "of": "run", "needs": ["work"]},
    {"function": "mine:work", "needs": ["near", "d2min_20"]},
    {"function": "mine:near", "parameters": {"cutoff": CUTOFF}},
    {"function": "mine:column", "needs": ["features", "strain"]},
    {"function": "mine:change", "of": "pair", "needs": ["near", "d2min"]},
    {"function": "mine:total", "of": "run", "per": "frame", "needs": ["d2min_60"]},
]
RESULTS = ["strain", "d2min", "features"]
OF_NEAR = {"near", "work", "change_20", "change_60", "sum_of"}
NAMES = sorted({*OF_NEAR, "column", "total"})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Give a campaign with a run that is analysed as its frames came. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        folder = tmp_path_factory.mktemp("needs")
        filled = make_campaign(
            folder / "filled",
            Frames.of_corner(200),
            analysis=analysis_of(folder, TABLES, SOURCE, RESULTS),
        )
        for until in (5, FRAMES):
            filled.write(0, until)
            filled.analyse(0)
        yield filled


@pytest.fixture
def campaign(done):
    """Give a copy of it, that may be changed."""
    return done.copied(f"copy-{os.urandom(4).hex()}")


def test_neighbours_are_those_within_the_cutoff(done):
    reader = FrameReader(done.prepared.store)
    for frame in range(FRAMES):
        at = reader.position(0, frame), reader.lattice(0)[frame]
        assert_array_equal(done.array("near")[0, frame], coordination(*at, CUTOFF))


def test_values_are_those_of_what_is_needed(done):
    near, d2min = done.array("near")[0], done.array("d2min_20")[0]
    assert_array_equal(done.array("work")[0], near * d2min)
    assert np.isfinite(done.array("work")[0, : FRAMES - 1]).all()
    column = done.array("features")[0, :, :, 0].astype(float) + done.array("strain")[0][:, None]
    assert_array_equal(done.array("column")[0], column)


def test_a_pair_gets_what_looks_ahead_over_its_own_interval_with_its_first_frame(done):
    near = done.array("near")[0]
    for apart, interval in ((1, 20), (3, 60)):
        moved = done.array(f"d2min_{interval}")[0, :-apart]
        expected = near[apart:] - near[:-apart] + moved
        found = done.array(f"change_{interval}")[0]
        assert_array_equal(found[:-apart], expected)
        assert np.isnan(found[-apart:]).all()


def test_a_run_gets_nan_where_there_is_no_later_frame(done):
    sums = np.nansum(done.array("d2min_60")[0], axis=1)
    sums[-3:] = 1
    assert_array_equal(done.array("total")[0], sums)
    assert done.array("sum_of")[0] == done.array("work")[0, :-1, 0].sum()


def test_what_is_needed_is_forgotten_with_it_and_computed_anew_before(campaign, done):
    gone = with_dependents(campaign.directory, ["near"])
    assert set(gone) == OF_NEAR
    assert {"work", "total"} < set(with_dependents(campaign.directory, ["d2min_20", "d2min_60"]))
    forget(campaign.directory, gone)
    again = campaign.extended()
    order = [name for block in again.blocks(0) for name in block.names.split(", ")]
    assert set(order) == OF_NEAR
    assert order.index("near") < order.index("work") < order.index("sum_of")
    again.analyse(0)
    for name in NAMES:
        assert_array_equal(again.array(name), done.array(name), err_msg=name)


@pytest.mark.parametrize(
    ("name", "file", "result", "said"),
    [
        ("near", "c.0.1.0", "work", "array near: frame 4 is not there; its file is lost"),
        (
            "strain",
            "c.0.1",
            "column",
            "array strain is damaged: .* its file store.zarr/strain/c.0.1 is lost",
        ),
    ],
)
def test_what_is_needed_and_lost_is_told(campaign, name, file, result, said):
    forget(campaign.directory, with_dependents(campaign.directory, [result]))
    (campaign.prepared.store / name / file).unlink()
    outcomes = [analyse_block(block) for block in campaign.extended().blocks(0)]
    told = [outcome.message for outcome in outcomes if outcome.kind == "damaged"]
    assert any(re.search(said, message) for message in told), outcomes


def test_what_is_needed_may_be_defined_for_no_particle(campaign, done):
    forget(campaign.directory, with_dependents(campaign.directory, ["work"]))
    campaign.blank("d2min_20", 0, 4)
    campaign.extended().analyse(0)
    found, before = campaign.array("work")[0], done.array("work")[0]
    assert np.isnan(found[4]).all()
    assert_array_equal(np.delete(found, 4, axis=0), np.delete(before, 4, axis=0))


def test_parameters_of_what_is_needed_are_its_own(campaign, tmp_path):
    said = campaign.attributes("work")["parameters"]
    assert said["near"]["parameters"] == {"cutoff": CUTOFF}
    assert said["d2min_20"] == {"cutoff": 2.5}
    tables = [{**TABLES[2], "parameters": {"cutoff": 1.2}}, *TABLES[:2], *TABLES[3:]]
    with pytest.raises(Exception, match=r"parameters of mine:near .* near") as refused:
        campaign.extended(analysis=analysis_of(tmp_path, tables, SOURCE, RESULTS))
    assert set(str(refused.value).split("forget ")[1].split("`")[0].split()[1:]) == OF_NEAR


ANALYSE = """
import pickle, sys
from glasscreep.tasks.analyse import analyse_block
for block in pickle.load(sys.stdin.buffer):
    print(analyse_block(block).kind)
"""


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_with_what_is_left(campaign, done):
    forget(campaign.directory, with_dependents(campaign.directory, ["near"]))
    again = campaign.extended()
    killed = subprocess.run(
        [sys.executable, "-P", "-c", ANALYSE],
        input=pickle.dumps(again.blocks(0)),
        env={**os.environ, "KILL": "1"},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert "near" in read_analysed(again.place(0)).results
    left = {block.names for block in again.blocks(0)}
    assert {"work", "sum_of"} <= left < OF_NEAR
    again.analyse(0)
    for name in NAMES:
        assert_array_equal(again.array(name), done.array(name), err_msg=name)


@pytest.mark.parametrize(
    ("of", "needs", "said"),
    [
        ("frame", ["strain"], "d2min_60 is not given: of other results there is only strain"),
        pytest.param(
            *("frame", [], "d2min_60 is not given: of other results there is none"),
            marks=pytest.mark.slow,
        ),
        ("pair", ["d2min_60"], "d2min_60 follows from later frames too: it is given with the fir"),
    ],
)
def test_what_is_not_given_is_told(tmp_path, small_files, of, needs, said):
    body = "def bad(*frames):\n    return frames[-1]['d2min_60']\n"
    table = {"function": "mine:bad", "needs": needs, "of": of}
    analysis = analysis_of(tmp_path, [table], body, RESULTS)
    filled = make_campaign(tmp_path / "filled", Frames.of_corner(200), analysis=analysis)
    filled.write(0, FRAMES)
    outcome = next(out for out in map(analyse_block, filled.blocks(0)) if out.kind != "done")
    assert outcome.kind == "own"
    assert said in outcome.message


def written(folder, *tables):
    source = "def f(*frames): return frames[0]['d2min_10000'][: len(frames[0].species)]\n"
    (folder / "mine.py").write_text(source)
    about = 'units = "1"\ndefinition = "x"\nfunction = "mine:f"\n'
    file = folder / "own.toml"
    own = "".join(f"[[analysis.own]]\n{about}{table}\n" for table in tables)
    file.write_text(f'[analysis]\nresults = ["strain", "creep_fit", "d2min"]\n{own}')
    return file


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (['name = "a"\nneeds = ["d3min"]'], ["own[0].needs", '"d3min"', "d2min_10000"]),
        (['name = "a"\nneeds = ["d2min"]'], ["say over which interval: d2min_10000"]),
        (['name = "a"\nneeds = ["creep_fit"]'], ["creep_fit is of a whole run, not of a frame"]),
        (['name = "a"\nneeds = ["rdf"]'], ['add "rdf" to analysis.results']),
        (['name = "a"\nneeds = ["strian"]'], ["did you mean strain?"]),
        (['name = "a"\nneeds = ["a"]'], ["own[0].needs", "a needs a"]),
        (
            ['name = "a"\nneeds = ["c"]', 'name = "b"\nneeds = ["a"]', 'name = "c"\nneeds = ["b"]'],
            ["own[0].needs", "a needs c needs b needs a"],
        ),
    ],
)
def test_what_can_not_be_needed_is_refused(tmp_path, tables, said):
    with pytest.raises(CampaignFileError) as refused:
        load(written(tmp_path, *tables))
    for each in said:
        assert each in str(refused.value), str(refused.value)


def test_what_needs_something_unknown_is_not_blamed_for_it_twice(tmp_path):
    tables = ['name = "a"\nneeds = ["nothing"]', 'name = "b"\nneeds = ["a"]']
    with pytest.raises(CampaignFileError) as refused:
        load(written(tmp_path, *tables))
    assert [problem.path for problem in refused.value.problems] == ["analysis.own[0].needs"]


def test_all_that_is_wrong_with_needs_is_told_at_once(tmp_path):
    tables = ['name = "a"\nneeds = ["nothing", "nor", "b"]', 'name = "b"\nneeds = ["a"]']
    with pytest.raises(CampaignFileError) as refused:
        load(written(tmp_path, *tables))
    assert [problem.got for problem in refused.value.problems] == [
        '"nothing"', '"nor"', "a needs b needs a", "b needs a needs b",
    ]  # fmt: skip


def test_neither_itself_nor_a_name_of_no_function_is_allowed(tmp_path):
    file = written(tmp_path, 'name = "a"\nneeds = ["nothing"]', 'name = "b"')
    about = '[[analysis.own]]\nunits = "1"\ndefinition = "x"\nfunction = '
    more = "".join(f'{about}"{function}"\n' for function in ("mine.f", "others:late"))
    file.write_text(file.read_text() + more)
    with pytest.raises(CampaignFileError) as refused:
        load(file)
    (problem,) = (one for one in refused.value.problems if one.path == "analysis.own[0].needs")
    assert problem.allowed == "b, d2min_10000, late, strain"


def test_what_is_needed_is_made_up_when_a_function_is_tried(tmp_path):
    campaign = load(written(tmp_path, 'name = "a"\nneeds = ["d2min_10000"]'))
    (tried,) = demand_own(campaign, tmp_path / "d")
    assert tried.name == "a"


def test_what_needs_looseness_waits_for_a_model_like_it(tmp_path):
    file = written(tmp_path, 'name = "a"\nneeds = ["looseness"]')
    file.write_text(file.read_text().replace('"d2min"]', '"d2min", "looseness"]'))
    campaign = load(file)
    assert "a" not in {result.name for result in campaign.results()}
    assert campaign.results(model={})[-1].name == "a"
