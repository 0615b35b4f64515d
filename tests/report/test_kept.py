"""A report computes nothing twice: what is kept is taken as long as nothing changed that it is from."""

import shutil
from pathlib import Path

import pytest
from damaging import flip
from report_page import FROM_RESULTS, report_of

from glasscreep.campaign import report_facts
from glasscreep.campaign.report import write_report
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.selection_options import Selection


def test_a_second_time_nothing_is_computed_and_the_page_is_the_same(own, reported, page):
    assert reported.new == len(FROM_RESULTS)
    second, again = report_of(own.directory)
    assert second.new == 0
    assert again.source == page.source


def test_the_points_are_summed_up_again_only_if_something_changed(bare, monkeypatch):
    bare.write(0, 5)
    _, first = report_of(bare.directory)
    assert "5/24" in first.words
    with monkeypatch.context() as patch:
        patch.delattr(report_facts, "point_table")
        _, second = report_of(bare.directory)
    assert second.source == first.source
    bare.write(0, 12)
    _, third = report_of(bare.directory)
    assert "12/24" in third.words


def test_the_points_are_summed_up_again_if_something_else_is_asked_for(bare):
    for row in range(4):
        bare.write(row, 5)
    _, page = report_of(bare.directory)
    assert page.words.count("10/24") == 2
    creep = {**bare.prepared.campaign.creep.model_dump(), "steps": 480}
    longer = bare.extended(creep=creep)
    _, page = report_of(bare.directory)
    assert page.words.count("10/48") == 2
    longer.extended(grid=[{"temperature": 0.3, "stress": 0.5}])
    _, page = report_of(bare.directory)
    assert page.words.count("10/48") == 1


@pytest.mark.slow
def test_computed_anew_the_page_is_the_same(own, page):
    shutil.rmtree(own.directory / "report")
    anew, again = report_of(own.directory)
    assert anew.new == len(FROM_RESULTS)
    assert again.source == page.source


def test_after_a_change_only_what_depends_on_it_is_computed(bare):
    bare.write(0, 8)
    first, _ = report_of(bare.directory)
    assert {"2A", "2C"} <= set(first.computed) - set(first.absent)
    bare.analyse(0)
    second, _ = report_of(bare.directory)
    assert set(second.computed) - set(second.absent) == {"3B", "3D", "3E"}
    bare.write(0, 12)
    third, _ = report_of(bare.directory)
    assert {"2A", "2C", "7B"} <= set(third.computed)
    assert not {"3B", "3D"} & set(third.computed)


def test_a_damaged_entry_is_made_anew(own):
    (entry,) = (own.directory / "report").glob("2A-*.json")
    entry.write_text(entry.read_text().replace("0.", "1.", 1))
    written, _ = report_of(own.directory)
    assert set(written.computed) - set(written.absent) == {"2A"}


@pytest.mark.slow
def test_where_nothing_can_be_kept_the_page_comes_all_the_same(own, tmp_path):
    shutil.rmtree(own.directory / "report")
    (own.directory / "report").write_text("in the way")
    written, page = report_of(own.directory, tmp_path / "elsewhere" / "page.html")
    assert set(page.panels) == FROM_RESULTS
    place = own.directory / "report"
    assert written.not_cached == f"{place} can't be written: File exists"


@pytest.mark.parametrize(
    ("name", "spoil", "panels", "others"),
    [
        ("d2min_20", Path.unlink, {"3B", "3D"}, {"2A", "7A"}),
        ("d2min_20", flip, {"3B", "3D"}, {"2A", "7A"}),
        ("box_tilt", Path.unlink, {"2C", "7B"}, {"3B", "7A"}),
        pytest.param("looseness_mean", flip, {"7A"}, {"2C", "3B"}, marks=pytest.mark.slow),
    ],
)
def test_what_is_damaged_since_is_told_and_not_recalled(own, name, spoil, panels, others):
    row = 1
    file = next((own.prepared.store / name).glob(f"c.{row}.0*"))
    spoil(file)
    written, again = report_of(own.directory)
    assert panels <= set(written.computed)
    assert any(f"run {own.place(row).name}" in told and name in told for told in written.damage)
    assert not others & set(written.computed), "which are not made from it"
    assert name in again.words.split("Damaged")[1]


@pytest.mark.parametrize("name", ["species", pytest.param("d2min_bin", marks=pytest.mark.slow)])
def test_what_is_lost_of_a_table_is_told_of_what_needs_it(own, name):
    (own.prepared.store / name / "c.0").unlink()
    written, _ = report_of(own.directory)
    assert "2A" not in written.computed
    assert ("3B" if name == "species" else "3A") in written.computed
    assert any(f"array {name} of " in told for told in written.damage)


def test_of_runs_that_are_not_chosen_files_do_not_matter(own, tmp_path):
    cold = Selection(temperature=[0.1])
    write_report(Source.of(own.directory, selection=cold), tmp_path / "first.html")
    other = next(run for run in (0, 1, 2, 3) if own.prepared.runs[run].point.temperature != 0.1)
    flip(next((own.prepared.store / "d2min_20").glob(f"c.{other}.0*")))
    written = write_report(Source.of(own.directory, selection=cold), tmp_path / "second.html")
    assert (written.new, written.damage) == (0, ())
