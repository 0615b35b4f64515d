"""What is not a panel fails alone as well: the page names it, and has all the rest."""

import json
from dataclasses import asdict

import pytest
from report_page import Page
from typer.testing import CliRunner

from glasscreep.campaign.main import app
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.scan import keep_failure
from glasscreep.campaign.snapshot import Failure, Snapshot, write_snapshot
from glasscreep.tasks.segment import Outcome

FINISHED = Snapshot(
    campaign="filled", phase="finished", host="node", pid=1, started="2026-11-28T06:00:00+00:00",
    updated="2026-11-28T06:10:00+00:00", dashboard="", runs={}, glasses_done=2, glasses_total=2,
    frames_done=48, frames_total=48, unrelaxed=0, particle_steps_per_s=0.0, time_left_s=None,
    why_stopped="", active=(), failures=(), allocations=(), trouble="", points=(),
)  # fmt: skip


def report(directory):
    done = CliRunner().invoke(app, ["report", str(directory)])
    return done, Page(directory / "report.html")


def section(page: Page, heading: str) -> str:
    return page.words.split(heading)[-1]


def flip(path, at=-20):
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.fixture
def store(own):
    return own.directory / "store.zarr"


def test_a_damaged_frame_costs_the_view_alone(own, store):
    row = Source(own.directory).run
    for file in (store / "position").glob(f"c.{row}.*"):
        flip(file, at=-120)  # in the last of its frames
    done, page = report(own.directory)
    assert done.exit_code == 0
    assert "damaged, and left out: run" in done.stdout
    assert "canvas" not in page.tags
    assert "array position is damaged" in section(page, "A frame in three dimensions")
    assert {"2A", "3B", "9A"} <= set(page.panels)


def test_a_damaged_array_of_all_frames_costs_what_needs_it(own, store):
    flip(store / "species" / "c.0")
    done, page = report(own.directory)
    assert done.exit_code == 0
    assert "Array species" in section(page, "A frame in three dimensions").split("What is")[0]
    assert {"2A", "3B", "9A"} <= set(page.panels)
    assert "strain per ln t" in page.words


def test_damaged_provenance_of_a_run_is_told_and_the_others_is_there(own, store):
    for row, content in enumerate(
        ({"attributes": {"segments": [{"attempt": 1, "host": "here"}]}}, None)
    ):
        place = store / "provenance" / own.place(row).name / "zarr.json"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(content) if content else '{"attributes": {"seg')
    done, page = report(own.directory)
    assert done.exit_code == 0
    assert f"provenance of run {own.place(1).name} is damaged" in page.words.split("Damaged")[1]
    assert "on hostshere" in page.words.replace("\n", "")


def test_what_nobody_foresaw_costs_its_part_alone_and_the_status_says_so(own):
    (own.place(0) / "failure.json").mkdir()
    done, page = report(own.directory)
    assert done.exit_code == 1
    assert "failures: it could not be made, by a fault of glasscreep: IsADirectory" in done.stdout
    assert "IsADirectoryError" in section(page, "Failures and damage")
    assert {"2A", "3B", "9A"} <= set(page.panels)
    assert "strain per ln t" in page.words
    assert "canvas" in page.tags


def test_a_figure_that_can_not_be_planned_leaves_the_others(own, monkeypatch):
    from glasscreep.campaign.figures.catalogue import MAKERS

    def fails(source):
        msg = "of all things"
        raise ZeroDivisionError(msg)

    monkeypatch.setitem(MAKERS, 3, fails)
    done, page = report(own.directory)
    assert done.exit_code == 1
    assert "panel 3: it could not be made" in done.stdout
    assert "ZeroDivisionError: of all things" in page.why_absent("3")
    assert {"2A", "9A"} <= set(page.panels)


def test_failures_are_told_of_runs_and_of_analyses_each_once(own):
    run = own.place(0).name
    diverged = Outcome(run, "diverged", 12, 240, "Lost atoms", "", 0)
    keep_failure(own.place(0), diverged)
    told = "psi, frames 0 to 3: mine:psi failed with ZeroDivisionError in mine.py, line 2"
    last = (
        Failure(f"run {run}", "replica 0", "diverged", "Lost atoms", ""),
        Failure(f"run {own.place(1).name}", "replica 0", "own", told, ""),
    )
    write_snapshot(own.directory, Snapshot(**{**asdict(FINISHED), "failures": last}))
    done, page = report(own.directory)
    assert done.exit_code == 0
    failures = section(page, "Failures and damage").split("Provenance")[0]
    assert failures.count("Lost atoms") == 1
    assert f"run {own.place(1).name} (replica 0)" in failures
    assert told in failures
    assert "own" in failures
