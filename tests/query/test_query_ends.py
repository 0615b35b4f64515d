"""Where `glasscreep query` can go no further, it says why, and what to do."""

import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import zarr
from damaging import flip
from made_up import SNAPSHOT, ago
from numpy.testing import assert_allclose
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.main import app
from glasscreep.campaign.snapshot import write_snapshot
from glasscreep.tasks.errors import DamagedError

PROGRAM = Path(sys.executable).with_name("glasscreep")


def query(*words):
    return CliRunner().invoke(app, ["query", *map(str, words)], catch_exceptions=False)


def status(directory):
    return CliRunner().invoke(app, ["status", str(directory)], env={"COLUMNS": "300"})


def test_what_is_no_campaign(tmp_path):
    done = query(tmp_path, "strain")
    assert done.exit_code == 2
    assert "is not a campaign: it has no store.zarr in it. Give the directory" in done.stderr


def test_a_store_of_something_else(tmp_path):
    zarr.create_group(tmp_path / "store.zarr")
    done = query(tmp_path, "strain")
    assert done.exit_code == 2
    assert f"{tmp_path} is not a campaign: its store.zarr is of something else" in done.stderr


def test_a_campaign_that_has_no_store_yet(running, tmp_path):
    shutil.copy(running.directory / "campaign.json", tmp_path)
    done = query(tmp_path, "strain")
    assert done.exit_code == 2
    assert "is a campaign that has no store.zarr yet: it has only just been begun" in done.stderr
    assert f"`glasscreep status {tmp_path}`" in done.stderr


def test_a_campaign_without_frames_tells_how_far_it_is(campaign):
    snapshot = campaign.directory / "status.json"
    content = {
        "schema": 1, "campaign": "filled", "phase": "running", "host": "far", "pid": 1,
        "started": ago(100), "updated": ago(0),
        "dashboard": "", "runs": {"new": 4, "partial": 0, "done": 0, "failed": 0},
        "glasses_done": 1, "glasses_total": 2, "frames_done": 0, "frames_total": 48,
        "unrelaxed": 0, "particle_steps_per_s": 1e6, "time_left_s": 90.0, "why_stopped": "",
        "active": [], "failures": [], "allocations": [], "trouble": "", "points": [],
    }  # fmt: skip
    snapshot.write_text(json.dumps(content))
    done = query(campaign.directory, "strain", "--format", "csv")
    assert done.exit_code == 0
    assert done.stdout == "run,temperature,stress,replica,frame,step,time,value\n"
    assert "No frame of 4 runs is committed yet; `query` shows rows when some are" in done.stderr
    assert "filled: running: runs 0/4, glasses 1/2, frames 0/48" in done.stderr
    assert query(campaign.directory, "strain").stdout.split() == done.stdout.strip().split(",")


def test_a_driver_that_was_killed_is_told_of_as_status_does(campaign):
    write_snapshot(campaign.directory, replace(SNAPSHOT, updated=ago(0), time_left_s=90.0))
    with CampaignLock(campaign.directory):
        assert "small: running: runs 0/1" in query(campaign.directory, "strain").stderr
        assert ": running, as of " in repr(glasscreep.open(campaign.directory))
    said = query(campaign.directory, "strain").stderr
    assert "small: ended without a word: runs 0/1" in said
    assert "time left" not in said
    assert ": ended without a word, as of " in repr(glasscreep.open(campaign.directory))
    assert "small: ended without a word: runs 0/1" in status(campaign.directory).stdout


@pytest.mark.parametrize("content", ["", "x", '{"schema": 1}'])
def test_a_damaged_status_is_told_as_such(campaign, content):
    (campaign.directory / "status.json").write_text(content)
    done = status(campaign.directory)
    assert done.exit_code == 1
    assert f"{campaign.directory}/status.json is damaged, or of another version" in done.stderr
    assert "`glasscreep run` writes it anew" in done.stderr
    with CampaignLock(campaign.directory):
        assert "a driver has just begun" in status(campaign.directory).stdout
    assert "no driver has said how far it is" in repr(glasscreep.open(campaign.directory))


def test_frames_without_the_result_yet(campaign):
    campaign.write(0, 5)
    done = query(campaign.directory, "creep_fit")
    assert done.exit_code == 0
    assert (
        "Of 4 runs 5 frames are committed, but creep_fit is not there yet: it is computed of "
        in (done.stderr)
    )
    assert "when it is complete" in done.stderr


def test_an_expression_that_is_true_of_none(running):
    done = query(running.directory, "strain", "--where", "stress > 7")
    assert done.exit_code == 0
    assert "No run meets --where" in done.stderr


def test_an_expression_that_is_none(running):
    done = query(running.directory, "strain", "--where", "stress.real > 7")
    assert done.exit_code == 2
    assert "where: an attribute can't stand here\n  stress.real > 7\n  ^ column 1" in done.stderr


def test_an_unknown_run(running):
    done = query(running.directory, "strain", "--run", "zz")
    assert done.exit_code == 2
    assert "has an id that begins with 'zz'; there are" in done.stderr


