"""Results of a user's own functions are what these give by hand."""

import os
import pickle
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from own_analyses import FRAMES, NAMES, SOURCE, TABLES, analysis_of

import glasscreep
from glasscreep.campaign.query import query_table
from glasscreep.tasks.reader import FrameReader


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
