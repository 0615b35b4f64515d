"""A campaign directory is made whole, extended without loss, and refused when it does not fit."""

import json
import random
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from glasscreep.campaign.directory import DirectoryError, prepare, read_campaign, survey
from glasscreep.campaign.file import Campaign
from glasscreep.campaign.lock import CampaignLock
from glasscreep.campaign.rows import UNASSIGNED, assign, empty_table
from glasscreep.tasks.errors import DamagedError, NewerError, StorageError
from glasscreep.tasks.opening import open_array, open_readable, open_writable
from glasscreep.tasks.physics import derived_seed
from glasscreep.tasks.run_columns import read_run_table

SMALL = {
    "name": "small",
    "replicas": 2,
    "model": {"particles": 300},
    "creep": {"steps": 30_000},
    "grid": [{"temperature": [0.1, 0.2], "stress": 0.5}],
}


def campaign(**changes):
    return Campaign.model_validate(SMALL | changes)


def rows_of(prepared):
    table = read_run_table(prepared.store)
    return {run_id: row for row, run_id in enumerate(table.run_id) if run_id}


def snapshot(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "sub" / "campaign"


def test_a_new_directory_holds_every_run(directory):
    prepared = prepare(campaign(), directory)
    assert prepared.added == 4
    assert read_campaign(directory) == campaign()
    table = read_run_table(prepared.store)
    runs = campaign().runs()
    assert table.run_id == [run.id for run in runs] == [run.id for run in prepared.runs]
    np.testing.assert_array_equal(table.temperature, [0.1, 0.2, 0.1, 0.2])
    np.testing.assert_array_equal(table.stress, [0.5] * 4)
    np.testing.assert_array_equal(table.replica, [0, 0, 1, 1])
    np.testing.assert_array_equal(table.glass_row, prepared.glass_of_run)
    assert table.seed[2] == derived_seed(runs[2].id, "velocities")
    for run, glass in zip(runs, prepared.glass_of_run, strict=True):
        assert prepared.glasses[glass] == run.glass
    group = open_readable(prepared.store)
    np.testing.assert_array_equal(open_array(group, "step")[:], [10_000, 20_000, 30_000])
    np.testing.assert_allclose(open_array(group, "time")[:], [100, 200, 300])
    assert np.bincount(open_array(group, "species")[:]).tolist() == [0, 240, 60]
    assert open_array(group, "position").shape == (4, 3, 300, 3)
    assert open_array(group, "d2min_10000").shape == (4, 3, 300)
    assert group.attrs["title"] == "small"


def test_looking_makes_nothing(directory):
    looked = survey(campaign(), directory)
    assert not directory.parent.exists()
    assert looked.added == 4
    assert looked.runs == prepare(campaign(), directory).runs


def test_the_same_campaign_again_writes_nothing(directory):
    prepare(campaign(), directory)
    before = {path: path.stat().st_mtime_ns for path in directory.rglob("*")}
    again = prepare(campaign(), directory)
    assert again.added == 0
    assert all(again.asked)
    assert {path: path.stat().st_mtime_ns for path in directory.rglob("*")} == before


def test_what_is_added_leaves_rows_and_frames_where_they_are(directory):
    rows = rows_of(prepare(campaign(), directory))
    position = open_array(open_writable(directory / "store.zarr"), "box_edges")
    position[1, 2] = [1.0, 2.0, 3.0]
    larger = campaign(
        replicas=3,
        creep={"steps": 50_000},
        grid=[{"temperature": [0.05, 0.1, 0.2], "stress": [0.5, 0.4]}],
        analysis={"d2min_intervals": [20_000]},
        resources={"ranks": 2},
    )
    extended = prepare(larger, directory)
    assert extended.added == 18 - 4
    now = rows_of(extended)
    assert now.items() >= rows.items()
    assert sorted(now.values()) == list(range(18))
    group = open_readable(directory / "store.zarr")
    assert open_array(group, "position").shape == (18, 5, 300, 3)
    assert open_array(group, "glass_position").shape == (3, 300, 3)
    assert open_array(group, "step")[:].tolist() == [10_000, 20_000, 30_000, 40_000, 50_000]
    np.testing.assert_array_equal(open_array(group, "box_edges")[1, 2], [1, 2, 3])
    assert {"d2min_10000", "d2min_20000"} <= set(group.array_keys())
    assert read_campaign(directory) == larger


def test_what_is_no_longer_asked_for_is_kept(directory):
    rows = rows_of(prepare(campaign(), directory))
    fewer = campaign(
        replicas=1, creep={"steps": 10_000}, grid=[{"temperature": 0.2, "stress": [0.5, 0.1]}]
    )
    smaller = prepare(fewer, directory)
    assert smaller.added == 1
    assert smaller.asked.tolist() == [False, True, False, False, True]
    assert len(smaller.glasses) == 2
    now = rows_of(smaller)
    assert now.items() >= rows.items()
    assert open_array(open_readable(smaller.store), "step").shape == (3,)
    assert prepare(campaign(), directory).asked.tolist() == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"seed": 1}, ["seed"]),
        ({"model": {"particles": 400}}, ["model.particles"]),
        (
            {"model": {"particles": 300, "epsilon": {"AB": 1.4}, "density": 1.1}},
            ["model.density", "model.epsilon.AB"],
        ),
        ({"glass": {"quench_steps": 20_000}}, ["glass.quench_steps"]),
        ({"creep": {"steps": 60_000, "axis": "x"}}, ["creep.axis"]),
        ({"creep": {"frame_interval": 5_000}}, ["creep.frame_interval"]),
    ],
)
def test_other_physics_is_refused_key_by_key(directory, change, keys):
    prepare(campaign(), directory)
    before = snapshot(directory)
    with pytest.raises(DirectoryError) as error:
        prepare(campaign(**change), directory)
    message = str(error.value)
    named = [line.strip() for line in message.splitlines() if line.startswith("  ")][::3]
    assert named == keys
    assert "--dir" in message
    assert snapshot(directory) == before


