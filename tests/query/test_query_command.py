"""`glasscreep query`: what it prints, lists and writes."""

import contextlib
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign import sampling, table_files
from glasscreep.campaign.main import app
from glasscreep.campaign.result_list import list_results
from glasscreep.campaign.table_files import ENDS_SHOWN, render_on_terminal

PROGRAM = Path(sys.executable).with_name("glasscreep")


def query(*words):
    return CliRunner().invoke(app, ["query", *map(str, words)], catch_exceptions=False)


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
    monkeypatch.setattr(sampling, "EXACT_RUNS", 2)
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


def test_a_file_is_replaced_only_if_told_to(running, tmp_path):
    for name in ("kept.csv", "kept.nc", "kept.parquet"):
        path = tmp_path / name
        path.write_text("mine")
        refused = query(running.directory, "strain", "--output", path)
        assert refused.exit_code == 2
        assert f"{path} is there already. Give another --output, or --overwrite" in refused.stderr
        assert path.read_text() == "mine"
        assert query(running.directory, "strain", "--output", path, "--overwrite").exit_code == 0
        assert path.read_bytes() != b"mine"
    assert sorted(os.listdir(tmp_path)) == ["kept.csv", "kept.nc", "kept.parquet"]


@pytest.mark.parametrize("form", ["parquet", "netcdf"])
def test_files_need_a_name(running, form):
    done = query(running.directory, "strain", "--format", form)
    assert done.exit_code == 2
    assert f"--format {form} is no text to print: name a file with --output FILE" in done.stderr


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
    assert done.exit_code == 2
    assert f"takes the package {package}, which is not installed" in done.stderr
    assert "`pip install 'glasscreep[tables]'`" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_place_that_is_not_there(running, tmp_path):
    for name in ("file.csv", "file.nc"):
        done = query(running.directory, "strain", "--output", tmp_path / "missing" / name)
        assert done.exit_code == 2
        assert f"there is no folder {tmp_path}/missing. Make it first" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "c.xlsx"], "a table must end in one of .txt, .csv, .json, .parquet, .nc"),
        (["--output", "c"], "a table must end in one of .txt, .csv, .json, .parquet, .nc"),
        (["--output", "c.nc", "--format", "csv"], "a file of --format csv must end in .csv, as"),
        (["--output", "c.csv", "--format", "table"], "of --format table must end in .txt, as"),
        (["--output", "c.csv", "--format", "netcdf"], "of --format netcdf must end in .nc, as"),
    ],
)
def test_a_file_is_called_after_its_format(running, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    for result in (["strain"], ["potential_energy"]):
        done = query(running.directory, *result, *words)
        assert done.exit_code == 2, done.output
        assert said in done.stderr
    assert os.listdir(tmp_path) == []


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


@pytest.mark.slow
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


def test_help_has_examples():
    done = query("--help")
    assert "glasscreep query demo creep_fit --where" in done.stdout
    assert "--run" in done.stdout
