"""A store is made and extended as a whole, and reads with plain xarray."""

import itertools
import json
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import small_campaign as small
import xarray as xr
import zarr
from processes import CRASHED

from glasscreep.tasks.codec import RESOLUTION
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.glasses import Glass, read_glass, read_glass_box, write_glass
from glasscreep.tasks.layout import INDEX
from glasscreep.tasks.provenance import read_segments, record_segment
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.run_columns import read_run_table
from glasscreep.tasks.scratch import Scratch
from glasscreep.tasks.store import (
    RunTable,
    StoreShape,
    create_store,
    write_run_table,
)

FRAMES = 5
FIXED = ("species", "particle_id", "dim", "tilt", "component", "fit_parameter", "step", "time")


@pytest.fixture
def campaign(memory):
    return small.create(memory / "campaign", FRAMES)


def assert_table(campaign, runs):
    table, expected = read_run_table(small.store_of(campaign)), small.run_table(runs)
    assert table.run_id == expected.run_id
    for name in ("temperature", "stress", "replica", "seed", "glass_row"):
        np.testing.assert_array_equal(getattr(table, name), getattr(expected, name))


def test_plain_xarray_shows_lengths_and_nan(campaign):
    small.write_run(campaign, 1, attempt=1, frames=3)
    dataset = xr.open_zarr(small.store_of(campaign))
    assert dict(dataset.sizes) == {
        "run": small.RUNS,
        "frame": FRAMES,
        "particle": small.PARTICLES,
        "dim": 3,
        "tilt": 3,
        "component": 6,
        "glass": small.GLASSES,
        "fit_parameter": 4,
    }
    assert set(dataset.coords) >= {"run_id", "temperature", "stress", "replica", "step", "time"}
    assert dataset.position.dtype == np.float64
    assert dataset.position.attrs["units"] == "length"
    run = dataset.isel(run=1)
    assert str(run.run_id.values) == small.run_id(1)
    assert float(run.temperature) == 0.11
    for frame in range(3):
        record = small.record(1, frame)
        shown = run.isel(frame=frame)
        unwrapped = shown.position + shown.image * record.box_edges
        expected = record.position + record.image * record.box_edges
        np.testing.assert_allclose(unwrapped, expected, rtol=0, atol=RESOLUTION)
        assert int(shown.force_evaluations) == record.force_evaluations
        assert int(shown.step) == (frame + 1) * small.FRAME_INTERVAL
    for name in ("position", "image", "box_edges", "potential_energy", "force_evaluations"):
        assert run[name].isel(frame=slice(3, None)).isnull().all()
        assert dataset[name].isel(run=0).isnull().all()
    assert dataset.strain.isnull().all()
    assert dataset[f"d2min_{small.D2MIN_INTERVALS[0]}"].isnull().all()
    assert dataset.glass_position.isnull().all()
    assert dataset.isel(run=(dataset.stress > 0.55).values).sizes["run"] == 2


def test_every_array_says_what_it_is(campaign):
    dataset = xr.open_zarr(small.store_of(campaign), chunks=None)
    for array in dataset.variables.values():
        assert array.attrs["units"]
        assert array.attrs["long_name"]
    assert dataset.attrs["title"] == "small"
    assert dataset.attrs["schema_version"] == 2


def test_every_chunk_has_a_checksum(campaign):
    for name, array in zarr.open_group(small.store_of(campaign), mode="r").arrays():
        codecs = array.metadata.to_dict()["codecs"]
        while codecs[-1]["name"] == "sharding_indexed":
            assert codecs[-1]["configuration"]["index_codecs"][-1]["name"] == "crc32c"
            codecs = codecs[-1]["configuration"]["codecs"]
        assert codecs[-1]["name"] == "crc32c", name


def test_a_store_that_exists_is_not_made_again(campaign):
    with pytest.raises(FileExistsError, match=r"store\.zarr exists already"):
        small.create(campaign, FRAMES)