@pytest.mark.parametrize("content", [None, b"", b"short, and no checksum"])
def test_a_message_of_damage_names_the_file_and_what_to_do(two, content):
    file, run = two.prepared.store / "creep_fit" / "c.0.0", two.place(0).name
    sound = glasscreep.open(two.directory).table("creep_fit")
    flip(file) if content is None else file.write_bytes(content)
    wrong = (
        f"{file} is cut off" if content == b"" else f"{file}: the bytes do not match their checksum"
    )
    mend = f"Remove runs/{run}/analysis.json, and `glasscreep run` computes it anew"
    said = query(two.directory, "creep_fit").stderr
    assert f"left out: run {run}, array creep_fit is damaged: {wrong}. {mend}\n" in said
    with pytest.raises(DamagedError) as caught:
        glasscreep.open(two.directory).table("creep_fit")
    assert f"{wrong}. {mend}. So much is damaged: 1 of 4 runs" in str(caught.value)
    (two.place(0) / "analysis.json").unlink()
    two.analyse(0)
    assert glasscreep.open(two.directory).table("creep_fit").equals(sound)


def test_a_result_that_was_not_computed(running):
    done = query(running.directory, "rdf")
    assert done.exit_code == 2
    assert 'add "rdf" to analysis.results' in done.stderr


def test_a_later_store(campaign):
    path = campaign.prepared.store / "zarr.json"
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    done = query(campaign.directory, "strain")
    assert done.exit_code == 2
    assert "schema version 9" in done.stderr
    assert "pip install --upgrade glasscreep" in done.stderr


def test_what_is_damaged_is_told_and_the_rest_is_shown(two):
    whole = glasscreep.open(two.directory).table("d2min_20")
    flip(two.prepared.store / "d2min_20" / "c.0.1.0", at=50)
    done = query(two.directory, "d2min_20", "--format", "csv")
    assert done.exit_code == 1
    run = two.place(0).name
    assert f"left out: run {run}, frames 4 to 7, array d2min_20 is damaged" in done.stderr
    assert f"Remove runs/{run}/analysis.json, and `glasscreep run` computes it anew" in done.stderr
    assert "1 of 4 runs left out as damaged; all else is there." in done.stderr
    table = pd.read_csv(io.StringIO(done.stdout))
    rest = whole[whole["run"] != run]
    assert_allclose(table["mean"], rest["mean"], rtol=0)
    assert len(rest) == 11


def test_a_file_that_is_lost_is_told_as_damage(two):
    (two.prepared.store / "d2min_20" / "c.0.1.0").unlink()
    done = query(two.directory, "d2min_20", "--format", "csv")
    assert done.exit_code == 1
    run = two.place(0).name
    assert (
        f"left out: run {run}, frames 4 to 7, array d2min_20: frame 4 is not there" in done.stderr
    )
    assert pd.read_csv(io.StringIO(done.stdout))["run"].unique().tolist() == [two.place(1).name]


def test_damage_is_raised_in_python_unless_it_may_be_skipped(two):
    flip(two.prepared.store / "strain" / "c.0.0")
    flip(two.prepared.store / "box_edges" / "c.1.0.0")
    opened = glasscreep.open(two.directory)
    run = two.place(1).name
    with pytest.raises(
        DamagedError, match=rf"run {run}, frames 0 to 11, array box_edges"
    ) as caught:
        opened.table("strain")
    assert "1 of 4 runs; campaign.table('strain', skip_damaged=True) gives the others" in (
        str(caught.value)
    )
    with pytest.warns(UserWarning, match=f"left out: run {run}"):
        table = opened.table("strain", skip_damaged=True)
    assert table["run"].unique().tolist() == [two.place(0).name]


@pytest.fixture
def may_bind(require, tmp_path):
    require(shutil.which("unshare"), "there is no unshare program")
    trial = ["unshare", "--mount", "mount", "--bind", tmp_path, tmp_path]
    run = subprocess.run(trial, capture_output=True, check=False)
    require(run.returncode == 0, "no right to mount")


@pytest.mark.slow
@pytest.mark.usefixtures("may_bind")
def test_a_read_only_file_system(running, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(running.directory, whole)
    code = (
        "import glasscreep, sys; c = glasscreep.open(sys.argv[1]); "
        "print(c, len(c.runs), len(c.select(where='frames > 0').table('strain')), "
        "float(c['strain'][0, 0]), len(c._repr_html_()))"
    )
    script = (
        'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && ! touch "$1/x" 2>/dev/null '
        '&& "$2" query "$1" d2min_20 --format csv && "$2" query "$1" >/dev/null '
        '&& exec "$3" -W error -c "$4" "$1"'
    )
    words = ["unshare", "--mount", "sh", "-c", script, "-", whole, PROGRAM, sys.executable, code]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = query(running.directory, "d2min_20", "--format", "csv").stdout
    assert done.stdout.startswith(table)
    assert "4: 1 new, 1 partial, 1 done, 1 failed" in done.stdout


def test_an_empty_table_has_its_columns_also_where_the_first_run_is_damaged(two):
    words = (two.directory, "strain", "--where", "stress > 9", "--format", "csv")
    expected = query(*words).stdout
    assert expected.startswith("run,temperature,stress,replica,frame,step,time,")
    for row in range(4):
        two.place(row).mkdir(exist_ok=True)
        (two.place(row) / "manifest.json").write_text("{")
        done = query(*words)
        if row < 3:
            assert (done.exit_code, done.stdout) == (0, expected)
    assert done.exit_code == 1
    told = "no run is chosen, and none is sound to tell the columns of strain by: "
    assert told in done.stderr
