"""What is damaged or lost of results is named on the page, and the rest is drawn."""

import json

import pytest
from damaging import flip
from report_page import report_of

from glasscreep.campaign.report_particles import particle_values
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError, DamagedError


def test_of_a_lesson_that_is_damaged_it_is_said(bare):
    lesson = bare.directory / "looseness" / "report.json"
    lesson.parent.mkdir()
    for text in ('{"counts": ', "[]"):
        lesson.write_text(text)
        with pytest.raises(DamagedError, match=r"report.json is damaged: .*learn` writes it"):
            _ = Source.of(bare.directory).lesson


def test_damage_is_named_and_the_rest_is_drawn(own):
    row = 1
    for entry in (own.directory / "report").glob("3[BDE]-*.json"):
        entry.unlink()
    flip(own.directory / "store.zarr" / "d2min_20" / f"c.{row}.0.0", at=-40)
    written, page = report_of(own.directory)
    run = own.place(row).name
    assert any(f"run {run}" in told and "d2min_20" in told for told in written.damage)
    assert not any("skip_damaged" in told or "of 1 runs" in told for told in written.damage)
    assert f"run {run}" in page.words.split("Damaged")[1]
    assert {"2A", "3B", "3D", "9A"} <= set(page.panels)
    left = page.table("3B").query("temperature == 0.3")
    assert (left["replicas"] == 1).all()
    again, _ = report_of(own.directory)
    assert "3B" in again.computed, "it may have been mended"


def test_lost_files_of_the_run_shown_are_told_as_damage(own):
    for entry in (own.directory / "report").glob("*.json"):
        entry.unlink()
    row = Source.of(own.directory).run
    for name in ("d2min_20", "looseness"):
        for file in (own.directory / "store.zarr" / name).glob(f"c.{row}.*"):
            file.unlink()
    source = Source.of(own.directory)
    for name, frame in (("d2min_20", 10), ("looseness", 11)):
        with pytest.raises(DamagedError, match=f"array {name}: frame {frame} is not there"):
            particle_values(source, name, frame)
    with pytest.raises(match="not computed yet"):
        particle_values(source, "d2min_20", 11)
    written, page = report_of(own.directory)
    for panel in ("3E", "9B", "9C"):
        assert "its file is lost" in page.why_absent(panel)
    assert any("frame 11, array looseness" in told and "is lost" in told for told in written.damage)
    data = json.loads(page.source.split('type="application/json">')[1].split("</script>")[0])
    assert [one["name"][:7] for one in data["quantities"]] == ["species"]


def test_a_frame_of_the_run_shown_may_be_defined_for_no_particle(own):
    own.blank("d2min_20", Source.of(own.directory).run, 10)
    with pytest.raises(AbsentError, match=r"d2min_20 of frame 10 of .* defined for no particle"):
        particle_values(Source.of(own.directory), "d2min_20", 10)
