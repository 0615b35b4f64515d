"""`glasscreep query`: its formats and files, and what it says where the road ends."""

import contextlib
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign import netcdf_file, result_list, table_files
from glasscreep.campaign.main import app
from glasscreep.campaign.result_list import list_results
from glasscreep.campaign.table_files import ENDS_SHOWN, render_on_terminal
from glasscreep.tasks.errors import DamagedError

PROGRAM = Path(sys.executable).with_name("glasscreep")


def query(*words):
    return CliRunner().invoke(app, ["query", *map(str, words)], catch_exceptions=False)


def damage(path):
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(data)


@pytest.fixture
def two(campaign):
    """Give a campaign with two runs of all frames, analysed."""
    for row in (0, 1):
        campaign.write(row, 12)
        campaign.analyse(row)
    return campaign


def test_csv_of_chosen_runs(running):
    done = query(running.directory, "strain", "--where", "temperature == 0.1", "--format", "csv")
    assert done.exit_code == 0
    table = pd.read_csv(io.StringIO(done.stdout))
    expected = glasscreep.open(running.directory).select(temperature=0.1).table("strain")
    assert_array_equal(table["value"], expected["value"])


def test_one_run_by_the_beginning_of_its_id(running):
    name = running.place(1).name
    done = query(running.directory, "strain", "--run", name[:12], "--format", "csv")
    assert pd.read_csv(io.StringIO(done.stdout))["run"].unique().tolist() == [name]


def test_a_list_of_the_results_there_are(running):
    done = query(running.directory)
    assert done.exit_code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "length^2" in lines["d2min_20"]
    assert "non-affine squared displacement over 20 steps: D2min from this" in lines["d2min_20"]
    assert "11/44 frames" in lines["d2min_20"]  # 11 of each run at most
    assert "18/48 frames" in lines["strain"]
    assert "1/4 runs" in lines["creep_fit"]
    assert all(len(line) <= 160 for line in lines.values())
    csv = query(running.directory, "--format", "csv", "--temperature", "0.3")
    table = pd.read_csv(io.StringIO(csv.stdout)).set_index("result")
    assert table.loc["strain", "computed"] == "5/24 frames"
    assert table.loc["creep_fit", "computed"] == "0/2 runs"


def test_of_many_runs_the_list_tells_shares(running, monkeypatch):
    monkeypatch.setattr(result_list, "EXACT_RUNS", 2)
    table = list_results(glasscreep.open(running.directory)).set_index("result")
    assert table.loc["d2min_20", "computed"] == "about 50% of frames"  # of runs 0 and 2
    assert table.loc["creep_fit", "computed"] == "about 50% of runs"


@pytest.mark.parametrize("name", ["strain.csv", "strain.json", "strain.txt"])
def test_text_is_written_to_a_file(running, tmp_path, name):
    path = tmp_path / name
    done = query(running.directory, "strain", "--output", path)
    assert done.exit_code == 0
    assert f"{path}: 18 rows" in done.stdout
    form = {"csv": "csv", "json": "json", "txt": "table"}[path.suffix[1:]]
    assert path.read_text() == query(running.directory, "strain", "--format", form).stdout
    assert os.listdir(tmp_path) == [name]


def test_parquet_keeps_values_and_units(running, tmp_path):
    path = tmp_path / "d2min.parquet"
    assert query(running.directory, "d2min_20", "--output", path).exit_code == 0
    table = pd.read_parquet(path)
    expected = glasscreep.open(running.directory).table("d2min_20")
    pd.testing.assert_frame_equal(table, expected)
    assert table.attrs["units"] == "length^2"
    assert table.attrs["parameters"] == {"cutoff": 2.5}


