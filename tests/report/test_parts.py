"""What is not a panel fails alone as well: the page names it, and has all the rest."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from made_up import SNAPSHOT
from report_page import Page
from typer.testing import CliRunner

from glasscreep.campaign.main import app
from glasscreep.campaign.report_facts import _mean_and_error
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.scan import keep_failure
from glasscreep.campaign.snapshot import Failure, write_snapshot
from glasscreep.tasks.analysed import ANALYSED, encode_analysed, read_analysed
from glasscreep.tasks.observable import Result
from glasscreep.tasks.segment import Outcome

FINISHED = replace(
    SNAPSHOT, phase="finished", runs={"new": 0, "partial": 0, "done": 4, "failed": 0}
)


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
    assert done.exit_code == 1
    assert "damaged, and left out: run" in done.stdout
    assert "canvas" not in page.tags
    assert "array position is damaged" in section(page, "A frame in three dimensions")
    assert {"2A", "3B", "9A"} <= set(page.panels)


def test_a_damaged_array_of_all_frames_costs_what_needs_it(own, store):
    flip(store / "species" / "c.0")
    done, page = report(own.directory)
    assert done.exit_code == 1
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
    assert done.exit_code == 1
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
    full = "strain, frames 0 to 3: no memory"
    told = "frame 0: mine:psi failed with ZeroDivisionError in mine.py, line 2"
    known = read_analysed(own.place(1))
    psi = Result("own_frame", "psi", {})
    (own.place(1) / ANALYSED).write_bytes(encode_analysed(known.failing([psi], told)))
    last = (
        Failure(f"run {run}", "replica 0", "diverged", "Lost atoms", ""),
        Failure(f"run {own.place(1).name}", "replica 0", "own", told, ""),
        Failure(f"run {own.place(1).name}", "replica 0", "memory", full, ""),
    )
    write_snapshot(own.directory, replace(FINISHED, failures=last))
    done, page = report(own.directory)
    assert done.exit_code == 0
    failures = section(page, "Failures and damage").split("Provenance")[0]
    for once in ("Lost atoms", told, full):
        assert failures.count(once) == 1
    assert f"run {own.place(1).name} (replica 0)" in failures
    assert f"psi of run {own.place(1).name}" in failures


def test_of_replicas_that_are_all_the_same_the_error_is_none():
    same = pd.Series([0.0020804925375080122, 0.0020804925375080126, 0.0020804925375080122])
    assert _mean_and_error(same) == "0.00208 ± 0"
    assert _mean_and_error(pd.Series([0.01, 0.02, 0.03])) == "0.020 ± 0.006"
