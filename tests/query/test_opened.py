"""A campaign can be opened and read while it runs."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import glasscreep
from glasscreep.campaign.opened import OpenedCampaign
from glasscreep.tasks.errors import GlasscreepError
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.store import Glass, write_glass, write_run_table


def test_runs_are_told_with_how_far_they_are(running):
    runs = glasscreep.open(running.directory).runs
    assert runs["state"].tolist() == ["done", "partial", "failed", "new"]
    assert runs["frames"].tolist() == [12, 5, 1, 0]
    assert runs["frames_stored"].tolist() == [12, 4, 0, 0]
    assert runs["unrelaxed"].tolist() == [1, 1, 0, 0]
    assert runs["temperature"].tolist() == [0.1, 0.3, 0.1, 0.3]
    assert runs["stress"].unique().tolist() == [0.5]
    assert runs["replica"].tolist() == [0, 0, 1, 1]
    assert runs["id"].tolist() == [run.id for run in running.prepared.runs]
    assert runs.index.name == "run"


def test_dataset_is_lazy_and_has_its_coordinates(running):
    dataset = glasscreep.open(str(running.directory)).dataset
    for name in ("temperature", "stress", "replica", "step", "time"):
        assert name in dataset.coords
    assert dataset.position.chunks is None
    assert not dataset.position.variable._in_memory
    warm = dataset.isel(run=dataset.temperature == 0.3)
    assert warm.sizes["run"] == 2


def test_dataset_shows_lengths_and_nan_where_nothing_is_written(running):
    dataset = glasscreep.open(running.directory).dataset
    stored = dataset.position.isel(run=1)
    assert np.isfinite(stored.isel(frame=slice(4))).all()
    assert np.isnan(stored.isel(frame=slice(4, None))).all()
    inside = (stored.isel(frame=0) >= 0) & (
        stored.isel(frame=0) <= dataset.box_edges.isel(run=1, frame=0)
    )
    assert inside.all()
    assert np.isfinite(dataset.box_edges.isel(run=1, frame=slice(5))).all()
    assert np.isnan(dataset.strain.isel(run=3)).all()


def test_of_each_run_the_glass_is_given_that_it_starts_from(campaign):
    other, store = 0.9 * campaign.frames.position[0], campaign.prepared.store
    scratch = Scratch(campaign.directory, 1)
    write_glass(store, 1, Glass(other, campaign.frames.box[0], -7.1, np.ones(6)), scratch)
    opened = glasscreep.open(campaign.directory)
    assert opened["glass_potential_energy"].values.tolist() == [-7.4, -7.4, -7.1, -7.1]
    position = opened.select(temperature=0.3)["glass_position"]
    assert not position.variable._in_memory
    assert position["replica"].values.tolist() == [0, 1]
    np.testing.assert_allclose(position[0], campaign.frames.position[0], atol=1e-9)
    np.testing.assert_allclose(position[1], other, atol=1e-9)
    assert (opened["position"] - opened["glass_position"]).dims[0] == "run"
    assert opened["glass_box_edges"].dims == ("run", "dim")
    assert opened["glass_stress"].dims == ("run", "component")


def test_each_look_is_new(campaign):
    opened = glasscreep.open(campaign.directory)
    assert opened.runs["frames"].tolist() == [0, 0, 0, 0]
    campaign.write(0, 2)
    assert opened.runs["frames"].tolist() == [2, 0, 0, 0]
    assert np.isfinite(opened.dataset.potential_energy[0, :2]).all()


def test_rows_of_no_run_are_left_out(campaign):
    table = campaign.prepared.table
    write_run_table(campaign.prepared.store, replace(table, glass_row=[0, 0, -1, 1]))
    opened = glasscreep.open(campaign.directory)
    assert opened.runs.index.tolist() == [0, 1, 3]
    assert opened["strain"]["run"].to_numpy().tolist() == [0, 1, 3]


def test_a_damaged_manifest_fails_its_run_alone(campaign):
    campaign.write(0, 2)
    campaign.write(1, 2)
    path = campaign.place(1) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"frames": 2', b'"frames": 3'))
    assert glasscreep.open(campaign.directory).runs["state"].tolist()[:2] == ["partial", "failed"]


def tree_of(directory):
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


def test_nothing_is_written(running):
    before = tree_of(running.directory)
    opened = glasscreep.open(running.directory)
    _ = opened.runs
    opened.dataset.strain.load()
    assert tree_of(running.directory) == before


def test_a_directory_that_may_not_be_written_to(campaign, monkeypatch):
    campaign.write(0, 2)
    for path in [campaign.directory, *campaign.directory.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    opened_to_write = []

    def watch(event, arguments):
        inside = event == "open" and str(arguments[0]).startswith(str(campaign.directory))
        if inside and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            opened_to_write.append(arguments[0])

    sys.addaudithook(watch)  # root may write anywhere: look at what is tried
    opened = glasscreep.open(campaign.directory)
    assert opened.runs["frames"].tolist() == [2, 0, 0, 0]
    assert np.isfinite(opened.dataset.box_edges[0, 1]).all()
    assert opened_to_write == []
    for path in [campaign.directory, *campaign.directory.rglob("*")]:
        path.chmod(0o755)


def test_what_is_not_a_campaign_is_refused(tmp_path):
    with pytest.raises(GlasscreepError, match=r"missing is not a campaign: it is not a directory"):
        glasscreep.open(tmp_path / "missing")
    with pytest.raises(GlasscreepError, match=r"it has no store.zarr in it\. Give the directory"):
        glasscreep.open(tmp_path)


def test_importing_the_package_stays_light():
    code = "import sys, glasscreep; print(sorted({'numpy', 'xarray', 'dask'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert glasscreep.open.__module__ == OpenedCampaign.__module__
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = glasscreep.opne