@pytest.mark.parametrize("piece_bytes", [1, 3000, 2**24])
@pytest.mark.parametrize("name", ["d2min_20", "creep_fit", "position", "box_edges"])
def test_netcdf_keeps_all_values_and_labels(running, tmp_path, monkeypatch, name, piece_bytes):
    monkeypatch.setattr(netcdf_file, "PIECE_BYTES", piece_bytes)
    path = tmp_path / "file.nc"
    done = query(running.directory, name, "--where", "frames > 0", "--output", path)
    assert done.exit_code == 0
    assert f"{path}: {name} of 3 runs" in done.stdout
    expected = glasscreep.open(running.directory).select(where="frames > 0")[name]
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert dataset.attrs["title"] == "filled"
        array = dataset[name].load()
    xr.testing.assert_equal(array, expected.load())
    assert array.attrs["units"] == expected.attrs["units"]
    assert array.attrs["definition"] == expected.attrs["definition"]
    assert array["temperature"].attrs["units"] == "energy"
    parameters = expected.attrs.get("parameters")
    assert parameters is None or json.loads(array.attrs["parameters"]) == parameters


def test_netcdf_that_the_disk_has_no_room_for_is_refused_with_its_size(
    running, tmp_path, monkeypatch
):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    done = query(running.directory, "d2min_20", "--output", tmp_path / "file.nc")
    assert done.exit_code == 1
    assert "would take 7.68e-05 GB, and its disk has 1e-06 GB left: 4 (run) x 12 (frame)" in (
        done.stderr
    )


def test_a_file_is_replaced_only_if_told_to(running, tmp_path):
    for name in ("kept.csv", "kept.nc", "kept.parquet"):
        path = tmp_path / name
        path.write_text("mine")
        refused = query(running.directory, "strain", "--output", path)
        assert refused.exit_code == 1
        assert f"{path} is there already. Give another --output, or --force" in refused.stderr
        assert path.read_text() == "mine"
        assert query(running.directory, "strain", "--output", path, "--force").exit_code == 0
        assert path.read_bytes() != b"mine"
    assert sorted(os.listdir(tmp_path)) == ["kept.csv", "kept.nc", "kept.parquet"]


@pytest.mark.parametrize("form", ["parquet", "netcdf"])
def test_files_need_a_name(running, form):
    done = query(running.directory, "strain", "--format", form)
    assert done.exit_code == 1
    assert f"--format {form} is no text to print: name a file with --output FILE" in done.stderr


def test_the_list_is_no_netcdf(running, tmp_path):
    done = query(running.directory, "--output", tmp_path / "list.nc")
    assert done.exit_code == 1
    assert "--format netcdf takes the name of a result" in done.stderr


