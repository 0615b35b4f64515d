"""What is not a panel fails alone as well: the page names it, and has all the rest."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from damaging import flip
from filled_campaign import analysed_campaign
from made_up import SNAPSHOT
from report_page import Page
from typer.testing import CliRunner

from glasscreep.campaign.figures.catalogue import MAKERS
from glasscreep.campaign.main import app
from glasscreep.campaign.report_facts import _mean_and_error
from glasscreep.campaign.report_failures import failures
from glasscreep.campaign.report_page import FACTS
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.scan import keep_failure
from glasscreep.campaign.selection_options import ALL, Selection
from glasscreep.campaign.snapshot import Failure, write_snapshot
from glasscreep.tasks.analysed import ANALYSED, encode_analysed, read_analysed
from glasscreep.tasks.observable import Result
from glasscreep.tasks.segment import Outcome

LEAN = {
    "results": ["strain", "creep_fit", "d2min", "tacf"],
    "d2min_intervals": [20],
    "voxels": {"voxels": 2, "divisions": [1, 2, 3]},
}
FINISHED = replace(
    SNAPSHOT, phase="finished", runs={"new": 0, "partial": 0, "done": 4, "failed": 0}
)


def report(directory):
    done = CliRunner().invoke(app, ["report", str(directory)])
    return done, Page(directory / "report.html")


def section(page: Page, heading: str) -> str:
    return page.words.split(heading)[-1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give less than the others have: what these tests look at."""
    directory = tmp_path_factory.mktemp("report") / "whole"
    with analysed_campaign(directory, 200, rows=4, analysis=LEAN) as filled:
        yield filled


@pytest.fixture
def store(own):
    return own.directory / "store.zarr"


def test_a_damaged_frame_costs_the_view_alone(own, store):
    row = Source.of(own.directory).run
    for file in (store / "position").glob(f"c.{row}.*"):
        flip(file, at=-120)  # in the last of its frames
    done, page = report(own.directory)
    assert done.exit_code == 1
    assert "damaged, and left out: run" in done.stdout
    assert "canvas" not in page.tags
    assert "array position is damaged" in section(page, "A frame in three dimensions")
    assert {"2A", "3B", "9A"} <= set(page.panels)


def test_a_damaged_array_of_all_frames_costs_what_needs_it(own, store):
    flip(store / "species" / "c.0", at=-20)
    done, page = report(own.directory)
    assert done.exit_code == 1
    assert "Array species" in section(page, "A frame in three dimensions").split("What is")[0]
    assert {"2A", "9A"} <= set(page.panels)
    assert "array species of " in page.why_absent("3B"), "it was kept, but may not be right"
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


def fails(source):
    msg = "of all things"
    raise ZeroDivisionError(msg)


def test_what_nobody_foresaw_costs_its_part_alone_and_the_status_says_so(own, monkeypatch):
    monkeypatch.setitem(FACTS, "failures", fails)
    done, page = report(own.directory)
    assert done.exit_code == 1
    assert "failures: it could not be made, by a fault of glasscreep: ZeroDivision" in done.stdout
    assert "ZeroDivisionError" in section(page, "Failures and damage")
    assert {"2A", "3B", "9A"} <= set(page.panels)
    assert "strain per ln t" in page.words
    assert "canvas" in page.tags


def test_a_figure_that_can_not_be_planned_leaves_the_others(own, monkeypatch):
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
    shown = section(page, "Failures and damage").split("Provenance")[0]
    for once in ("Lost atoms", told, full):
        assert shown.count(once) == 1
    assert f"run {own.place(1).name} (replica 0)" in shown
    assert f"psi of run {own.place(1).name}" in shown


def fail(place, message):
    keep_failure(place, Outcome(place.name, "crashed", 0, 0, message, "", 0))


def told_of(campaign, selection=ALL):
    return {one.message for one in failures(Source.of(campaign.directory, selection=selection))}


