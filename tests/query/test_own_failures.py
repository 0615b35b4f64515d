"""A function of the user's that failed is told with its reason where its result is asked for."""

import json

import numpy as np
import pytest
from own_analyses import FRAMES, SOURCE, TABLES, analysis_of
from rich.console import Console
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign import own_failures as own_failures_module
from glasscreep.campaign import sampling
from glasscreep.campaign.forget import forget
from glasscreep.campaign.logs import show_logs_of
from glasscreep.campaign.main import app
from glasscreep.campaign.own_failures import own_failures
from glasscreep.tasks.analyse import analyse_block
from glasscreep.tasks.analysed import read_analysed
from glasscreep.tasks.errors import AbsentError

FAILS = (
    SOURCE
    + """

from pathlib import Path


def middle(frame):
    fails = frame.step >= 180 and not Path(PATH).exists()
    return [1, 2, 3][: 3 - fails]
"""
)


@pytest.fixture
def failed(tmp_path, make, corner, small_files):
    """Give a campaign with a function that fails late on run 0, and another that does not."""
    source = FAILS.replace("PATH", repr(str(tmp_path / "mended")))
    analysis = analysis_of(tmp_path, TABLES[:2], source)
    campaign = make(tmp_path / "filled", corner, analysis=analysis)
    campaign.write(0, FRAMES)
    campaign.write(1, 4)
    for row in (0, 1):
        for block in campaign.blocks(row):
            analyse_block(block)
    return campaign


def query(campaign, *words):
    command = ["query", str(campaign.directory), *words]
    return CliRunner().invoke(app, command, catch_exceptions=False)


def test_query_tells_it_beside_what_there_is(failed):
    done = query(failed, "middle", "--format", "csv")
    run = failed.place(0).name
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1 + 3 * (8 + 4)
    assert "middle failed: frame 8 of run " + run in done.stderr
    assert "numbers of shape (3,) are wanted. Mend mine.py" in done.stderr
    assert "middle failed on 1 of 4 runs, of which what it gave before is shown" in done.stderr
    assert f"`glasscreep logs {failed.directory} RUN` tells of any one" in done.stderr


def test_without_any_row_it_is_told_in_place_of_what_to_wait_for(make, corner, tmp_path):
    source = SOURCE.replace("return frame.positions.mean(axis=0)", "raise ValueError('boom')")
    campaign = make(
        tmp_path / "filled", corner, analysis=analysis_of(tmp_path, TABLES[1:2], source)
    )
    campaign.write(0, FRAMES)
    for block in campaign.blocks(0):
        analyse_block(block)
    done = query(campaign, "middle", "--format", "csv")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1
    assert "mine:middle failed with ValueError: boom" in done.stderr
    assert "middle failed on 1 of 4 runs, of which nothing is shown; `glasscreep" in done.stderr
    assert "is not there yet" not in done.stderr


ALSO_FAILS = SOURCE.replace(
    "return sum(",
    """if len(frames) == FRAMES:
        raise ValueError('boom')
    return sum(""",
)


@pytest.mark.parametrize(("fails_at", "frames"), [(12, 0), (16, 12)])
def test_of_a_whole_run_it_is_what_it_gave_before_there_were_more_frames(
    make, corner, tmp_path, fails_at, frames
):
    source = ALSO_FAILS.replace("FRAMES", str(fails_at))
    analysis = analysis_of(tmp_path, TABLES[3:4], source)
    campaign = make(tmp_path / "filled", corner, analysis=analysis)
    campaign.write(0, FRAMES)
    first = [analyse_block(block).kind for block in campaign.blocks(0)]
    if frames:
        creep = {**campaign.prepared.campaign.creep.model_dump(), "steps": 16 * 20}
        campaign = campaign.extended(creep=creep)
        campaign.write(0, 16)
        [analyse_block(block) for block in campaign.blocks(0)]
    assert ("own" in first) == (frames == 0)
    done = query(campaign, "total", "--format", "csv")
    rows = done.stdout.splitlines()[1:]
    assert len(rows) == (frames > 0)
    shown = "what it gave before is" if frames else "nothing is"
    assert f"total failed on 1 of 4 runs, of which {shown} shown; " in done.stderr