def test_other_parameters_of_a_result_are_refused_until_it_is_removed(directory):
    prepare(campaign(), directory)
    before = snapshot(directory)
    other = campaign(analysis={"d2min_cutoff": 2.6})
    shown = r"analysis.d2min_cutoff\n    there    2.5\n    asked    2.6"
    with pytest.raises(
        DirectoryError, match=f"{shown}(.|\n)*glasscreep forget .* d2min_10000"
    ) as error:
        prepare(other, directory)
    assert "strain" not in str(error.value)
    assert snapshot(directory) == before
    shutil.rmtree(directory / "store.zarr" / "d2min_10000")
    prepare(other, directory)
    array = open_array(open_readable(directory / "store.zarr"), "d2min_10000")
    assert array.attrs["parameters"] == {"cutoff": 2.6}
    assert prepare(other, directory).added == 0


def test_parameters_of_results_that_are_not_asked_for_do_not_matter(directory):
    prepare(campaign(), directory)
    prepare(campaign(analysis={"results": ["strain"], "d2min_cutoff": 2.6}), directory)


def test_a_result_may_be_added_and_left_out(directory):
    few = prepare(campaign(analysis={"results": "strain"}), directory)
    assert "d2min_10000" not in few.room.arrays
    assert "creep_fit" not in few.room.arrays
    assert {"d2min_10000", "creep_fit"} <= prepare(campaign(), directory).room.arrays
    prepare(campaign(analysis={"results": []}, creep={"steps": 50_000}), directory)
    array = open_array(open_readable(directory / "store.zarr"), "d2min_10000")
    assert array.shape == (4, 5, 300)  # what is there grows with the rest


def test_the_refusal_shows_both_values(directory):
    prepare(campaign(), directory)
    with pytest.raises(DirectoryError, match=r'creep.axis\n    there    "z"\n    asked    "x"'):
        survey(campaign(creep={"axis": "x"}), directory)


def test_another_campaign_is_refused(directory):
    prepare(campaign(), directory)
    with pytest.raises(DirectoryError, match=r"holds the campaign small, not other"):
        prepare(campaign(name="other"), directory)


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(DirectoryError, match=r"something else than a campaign: thesis\.tex\."):
        prepare(campaign(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(DirectoryError, match="is not a directory"):
        prepare(campaign(), tmp_path / "thesis.tex")


def test_a_store_of_something_else_is_refused(tmp_path):
    zarr.create_group(tmp_path / "store.zarr")
    with pytest.raises(DirectoryError, match=r"store\.zarr is no campaign's store"):
        survey(campaign(), tmp_path)


def test_an_empty_or_locked_directory_is_welcome(tmp_path):
    (tmp_path / "campaign.json.partial").write_text("{")
    with CampaignLock(tmp_path):
        assert prepare(campaign(), tmp_path).added == 4


def test_runs_without_their_store_are_not_started_over(directory):
    prepared = prepare(campaign(), directory)
    (directory / "runs" / prepared.runs[0].id).mkdir()
    prepared.store.rename(directory / "elsewhere")
    with pytest.raises(DamagedError, match=r"store.zarr is gone"):
        prepare(campaign(), directory)


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ([], "the key ramp"),
        (["creep"], "the key creep.ramp"),
        (["grid", 0], r"the key grid\[0\]\.ramp"),
    ],
)
def test_a_key_that_is_not_known_is_of_a_newer_version_or_edited(directory, where, named):
    prepare(campaign(), directory)
    path = directory / "campaign.json"
    content = json.loads(path.read_bytes())
    table = content["campaign"]
    for part in where:
        table = table[part]
    table["ramp"] = 1.0
    path.write_text(json.dumps(content))
    with pytest.raises(NewerError, match=rf"{named}, which glasscreep \d.* or it was edited"):
        read_campaign(directory)
    table["rest"] = 2.0
    path.write_text(json.dumps(content))
    with pytest.raises(NewerError, match=r"the keys .*ramp, .*rest, which glasscreep"):
        read_campaign(directory)


