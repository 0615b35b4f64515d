"""Results of a user's own functions are what these give by hand, and fail so that it can be mended."""

import os
import pickle
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from own_analyses import FRAMES, NAMES, SAID, SOURCE, TABLES, analysis_of

import glasscreep
from glasscreep.campaign.compatible import DirectoryError
from glasscreep.campaign.forget import forget, with_dependents
from glasscreep.campaign.pinning import pinned
from glasscreep.campaign.query import query_table
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.reader import FrameReader


@pytest.fixture
def own(tmp_path, make, corner, small_files):
    """Make a campaign with own analyses, without frames."""

    def made(tables, source=SOURCE, name="filled", **more):
        analysis = analysis_of(tmp_path, tables, source, **more)
        return make(tmp_path / name, corner, analysis=analysis)

    return made


@pytest.fixture(scope="module")
def done(tmp_path_factory, make, corner, shrink):
    """Give a campaign with two runs that are analysed. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        folder = tmp_path_factory.mktemp("own")
        filled = make(folder / "filled", corner, analysis=analysis_of(folder, TABLES))
        for row in (0, 1):
            filled.write(row, FRAMES)
            filled.analyse(row)
        yield filled


def outcomes(campaign, row=0):
    campaign.write(row, FRAMES)
    return [analyse_block(block) for block in campaign.blocks(row)]


def failed(campaign, row=0):
    return next(outcome for outcome in outcomes(campaign, row) if outcome.kind != "done")


@pytest.mark.parametrize("row", [0, 1])
def test_values_are_those_of_the_function_called_by_hand(done, row):
    reader = FrameReader(done.prepared.store)
    at = [reader.position(row, frame) for frame in range(FRAMES)]
    unwrapped = [
        at[frame] + reader.image(row, frame) * reader.box_edges(row)[frame]
        for frame in range(FRAMES)
    ]
    for frame in range(FRAMES):
        wave = np.cos(2 * np.pi * at[frame][:, 0] / 2.0) * 1.5
        assert_array_equal(done.array("wave")[row, frame], wave)
        assert_array_equal(done.array("middle")[row, frame], at[frame].mean(axis=0))
    for apart, name in ((1, "moved_20"), (3, "moved_60")):
        for frame in range(FRAMES - apart):
            moved = np.linalg.norm(unwrapped[frame + apart] - unwrapped[frame], axis=1)
            moved[reader.species == 2] = np.nan
            np.testing.assert_allclose(done.array(name)[row, frame], moved, rtol=1e-12)
        assert np.isnan(done.array(name)[row, FRAMES - apart :]).all()
    assert done.array("total")[row] == sum(each.sum() for each in at) + FRAMES
    run = done.prepared.runs[row].physics
    steps = np.arange(1, FRAMES + 1) * 20
    points = [[step * 0.01, step, run.stress, run.temperature] for step in steps]
    np.testing.assert_allclose(done.array("points_6")[row], points)
    assert_array_equal(done.array("energy")[row], reader.scalar("potential_energy", row))


def test_they_are_shown_like_any_other(done):
    dataset = glasscreep.open(done.directory).dataset
    assert dataset.wave.dims == ("run", "frame", "particle")
    assert dataset.middle.dims == ("run", "frame", "middle_component")
    assert dataset.wave.attrs["units"] == "1"
    assert dataset.wave.attrs["definition"] == "of the test's own"
    said = dataset.wave.attrs["parameters"]
    assert said["function"] == "mine:wave"
    assert said["parameters"] == {"length": 2.0, "factors": [0.5, 1.0]}
    assert len(said["sha256"]) == 64
    for name in NAMES:
        table = query_table(done.directory, name, temperature=0.1, replica=0)
        assert len(table), name
    wave = query_table(done.directory, "wave", temperature=0.1, replica=0)
    species = done.array("species")
    assert wave["mean_B"][3] == pytest.approx(done.array("wave")[0, 3, species == 2].mean())
    middle = query_table(done.directory, "middle", temperature=0.1, replica=0)
    assert middle["middle_component"].tolist()[:4] == [0, 1, 2, 0]
    total = query_table(done.directory, "total", temperature=0.1)["value"]
    assert_array_equal(total, done.array("total")[:1])


@pytest.mark.slow
@given(cuts=st.lists(st.integers(1, FRAMES - 1), max_size=4, unique=True))
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_blocks_are_the_whole(done, tmp_path_factory, make, corner, cuts):
    folder = tmp_path_factory.mktemp("cut")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glasscreep.tasks.blocks.BLOCK_FRAMES", 1 + len(cuts))
        cut = make(folder / "filled", corner, analysis=analysis_of(folder, TABLES))
        for until in (*sorted(cuts), FRAMES):
            cut.write(0, until)
            cut.analyse(0)
    for name in NAMES:
        assert_array_equal(cut.array(name)[0], done.array(name)[0], err_msg=name)
    shutil.rmtree(folder)


ANALYSE = """
import sys
import pickle
blocks = pickle.load(sys.stdin.buffer)
from glasscreep.tasks.analyse import analyse_block
for block in blocks:
    outcome = analyse_block(block)
    print(outcome.kind, outcome.message, flush=True)