def test_a_reader_that_goes_away_is_no_error(two):
    words = [PROGRAM, "query", two.directory, "d2min_20", "--format", "csv"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


@pytest.mark.parametrize(("form", "package"), [("parquet", "pyarrow"), ("netcdf", "h5netcdf")])
def test_a_missing_package_is_told_with_its_command(running, tmp_path, monkeypatch, form, package):
    there = table_files.find_spec
    monkeypatch.setattr(
        table_files, "find_spec", lambda name: None if name == package else there(name)
    )
    done = query(running.directory, "strain", "--format", form, "--output", tmp_path / "file")
    assert done.exit_code == 1
    assert f"takes the package {package}, which is not installed" in done.stderr
    assert "`pip install 'glasscreep[tables]'`" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_place_that_is_not_there(running, tmp_path):
    for name in ("file.csv", "file.nc"):
        done = query(running.directory, "strain", "--output", tmp_path / "missing" / name)
        assert done.exit_code == 1
        assert f"could not write {tmp_path}/missing/{name}: No such file" in done.stderr


def test_long_tables_are_shortened_on_a_terminal():
    table = pd.DataFrame({"run": "0123456789abcdef", "value": np.arange(1000.0)})
    lines = render_on_terminal(table, 80).splitlines()
    assert len(lines) == 2 * ENDS_SHOWN + 3
    assert lines[1].split()[-1] == "0"
    assert lines[1 + ENDS_SHOWN] == "  ... 960 rows ..."
    assert lines[-2].split()[-1] == "999"
    assert lines[-1] == "1,000 rows, 960 of them left out here; --output FILE has them all"
    short = render_on_terminal(table[:30], 80)
    assert len(short.splitlines()) == 31


def test_wide_tables_are_folded_on_a_terminal():
    table = pd.DataFrame({f"column_{at}": np.arange(3) for at in range(20)})
    lines = render_on_terminal(table, 60).splitlines()
    assert all(len(line) <= 62 for line in lines)
    assert {f"column_{at}" for at in range(20)} <= set(" ".join(lines).split())


def test_a_terminal_gets_the_short_table_and_a_pipe_all_of_it(two):
    words = [PROGRAM, "query", two.directory, "dynamic_stress"]
    piped = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert len(piped.splitlines()) == 25
    leader, follower = pty.openpty()
    process = subprocess.Popen(words, stdout=follower, env={**os.environ, "COLUMNS": "60"})
    os.close(follower)
    with open(leader, closefd=False) as terminal:
        shown: list[str] = []
        with contextlib.suppress(OSError):  # Linux tells so that the other end is closed
            shown.extend(terminal)
    os.close(leader)
    assert process.wait() == 0
    assert len(shown) > 26  # folded
    assert max(map(len, shown)) <= 64


def test_what_is_no_campaign(tmp_path):
    done = query(tmp_path, "strain")
    assert done.exit_code == 1
    assert "is not a campaign: it has no store.zarr in it. Give the directory" in done.stderr


def test_a_campaign_that_has_no_store_yet(running, tmp_path):
    shutil.copy(running.directory / "campaign.json", tmp_path)
    done = query(tmp_path, "strain")
    assert done.exit_code == 1
    assert "is a campaign that has no store.zarr yet: it has only just been begun" in done.stderr
    assert f"`glasscreep status {tmp_path}`" in done.stderr


def test_a_campaign_without_frames_tells_how_far_it_is(campaign):
    snapshot = campaign.directory / "status.json"
    content = {
        "schema": 1, "campaign": "filled", "phase": "running", "host": "here", "pid": 1,
        "started": "2026-01-01T00:00:00+00:00", "updated": "2026-01-01T00:00:10+00:00",
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
    assert done.exit_code == 1
    assert "--where: an attribute can't stand here\n  stress.real > 7\n  ^ column 1" in done.stderr


def test_an_unknown_run(running):
    done = query(running.directory, "strain", "--run", "zz")
    assert done.exit_code == 2
    assert "has an id that begins with 'zz'; there are" in done.stderr


def test_a_result_that_was_not_computed(running):
    done = query(running.directory, "rdf")
    assert done.exit_code == 1
    assert 'add "rdf" to analysis.results' in done.stderr


def test_a_later_store(campaign):
    path = campaign.prepared.store / "zarr.json"
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    done = query(campaign.directory, "strain")
    assert done.exit_code == 1
    assert "schema version 9" in done.stderr
    assert "pip install --upgrade glasscreep" in done.stderr


def test_what_is_damaged_is_told_and_the_rest_is_shown(two):
    whole = glasscreep.open(two.directory).table("d2min_20")
    damage(two.prepared.store / "d2min_20" / "c.0.1.0")
    done = query(two.directory, "d2min_20", "--format", "csv")
    assert done.exit_code == 1
    run = two.place(0).name
    assert f"left out: run {run}, frames 4 to 7, array d2min_20 is damaged" in done.stderr
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


def test_what_is_damaged_is_left_out_of_a_netcdf_file(two, tmp_path):
    damage(two.prepared.store / "d2min_20" / "c.0.1.0")
    path = tmp_path / "d2min.nc"
    done = query(two.directory, "d2min_20", "--output", path)
    assert done.exit_code == 1
    assert f"left out: run {two.place(0).name}, frames 4 to 7, array d2min_20" in done.stderr
    assert "d2min_20 of 3 runs" in done.stdout
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert dataset["run"].to_numpy().tolist() == [1, 2, 3]
        assert_array_equal(dataset["d2min_20"][0], two.open_array("d2min_20")[1])


def test_damage_is_raised_in_python_unless_it_may_be_skipped(two):
    damage(two.prepared.store / "strain" / "c.0.0")
    damage(two.prepared.store / "box_edges" / "c.1.0.0")
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


def test_help_has_examples():
    done = query("--help")
    assert "glasscreep query demo creep_fit --where" in done.stdout
    assert "--run" in done.stdout