def test_others_are_told_nothing_of_it(failed):
    for words in (["wave"], ["strain"], ["middle", "--run", failed.place(1).name]):
        done = query(failed, *words)
        assert done.exit_code == 0, words
        assert "failed" not in done.stderr
    opened = glasscreep.open(failed.directory)
    assert opened.failures("wave") == opened.failures("strain") == ()
    with pytest.raises(AbsentError, match=r"no result 'wav': did you mean wave\?"):
        opened.failures("wav")
    assert len(glasscreep.open(failed.directory)["wave"]) == 4


def test_a_netcdf_file_is_written_and_it_is_told(failed, tmp_path):
    done = query(failed, "middle", "--output", str(tmp_path / "middle.nc"))
    assert done.exit_code == 1
    assert "middle failed on 1 of 4 runs" in done.stderr
    assert (tmp_path / "middle.nc").exists()


def test_python_is_warned_and_can_ask(failed):
    opened = glasscreep.open(failed.directory)
    with pytest.warns(UserWarning, match="middle failed: frame 8 of run") as warned:
        array = opened["middle"]
    assert warned[0].filename == __file__
    assert np.isfinite(array[0, 7]).all()
    assert np.isnan(array[0, 8]).all()
    with pytest.warns(UserWarning, match="middle failed on 1 of 4 runs") as warned:
        assert len(opened.table("middle")) == 3 * (8 + 4)
    assert warned[0].filename == __file__
    (failure,) = opened.failures("middle")
    assert (failure.run, failure.result) == (failed.place(0).name, "middle")
    assert failure.why.startswith("frame 8 of run")


@pytest.mark.parametrize("most", [2, 1])
def test_of_many_runs_some_are_looked_at_for_the_warning(failed, monkeypatch, most):
    looked_at = []

    def read(place):
        looked_at.append(place)
        return read_analysed(place)

    monkeypatch.setattr(sampling, "EXACT_RUNS", most)
    monkeypatch.setattr(own_failures_module, "read_analysed", read)
    told = f"middle failed on 1 of {most} runs? that were looked at, of 4, of which"
    with pytest.warns(UserWarning, match=told):
        glasscreep.open(failed.directory)["middle"]
    assert len(looked_at) == most
    with pytest.warns(UserWarning, match="middle failed on 1 of 4 runs, of which"):
        glasscreep.open(failed.directory).table("middle")


def test_the_list_of_results_counts_it(failed):
    listed = json.loads(query(failed, "--format", "json").stdout)
    computed = {row["result"]: row["computed"] for row in listed}
    assert computed["middle"] == "12/48 frames, failed on 1 of 4 runs"
    assert computed["wave"] == "16/48 frames"


def test_logs_of_the_run_tell_it(failed):
    with (console := Console(width=2000)).capture() as shown:
        for row in (0, 1):
            show_logs_of(failed.directory, failed.place(row).name, 5, console)
    told = [line for line in shown.get().splitlines() if "failed" in line]
    assert len(told) == 1
    assert told[0].startswith("middle failed: frame 8 of run " + failed.place(0).name)


def test_all_of_a_campaign_can_be_had_for_a_report(failed):
    ids = [failed.place(row).name for row in range(4)]
    (failure,) = own_failures(failed.directory, ids)
    assert failure.run == ids[0]


def test_once_it_goes_well_it_is_told_no_more(failed, tmp_path):
    (tmp_path / "mended").touch()
    failed.analyse(0)
    assert read_analysed(failed.place(0)).failed == {}
    assert query(failed, "middle").exit_code == 0


def test_once_it_is_forgotten_it_is_told_no_more(failed):
    assert "middle" in read_analysed(failed.place(0)).failed
    forget(failed.directory, ["middle"])
    assert own_failures(failed.directory, [failed.place(0).name]) == ()


def test_failing_again_notes_the_same_and_nothing_else(failed):
    before = (failed.place(0) / "analysis.json").read_bytes()
    kinds = [analyse_block(block).kind for block in failed.blocks(0)]
    assert set(kinds) == {"own"}
    assert (failed.place(0) / "analysis.json").read_bytes() == before