def test_failures_are_those_of_the_runs_chosen_and_of_their_glasses(bare):
    ids = [glass.id for glass in bare.prepared.glasses]
    for row in range(4):
        fail(bare.place(row), f"run {row}")
    for row in range(2):
        fail(bare.directory / "glasses" / ids[row], f"glass {row}")
    last = [
        Failure(what, "", "memory", f"{what}: no memory", "")
        for what in (f"run {bare.place(0).name}", f"run {bare.place(3).name}", f"glass {ids[1]}")
    ]
    write_snapshot(bare.directory, replace(FINISHED, failures=tuple(last)))
    run, glass = f"run {bare.place(0).name}", int(bare.prepared.glass_of_run[0])
    chosen = told_of(bare, Selection(run=[bare.place(0).name]))
    expected = {"run 0", f"glass {glass}", f"{run}: no memory"}
    assert chosen == expected | ({f"glass {ids[1]}: no memory"} if glass == 1 else set())
    assert len(told_of(bare)) == 4 + 2 + 3


def test_a_note_of_failure_that_was_cut_off_is_no_failure(bare):
    fail(bare.place(0), "lost atoms")
    bare.write(1, 3)
    (bare.place(1) / "failure.json").write_text('{"kind": "cra')
    assert told_of(bare) == {"lost atoms"}


def test_what_is_analysed_is_looked_at_once(bare):
    bare.write(0, 3)
    failing = read_analysed(bare.place(0)).failing([Result("own_frame", "psi", {})], "boom")
    (bare.place(0) / ANALYSED).write_bytes(encode_analysed(failing))
    source = Source.of(bare.directory)
    assert source.frames_analysed("psi") == 0
    (bare.place(0) / ANALYSED).unlink()
    assert [(one.kind, one.message) for one in failures(source)] == [("own", "boom")]


def test_of_replicas_that_are_all_the_same_the_error_is_none():
    same = pd.Series([0.0020804925375080122, 0.0020804925375080126, 0.0020804925375080122])
    assert _mean_and_error(same) == "0.00208 ± 0"
    assert _mean_and_error(pd.Series([0.01, 0.02, 0.03])) == "0.020 ± 0.006"


def test_a_driver_that_was_killed_is_told_of_as_status_does(own):
    write_snapshot(own.directory, replace(FINISHED, phase="running"))
    _, page = report(own.directory)
    assert "The driver: ended without a word" in page.words


def test_failures_of_what_is_no_longer_asked_for_say_so(bare):
    last = Failure("glass 63ffb4152b7567de", "glass 10", "diverged", "Lost atoms", "")
    write_snapshot(bare.directory, replace(FINISHED, failures=(last,)))
    (told,) = failures(Source.of(bare.directory))
    assert told.what == "glass 63ffb4152b7567de (glass 10, no longer asked for)"
    assert not failures(Source.of(bare.directory, selection=Selection(replica=[0])))
    bare.write(0, 1)
    _, page = report(bare.directory)
    assert "glass 10, no longer asked for" in section(page, "Failures and damage")


def test_of_no_frame_there_is_no_report(bare):
    done = CliRunner().invoke(app, ["report", str(bare.directory)])
    said = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert "there is nothing to report on: no frame of 4 runs is committed yet." in said
    assert f"`glasscreep status {bare.directory}` tells how far they are" in said
    for glass in bare.prepared.glasses:
        fail(bare.directory / "glasses" / glass.id, "Lost atoms")
    done = CliRunner().invoke(app, ["report", str(bare.directory)])
    said = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert "no frame of 4 runs is committed. Nothing more comes. Run " in said
    assert "which it starts from, has failed: crashed: Lost atoms" in said
    assert not (bare.directory / "report.html").exists()
    bare.extended(replicas=1)
    done = CliRunner().invoke(app, ["report", str(bare.directory), "--replica", "1"])
    assert "no frame of 2 runs is committed. Nothing more comes. Run " in " ".join(
        done.stderr.split()
    )
    bare.extended(replicas=2)
    bare.write(0, 1)
    assert CliRunner().invoke(app, ["report", str(bare.directory)]).exit_code == 0
    (bare.place(0) / "manifest.json").write_text("{")
    done, page = report(bare.directory)
    assert done.exit_code == 1
    assert "manifest of " in section(page, "Failures and damage"), "damage is told on a page"
