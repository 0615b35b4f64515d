"""A report computes nothing twice: what is kept is taken as long as nothing changed that it is from."""

import shutil

import pytest
from report_page import FROM_RESULTS, report_of

from glasscreep.campaign import report_facts


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
    assert "exists" in written.not_cached