"""


def in_a_process(blocks, environment=()):
    """Analyse blocks as a worker does: a process of its own that gets them as pickle."""
    sent = pickle.dumps(blocks)
    assert b"cos(" not in sent  # no code travels
    return subprocess.run(
        [sys.executable, "-P", "-c", ANALYSE],
        input=sent,
        capture_output=True,
        env={**os.environ, **dict(environment)},
        check=False,
    )


@pytest.mark.slow
def test_a_worker_needs_the_campaign_directory_alone_and_may_be_killed(own, done, tmp_path):
    mortal = SOURCE + (
        "\n\nimport os, signal\n\n\ndef middle(frame):\n"
        "    if frame.step == 140 and 'KILL' in os.environ:\n"
        "        os.kill(os.getppid(), signal.SIGKILL)\n"
        "    return frame.positions.mean(axis=0)\n"
    )
    campaign = own(TABLES, mortal)
    campaign.write(0, FRAMES)
    (tmp_path / "mine.py").unlink()  # as on a node that has only the directory
    killed = in_a_process(campaign.blocks(0), {"KILL": "1"}.items())
    assert killed.returncode == -signal.SIGKILL
    left = campaign.blocks(0)
    assert left
    again = in_a_process(left)
    assert set(again.stdout.decode().split()) == {"done"}, again
    assert campaign.blocks(0) == []
    for name in NAMES:
        assert_array_equal(campaign.array(name)[0], done.array(name)[0], err_msg=name)


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
    assert np.isnan(campaign.array("middle")).all()
    assert "middle" not in read_analysed(campaign.place(0)).results


def test_a_function_that_changed_is_refused_until_its_result_is_forgotten(own, tmp_path):
    campaign = own(TABLES[:2])
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    middle, (kept,) = campaign.array("middle"), (campaign.directory / "attached").iterdir()
    # Its shape may change with it.
    changed = SOURCE.replace("positions[:, 0]", "positions[:, 1]")
    other = analysis_of(tmp_path, [TABLES[0], {**TABLES[1], "name": "center"}], changed)
    with pytest.raises(DirectoryError) as refusal:
        campaign.extended(analysis=other)
    said = str(refusal.value)
    assert "sha256 of mine:wave for analysis.own wave" in said
    assert f"glasscreep forget {campaign.directory} wave" in said
    assert "center" not in said
    assert len(list((campaign.directory / "attached").iterdir())) == 1
    assert with_dependents(campaign.directory, ["wave"]) == ("wave",)
    forget(campaign.directory, ["wave"])
    with pytest.raises(AbsentError, match="no result 'wave': it was forgotten: `glasscreep run"):
        glasscreep.open(campaign.directory)["wave"]
    campaign = campaign.extended(analysis=other)
    campaign.analyse(0)
    position = FrameReader(campaign.prepared.store).position(0, 3)
    assert_array_equal(campaign.array("wave")[0, 3], np.cos(np.pi * position[:, 1]) * 1.5)
    assert_array_equal(campaign.array("middle"), middle)  # what is no longer asked for is kept
    assert_array_equal(campaign.array("center"), middle)
    assert kept.read_text() == SOURCE


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"length": 3.0, "factors": [0.5, 1.0]}},
        {"units": "length"},
        {"definition": "other words"},
        {"shape": [2]},
        {"per": "frame"},
    ],
)
def test_other_parameters_are_refused_like_those_of_built_in_results(own, tmp_path, change):
    campaign = own(TABLES[:1])
    other = analysis_of(tmp_path, [{**TABLES[0], **change}])
    with pytest.raises(DirectoryError, match=f"{next(iter(change))} of mine:wave"):
        campaign.extended(analysis=other)


def test_a_shape_may_change_once_the_result_is_forgotten(own, tmp_path):
    campaign = own(TABLES[1:2])
    forget(campaign.directory, ["middle"])
    two = {**TABLES[1], "shape": 2}
    source = SOURCE.replace("positions.mean(axis=0)", "positions.mean(axis=0)[:2]")
    campaign = campaign.extended(analysis=analysis_of(tmp_path, [two], source))
    campaign.write(0, FRAMES)
    campaign.analyse(0)
    assert glasscreep.open(campaign.directory).dataset.middle.shape[-1] == 2


def test_a_kept_file_that_was_changed_is_not_run(own):
    campaign = own(TABLES[:1])
    (kept,) = (campaign.directory / "attached").iterdir()
    kept.write_text("raise SystemExit")
    outcome = failed(campaign)
    assert outcome.kind == "damaged"
    assert "is not the file that the campaign began with" in outcome.message


def test_a_module_called_as_another_takes_nothing_s_place(own, tmp_path):
    (tmp_path / "json.py").write_text("def f(frame):\n    return frame.time\n")
    table = {**SAID, "function": "json:f", "per": "frame"}
    values, _ = pinned({"analysis": {"own": [table]}}, tmp_path)
    campaign = own([]).extended(analysis=values["analysis"])
    assert {outcome.kind for outcome in outcomes(campaign)} == {"done"}
    assert hasattr(sys.modules["json"], "loads")
