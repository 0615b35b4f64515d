"""The commands, as a user gives them, on real glasses."""

import json
import os
import shutil
import socket
import subprocess

import numpy as np
import pytest

import glasscreep as package

pytestmark = pytest.mark.slow

STEPS = 200


@pytest.fixture(scope="module")
def done(undisturbed):
    return package.open(undisturbed)


def test_every_frame_is_relaxed_and_every_array_filled(done):
    assert done.runs["state"].tolist() == ["done"] * 4
    dataset = done.dataset
    assert float(dataset.stress_residual.max()) <= 1e-6
    assert float(dataset.force_residual.max()) <= 1e-5
    for name in ("position", "image", "strain", "strain_loaded", "creep_fit"):
        assert np.isfinite(dataset[name]).all(), name
    d2min = dataset.d2min_50
    assert np.isfinite(d2min.isel(frame=slice(None, -1))).all()
    assert np.isnan(d2min.isel(frame=-1)).all()


def test_strain_is_that_of_the_boxes(done):
    length = done.dataset.box_edges.sel(dim="z")
    start = done.dataset.glass_box_edges.sel(dim="z").isel(glass=done.dataset.glass_row)
    np.testing.assert_allclose(done.dataset.strain, 1 - length / start, rtol=0, atol=1e-15)


def test_a_second_run_does_nothing_and_says_so(glasscreep, undisturbed):
    again = shutil.copytree(undisturbed, glasscreep.folder / "small")
    result = glasscreep("run", glasscreep.write(steps=STEPS))
    assert result.returncode == 0
    assert "nothing to do" in result.stdout
    glasscreep.assert_same_store(again, undisturbed)


def test_an_extended_campaign_does_only_what_is_new(glasscreep, undisturbed):
    directory = shutil.copytree(undisturbed, glasscreep.folder / "small")
    before = {
        path.parent.name: path.read_bytes() for path in directory.glob("runs/*/manifest.json")
    }
    result = glasscreep("run", glasscreep.write(steps=STEPS, stress="[0.5, 0.6]"))
    assert result.returncode == 0, result.stdout + result.stderr
    after = {path.parent.name: path.read_bytes() for path in directory.glob("runs/*/manifest.json")}
    assert len(after) == 2 * len(before)
    assert {name: after[name] for name in before} == before


def test_more_steps_equal_a_longer_campaign_from_the_start(glasscreep, undisturbed):
    extended = shutil.copytree(undisturbed, glasscreep.folder / "small")
    longer = glasscreep.write(steps=300)
    assert glasscreep("run", longer).returncode == 0
    assert glasscreep("run", longer, "--dir", "at-once").returncode == 0
    ours, theirs = (
        package.open(place).dataset for place in (extended, glasscreep.folder / "at-once")
    )
    for name in ours.data_vars:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_changed_physics_is_refused_naming_the_key(glasscreep, undisturbed):
    directory = shutil.copytree(undisturbed, glasscreep.folder / "small")
    file = glasscreep.write(steps=STEPS)
    file.write_text(file.read_text().replace("melt_steps = 200", "melt_steps = 300"))
    result = glasscreep("run", file)
    assert result.returncode == 2
    assert "glass.melt_steps" in result.stderr
    glasscreep.assert_same_store(directory, undisturbed)


def test_a_bad_file_makes_nothing(glasscreep):
    file = glasscreep.write(steps=STEPS)
    file.write_text(file.read_text().replace("melt_steps", "melt_stepps"))
    result = glasscreep("run", file)
    assert result.returncode == 2
    assert "melt_steps" in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(os.listdir(glasscreep.folder)) == ["small.toml"]


def test_a_second_driver_is_refused_by_name(glasscreep):
    file, directory = glasscreep.write(steps=STEPS), glasscreep.folder / "small"
    with glasscreep.started("run", file) as driver:
        glasscreep.until((directory / "status.json").exists)
        second = glasscreep("run", file)
        status = glasscreep("status", directory)
    assert second.returncode == 2
    assert f"process {driver.pid} on {socket.gethostname()}" in second.stderr
    assert f"process {driver.pid}" in status.stdout


def test_a_diverging_run_fails_alone_and_is_not_tried_again(glasscreep):
    file = glasscreep.write(stress="[0.5, 1e6]", steps=100)
    first = glasscreep("run", file)
    assert first.returncode == 1
    runs = package.open(glasscreep.folder / "small").runs
    assert set(runs.loc[runs.stress == 1e6, "state"]) == {"failed"}
    assert set(runs.loc[runs.stress == 0.5, "state"]) == {"done"}
    assert "diverged" in first.stdout
    for run in runs.loc[runs.state == "failed", "id"]:
        kept = json.loads((glasscreep.folder / "small/runs" / run / "failure.json").read_text())
        assert kept["kind"] == "diverged"
        assert kept["log_tail"]
    again = glasscreep("run", file)
    assert again.returncode == 1
    assert "diverged" in again.stdout
    assert "nothing to do" in again.stdout


def test_a_full_disk_stops_the_campaign_and_room_lets_it_go_on(glasscreep, undisturbed, require):
    disk, file = glasscreep.folder / "disk", glasscreep.write(steps=STEPS)
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk],
        check=False,
        capture_output=True,
        text=True,
    )
    require(mounted.returncode == 0, f"mounting a small disk takes root: {mounted.stderr}")
    try:
        full = glasscreep("run", file, "--dir", disk / "small")
        assert full.returncode == 1, full.stdout + full.stderr
        said = full.stdout + full.stderr
        assert "No space left on device" in said
        assert str(disk / "small") in said
        assert "Traceback" not in said
        subprocess.run(["mount", "-o", "remount,size=64M", disk], check=True)
        assert glasscreep("run", file, "--dir", disk / "small").returncode == 0
        glasscreep.assert_same_store(disk / "small", undisturbed)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("damage", ["flip a bit", "remove"])
def test_a_damaged_result_is_named_and_can_be_made_anew(glasscreep, undisturbed, damage):
    directory = shutil.copytree(undisturbed, glasscreep.folder / "small")
    file, chunk = glasscreep.write(steps=STEPS), directory / "store.zarr/strain/c.1.0"
    if damage == "remove":
        chunk.unlink()
    else:
        chunk.write_bytes(bytes([chunk.read_bytes()[0] ^ 1]) + chunk.read_bytes()[1:])
    run = package.open(directory).runs["id"][1]
    damaged = glasscreep("run", file)
    assert damaged.returncode == 1
    assert f"run {run}, array strain is damaged" in damaged.stderr
    assert "Traceback" not in damaged.stderr
    (directory / "runs" / run / "analysis.json").unlink()
    assert glasscreep("run", file).returncode == 0
    glasscreep.assert_same_store(directory, undisturbed)


def test_query_prints_the_strain_of_a_point(glasscreep, undisturbed, done):
    result = glasscreep(
        "query", undisturbed, "strain", "--temperature", "0.1", "--stress", "0.5", "--format", "csv"
    )
    assert result.returncode == 0
    header, *lines = result.stdout.splitlines()
    assert header == "run,temperature,stress,replica,frame,step,time,value"
    rows = np.flatnonzero(done.runs["temperature"] == 0.1)
    values = [float(line.split(",")[-1]) for line in lines]
    np.testing.assert_array_equal(values, done.dataset.strain.isel(run=rows).to_numpy().ravel())