def test_there_is_no_store_where_none_was_made(tmp_path):
    with pytest.raises(DamagedError, match="no frame store at"):
        FrameReader(tmp_path / "store.zarr")


def test_a_table_of_the_wrong_length_is_refused(campaign):
    with pytest.raises(
        ValueError, match=r"run_id has \(4,\) values, the store has room for \(3,\)"
    ):
        write_run_table(small.store_of(campaign), small.run_table(4))


@pytest.mark.slow
def test_a_kill_leaves_no_half_store(memory, processes):
    whole = small.create(memory / "whole", FRAMES)
    made = []
    for at in itertools.count(1, step=5):
        campaign = memory / "campaign"
        campaign.mkdir()
        status = processes.run("create", campaign, frames=FRAMES, at=at)
        if small.store_of(campaign).exists():
            made.append(at)
            FrameReader(small.store_of(campaign))
            write_run_table(small.store_of(campaign), small.run_table(small.RUNS))
        else:
            small.create(campaign, FRAMES)
        small.assert_same_arrays(campaign, whole)
        assert small.files_of(campaign) == small.files_of(whole)
        shutil.rmtree(campaign)
        if status != CRASHED:
            break
    assert made[0] > 50


def test_a_hundred_thousand_runs_are_planned_in_few_files(tmp_path):
    runs, frames = 100_000, 1000
    rows = np.arange(runs)
    table = RunTable([f"{row:016x}" for row in rows], rows * 1e-6, rows * 1.0, rows, rows, rows)
    create_store(
        tmp_path / "store.zarr",
        StoreShape(runs, frames, 10_000, 1000),
        {},
        np.ones(10_000, np.uint8),
        np.arange(frames),
        np.arange(frames) * 0.01,
        small.results(10_000, (10, 100)),
    )
    write_run_table(tmp_path / "store.zarr", table)
    written = [path.parent.name for path in (tmp_path / "store.zarr").glob("*/c.*")]
    assert max(Counter(written).values()) == 7  # a file for 16,384 runs, and none for each
    assert set(written) == {*RunTable.__slots__, *INDEX, *FIXED}
    assert read_run_table(tmp_path / "store.zarr").run_id[-1] == table.run_id[-1]


def test_frames_added_equal_frames_written_in_one_go(memory):
    """The first frames end inside a shard of each kind, which the rest then fills."""
    whole = small.create(memory / "whole", 11, runs=4)
    small.write_run(whole, 1, attempt=1, frames=11)
    small.write_run(whole, 3, attempt=1, frames=11)
    for first in (1, 3, 4, 5):
        campaign = small.create(memory / f"first-{first}", first)
        small.write_run(campaign, 1, attempt=1, frames=first)
        assert FrameReader(small.store_of(campaign)).manifest(1).done
        small.extend(campaign, 11, runs=4)
        small.write_run(campaign, 1, attempt=2, frames=11)
        small.write_run(campaign, 3, attempt=1, frames=11)
        assert small.arrays_of(campaign) == small.arrays_of(whole)
        assert_table(campaign, 4)
        assert xr.open_zarr(small.store_of(campaign)).sizes["frame"] == 11


def test_a_run_that_ends_before_the_others_may_go_on(memory):
    whole, campaign = (small.create(memory / name, 9) for name in ("whole", "campaign"))
    small.write_run(whole, 1, attempt=1, frames=9)
    for attempt, frames in enumerate((1, 2, 3, 7, 9), start=1):
        small.write_run(campaign, 1, attempt=attempt, frames=frames)
    assert small.arrays_of(campaign) == small.arrays_of(whole)


def test_nothing_shrinks(campaign):
    small.extend(campaign, 9, runs=5)
    larger = small.arrays_of(campaign)
    small.extend(campaign, 9, runs=5)
    assert small.arrays_of(campaign) == larger
    step, moments = small.step_and_time(FRAMES)
    with small.small_shards():
        small.extend_store(small.store_of(campaign), small.shape(FRAMES), step, moments)
    assert small.arrays_of(campaign) == larger


