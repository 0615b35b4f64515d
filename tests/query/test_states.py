"""How far a run is, is found out in one way, whoever asks: a driver, `runs`, a page or a report."""

import io
from dataclasses import replace

import numpy as np
import pytest
import zarr
from made_up import SNAPSHOT
from rich.console import Console

import glasscreep
from glasscreep.campaign.rows import UNASSIGNED
from glasscreep.campaign.run_list import asked_for
from glasscreep.campaign.scan import failure_note, keep_failure, scan
from glasscreep.campaign.snapshot import write_snapshot
from glasscreep.campaign.states import State
from glasscreep.campaign.status import show_status
from glasscreep.tasks.segment import Outcome

LONGER = {"steps": 16 * 20}


def failing(place):
    keep_failure(place, Outcome(place.name, "crashed", 0, 0, "died", "", 0))


def as_the_driver_has_it(campaign):
    prepared = campaign.prepared
    ids, glasses = prepared.table.run_id, [glass.id for glass in prepared.glasses]
    where = campaign.directory, ids, glasses, prepared.glass_of_run, prepared.asked
    ledger = scan(*where, prepared.campaign.frames)
    return [State(state).name.lower() for state in ledger.runs.state]


@pytest.fixture
def fewer(campaign):
    """Give a campaign that asks for one of two points any more, and for longer runs."""
    campaign.write(0, 12)
    campaign.write(1, 12)
    creep = {**campaign.prepared.campaign.creep.model_dump(), **LONGER}
    return campaign.extended(creep=creep, grid=[{"temperature": 0.1, "stress": 0.5}])


def test_a_run_that_is_not_asked_for_any_more_is_done_if_it_was(fewer):
    states = glasscreep.open(fewer.directory).runs["state"].tolist()
    assert states == ["partial", "done", "new", "new"]
    assert states == as_the_driver_has_it(fewer)


def test_a_glass_that_failed_fails_the_runs_that_are_asked_for(fewer):
    failing(fewer.directory / "glasses" / fewer.prepared.glasses[1].id)
    failing(fewer.directory / "glasses" / fewer.prepared.glasses[0].id)
    states = glasscreep.open(fewer.directory).runs["state"].tolist()
    assert states == ["failed", "done", "failed", "new"]
    assert states == as_the_driver_has_it(fewer)


def test_a_note_of_failure_that_was_cut_off_is_none(campaign):
    campaign.write(0, 3)
    campaign.write(1, 3)
    failing(campaign.place(1))
    (campaign.place(0) / "failure.json").write_text('{"kind": "cra')
    states = glasscreep.open(campaign.directory).runs["state"].tolist()
    assert states == ["partial", "failed", "new", "new"]
    assert states == as_the_driver_has_it(campaign)


def test_runs_that_are_asked_for_are_those_of_the_grid(fewer):
    runs = glasscreep.open(fewer.directory).runs
    asked = asked_for(fewer.prepared.campaign, runs)
    assert asked.tolist() == fewer.prepared.asked.tolist() == [True, False, True, False]
    one = fewer.extended(replicas=1)
    assert asked_for(one.prepared.campaign, runs).tolist() == [True, False, False, False]
    assert len(asked_for(fewer.prepared.campaign, runs.iloc[:0])) == 0
    shifted = runs.assign(temperature=runs["temperature"] * (1 + 1e-15))
    assert np.array_equal(asked_for(fewer.prepared.campaign, shifted), asked)


def test_where_the_store_has_more_than_is_asked_for_it_is_said(fewer, campaign):
    opened = glasscreep.open(fewer.directory)
    told = "4: 2 new, 1 partial, 1 done; the campaign file asks for 2, which `glasscreep status` counts"
    assert f"runs     {told}" in repr(opened)
    assert "the campaign file asks for 2, which" in opened._repr_html_()
    assert "asks for" not in repr(opened.select(temperature=0.1))


def status_of(campaign, runs):
    states = {state.name.lower(): 0 for state in State} | {"new": runs}
    write_snapshot(
        campaign.directory, replace(SNAPSHOT, campaign="filled", phase="finished", runs=states)
    )
    show_status(campaign.directory, console := Console(file=io.StringIO(), width=200))
    return console.file.getvalue()


def test_status_says_what_it_does_not_count(fewer):
    assert "what the campaign file asks for; the store has 2 runs more" in status_of(fewer, 2)
    assert "more" not in status_of(fewer, 4)


def test_status_does_not_count_rows_of_no_run(fewer):
    """A kill while a table is written leaves some."""
    rows = zarr.open_array(fewer.prepared.store / "glass_row", mode="r+")
    rows[3] = UNASSIGNED
    assert "the store has 1 run more" in status_of(fewer, 2)
    rows[2] = UNASSIGNED
    assert "more" not in status_of(fewer, 2)


@pytest.mark.parametrize("name", ["run_id/zarr.json", "glass_row/c.0"])
def test_status_tells_all_else_of_a_damaged_store(fewer, name):
    (fewer.prepared.store / name).write_text("{")
    said = status_of(fewer, 2)
    assert "filled" in said
    assert "more" not in said


@pytest.mark.parametrize("content", [None, '{"kind": "cra', "[]", "{}"])
def test_what_is_no_note_of_failure_is_read_as_none(tmp_path, content):
    if content is not None:
        (tmp_path / "failure.json").write_text(content)
    assert failure_note(tmp_path) is None


def test_of_a_note_of_failure_is_taken_what_there_is(tmp_path):
    failing(tmp_path)
    assert failure_note(tmp_path) == Outcome(tmp_path.name, "crashed", 0, 0, "died", "", 0)
    (tmp_path / "failure.json").write_text('{"kind": "crashed", "step": 7, "frames": "all"}')
    assert failure_note(tmp_path) == Outcome(tmp_path.name, "crashed", 0, 7, "", "", 0)
