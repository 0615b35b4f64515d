"""A netCDF file has the stored array and its labels, read once, without what is damaged."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from damaging import flip
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign import netcdf_file, stored_values
from glasscreep.campaign.main import app


def query(*words):
    return CliRunner().invoke(app, ["query", *map(str, words)], catch_exceptions=False)


@pytest.mark.parametrize("piece_bytes", [1, 3000, 2**24])
@pytest.mark.parametrize(
    "name",
    ["d2min_20", "creep_fit", "position", "image", "box_edges", "force_evaluations", "state"],
)
def test_netcdf_keeps_all_values_and_labels(running, tmp_path, monkeypatch, name, piece_bytes):
    monkeypatch.setattr(netcdf_file, "CHUNK_BYTES", piece_bytes)
    monkeypatch.setattr(stored_values, "PIECE_BYTES", piece_bytes)
    path = tmp_path / "file.nc"
    done = query(running.directory, name, "--where", "frames > 0", "--output", path)
    assert done.exit_code == 0
    assert f"{path}: {name} of 3 runs" in done.stdout
    expected = glasscreep.open(running.directory).select(where="frames > 0")[name]
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert dataset.attrs["title"] == "filled"
        array = dataset[name].load()
    assert array.dtype == expected.dtype
    xr.testing.assert_equal(array, expected.load())
    assert array.attrs["units"] == expected.attrs["units"]
    assert array.attrs.get("definition") == expected.attrs.get("definition")
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


def test_arrays_of_glasses_are_refused(running, tmp_path):
    done = query(running.directory, "glass_position", "--output", tmp_path / "file.nc")
    assert done.exit_code == 2
    assert "take campaign['glass_position'] in Python" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("strain", ("--where", "stress > 99"), "No run meets --where; without it, `query` shows"),
        ("creep_fit", ("--where", "state == 'partial'"), "creep_fit is not there yet: it is comp"),
        ("position", ("--where", "frames == 1"), "it is computed when a file of frames is full"),
        ("position", ("--where", "state == 'new'"), "No frame of 1 run is committed yet; `query`"),
    ],
)
def test_a_netcdf_file_of_nothing_says_why(running, tmp_path, name, words, told):
    path = tmp_path / "file.nc"
    done = query(running.directory, name, *words, "--output", path)
    assert done.exit_code == 0
    assert told in done.stderr
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert not np.isfinite(dataset[name]).any()


def test_a_netcdf_file_of_something_says_nothing_more(running, tmp_path):
    done = query(running.directory, "creep_fit", "--output", tmp_path / "file.nc")
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_list_is_no_netcdf(running, tmp_path):
    done = query(running.directory, "--output", tmp_path / "list.nc")
    assert done.exit_code == 2
    assert "--format netcdf takes the name of a result" in done.stderr


def test_what_is_damaged_is_left_out_of_a_netcdf_file(two, tmp_path):
    flip(two.prepared.store / "d2min_20" / "c.0.1.0", at=50)
    path = tmp_path / "d2min.nc"
    done = query(two.directory, "d2min_20", "--output", path)
    assert done.exit_code == 1
    assert f"left out: run {two.place(0).name}, frames 4 to 7, array d2min_20" in done.stderr
    assert "d2min_20 of 3 runs" in done.stdout
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert dataset["run"].to_numpy().tolist() == [1, 2, 3]
        assert_array_equal(dataset["d2min_20"][0], two.open_array("d2min_20")[1])


def test_a_lost_file_is_left_out_of_a_netcdf_file_too(two, tmp_path):
    (two.prepared.store / "d2min_20" / "c.0.1.0").unlink()
    path = tmp_path / "d2min.nc"
    done = query(two.directory, "d2min_20", "--output", path)
    assert done.exit_code == 1
    assert f"left out: run {two.place(0).name}, frames 4 to 7, array d2min_20: frame 4 is not" in (
        done.stderr
    )
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert dataset["run"].to_numpy().tolist() == [1, 2, 3]


def test_a_lost_file_of_positions_is_left_out_of_a_netcdf_file_too(two, tmp_path):
    (two.prepared.store / "position" / "c.1.0.0.0").unlink()
    done = query(two.directory, "position", "--output", tmp_path / "position.nc")
    assert done.exit_code == 1
    assert f"left out: run {two.place(1).name}, frames 0 to 3, array position: frame 0" in (
        done.stderr
    )
    with xr.open_dataset(tmp_path / "position.nc", engine="h5netcdf") as dataset:
        assert dataset["run"].to_numpy().tolist() == [0, 2, 3]


def test_a_run_that_proves_damaged_late_leaves_nothing_of_itself_in_a_netcdf_file(two, tmp_path):
    """All but its last frames are written by then."""
    flip(two.prepared.store / "d2min_20" / "c.1.2.0", at=50)
    path = tmp_path / "d2min.nc"
    done = query(two.directory, "d2min_20", "--output", path)
    assert done.exit_code == 1
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        assert dataset["run"].to_numpy().tolist() == [0, 2, 3]
        assert dataset["id"].to_numpy().tolist() == [two.place(row).name for row in (0, 2, 3)]
        assert dataset["replica"].to_numpy().tolist() == [0, 1, 1]
        assert_array_equal(dataset["d2min_20"][0], two.open_array("d2min_20")[0])
        assert np.isnan(dataset["d2min_20"][1:]).all()


def test_lost_scalars_of_frames_are_left_out_of_a_netcdf_file_too(two, tmp_path):
    (two.prepared.store / "potential_energy" / "c.0.0").unlink()
    done = query(two.directory, "potential_energy", "--output", tmp_path / "energy.nc")
    assert done.exit_code == 1
    assert "array potential_energy: frame 0 is not there; its file is lost" in done.stderr


READING_ONCE = """
import sys
from collections import Counter
from typer.testing import CliRunner
from glasscreep.campaign.main import app

directory, name, output = sys.argv[1:]
opened = Counter()

def watch(event, arguments):
    if event == "open" and f"/{name}/c." in str(arguments[0]):
        opened[str(arguments[0])] += 1

sys.addaudithook(watch)
done = CliRunner().invoke(app, ["query", directory, name, "--output", output])
assert done.exit_code == 0, done.output
for file, times in opened.items():
    print(times, file)
"""
"""In a process of its own: what watches can't be taken off again."""


def test_each_file_is_read_once_for_a_netcdf_file(two, tmp_path):
    name = "d2min_20"
    command = [sys.executable, "-c", READING_ONCE, two.directory, name, tmp_path / "d2min.nc"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    opened = {file: int(times) for times, file in map(str.split, done.stdout.splitlines())}
    there = {str(file) for file in (two.prepared.store / name).glob("c.*")}
    # Once for the index of a file, which tells what it holds, and once for what it holds.
    assert there == {file for file in opened if Path(file).exists()}
    assert max(opened.values()) <= 2