def test_an_interval_of_d2min_may_be_added(campaign):
    step, moments = small.step_and_time(FRAMES)
    results = small.results(small.PARTICLES, (20, 40))
    small.extend_store(small.store_of(campaign), small.shape(FRAMES), step, moments, results)
    dataset = xr.open_zarr(small.store_of(campaign))
    assert dataset.d2min_40.attrs["interval"] == 40
    assert dataset.d2min_40.shape == (small.RUNS, FRAMES, small.PARTICLES)


@pytest.mark.slow
def test_a_killed_extension_is_completed_by_the_next(memory, processes):
    """Until then readers see the store as it was."""
    before = small.create(memory / "before", 3)
    small.write_run(before, 1, attempt=1, frames=3)
    whole = small.create(memory / "whole", 11, runs=4)
    small.write_run(whole, 1, attempt=1, frames=11)
    for at in itertools.count(1, step=3):
        campaign = memory / "campaign"
        shutil.copytree(before, campaign)
        status = processes.run("extend", campaign, frames=11, runs=4, at=at)
        dataset = xr.open_zarr(small.store_of(campaign), chunks=None)
        assert (dataset.sizes["run"], dataset.sizes["frame"]) in {(3, 3), (4, 11)}
        np.testing.assert_array_equal(dataset.step[:3], [20, 40, 60])
        assert FrameReader(small.store_of(campaign)).block(1, 0, 3).position.shape[0] == 3
        small.extend(campaign, 11, runs=4)
        small.write_run(campaign, 1, attempt=2, frames=11)
        assert small.arrays_of(campaign) == small.arrays_of(whole)
        assert small.files_of(campaign) == small.files_of(whole)
        shutil.rmtree(campaign)
        if status != CRASHED:
            break
    assert at > 60


def test_glass_round_trips(campaign):
    scratch = Scratch(campaign, 1)
    rng = np.random.default_rng(1)
    edges = np.array([4.0, 5.0, 6.0])
    inside = rng.uniform(0, 1, (small.PARTICLES, 3)) * edges
    glass = Glass(
        inside + edges * [[1], [0], [-2], [0], [0]], edges, -7.5, np.array([0.1, 0, 0, 0, 0, 0])
    )
    write_glass(small.store_of(campaign), 1, glass, scratch)
    read = read_glass(small.store_of(campaign), 1)
    np.testing.assert_allclose(read.position, inside, rtol=0, atol=RESOLUTION)
    np.testing.assert_array_equal(read_glass_box(small.store_of(campaign), 1), edges)
    assert read.potential_energy == -7.5
    np.testing.assert_array_equal(read.stress, glass.stress)
    scratch.remove()
    with pytest.raises(DamagedError, match="glass 0"):
        read_glass_box(small.store_of(campaign), 0)


def test_provenance_is_a_group_of_its_own(campaign):
    scratch = Scratch(campaign, 1)
    store = small.store_of(campaign)
    before = small.arrays_of(campaign)
    assert read_segments(store, small.run_id(1)) == []
    record_segment(store, small.run_id(1), {"attempt": 1, "frames": 0}, scratch)
    record_segment(store, small.run_id(1), {"attempt": 2, "frames": 1}, scratch)
    record_segment(store, small.run_id(1), {"attempt": 1, "frames": 3}, scratch)
    group = zarr.open_group(store, mode="r", path=f"provenance/{small.run_id(1)}")
    assert group.attrs["segments"] == read_segments(store, small.run_id(1))
    assert {
        entry["attempt"]: entry["frames"] for entry in read_segments(store, small.run_id(1))
    } == {
        1: 3,
        2: 1,
    }
    assert small.arrays_of(campaign) == before
    assert json.loads((store / "provenance" / "zarr.json").read_text())["node_type"] == "group"


def test_the_writer_starts_without_dask_xarray_and_pandas():
    code = (
        "import sys, glasscreep.tasks.writer, glasscreep.tasks.store\n"
        "print([name for name in ('dask', 'xarray', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