def test_a_lost_campaign_file_is_written_again(directory):
    prepare(campaign(), directory)
    (directory / "campaign.json").write_text("{")
    with pytest.raises(DamagedError, match=r"campaign.json is damaged"):
        read_campaign(directory)
    (directory / "campaign.json").unlink()
    with pytest.raises(DamagedError, match=r"campaign.json is lost. Give `glasscreep run` the"):
        read_campaign(directory)
    with pytest.raises(DirectoryError, match=r"model\.density"):
        prepare(campaign(model={"particles": 300, "density": 1.1}), directory)
    prepare(campaign(), directory)
    assert read_campaign(directory) == campaign()


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"could not write .*file/campaign"):
        prepare(campaign(), tmp_path / "file" / "campaign")


points = st.sets(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1)


@given(st.lists(st.tuples(points, st.integers(1, 3)), min_size=1, max_size=4), st.data())
def test_rows_never_move_however_the_campaign_changes(asks, data):
    table, seen = empty_table(), {}
    for temperatures, replicas in asks:
        grid = [{"temperature": sorted(temperatures), "stress": 0.5}]
        runs = campaign(replicas=replicas, grid=grid).runs()
        table, rows, added = assign(table, runs)
        assert added == len({run.id for run in runs} - seen.keys())
        assert [table.run_id[row] for row in rows] == [run.id for run in runs]
        seen |= dict(zip((run.id for run in runs), rows, strict=True))
        assert all(table.run_id[row] == run_id for run_id, row in seen.items())
        # A crash while the table was written leaves the glass of some rows unassigned.
        lost = data.draw(st.sets(st.sampled_from(sorted(seen.values()))))
        for row in lost:
            table.glass_row[row] = UNASSIGNED
        seen = {run_id: row for run_id, row in seen.items() if row not in lost}


DIE = """
import os, signal, sys
from pathlib import Path
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.file import Campaign
left, replace = int(sys.argv[3]), os.replace
def dying_replace(*paths):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    replace(*paths)
os.replace = dying_replace
prepare(Campaign.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
print(int(sys.argv[3]) - left)
"""


def prepare_and_die(asked, directory, files):
    """Prepare in a process killed once it has put so many files in place; count them."""
    done = subprocess.run(
        [sys.executable, "-c", DIE, asked.model_dump_json(), str(directory), str(files)],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0 if done.stdout else done.returncode == -signal.SIGKILL
    return int(done.stdout or -1)


def instants(files, number):
    """Draw instants to die at: the first, the last ones and some between."""
    return sorted({0, 1, files - 2, files - 1, *random.Random(files).sample(range(files), number)})


@pytest.mark.slow
def test_killed_at_any_instant_the_same_call_completes(tmp_path):
    larger = campaign(
        replicas=4, creep={"steps": 60_000}, analysis={"d2min_intervals": [20_000, 30_000]}
    )
    made, extended = tmp_path / "made", tmp_path / "extended"
    to_make = prepare_and_die(campaign(), made, 10**6)
    shutil.copytree(made, extended)
    to_extend = prepare_and_die(larger, extended, 10**6)
    for files in instants(to_make, 3):
        directory = tmp_path / f"making{files}"
        assert prepare_and_die(campaign(), directory, files) == -1
        prepare(campaign(), directory)
        assert snapshot(directory) == snapshot(made)
    for files in instants(to_extend, 9):
        directory = tmp_path / f"extending{files}"
        shutil.copytree(made, directory)
        assert prepare_and_die(larger, directory, files) == -1
        prepare(larger, directory)
        assert snapshot(directory) == snapshot(extended)
    # Nothing was learnt if the work had been done in one go.
    assert to_extend > 10
