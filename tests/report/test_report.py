"""A report shows what a campaign has, names what it has not, and computes nothing twice."""

import base64
import json
import re
import shutil

import numpy as np
import pytest
from damaging import flip
from numpy.testing import assert_allclose
from report_page import Page
from typer.testing import CliRunner

from glasscreep.campaign import report_facts
from glasscreep.campaign.main import app
from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.query import query_table
from glasscreep.campaign.report import write_report
from glasscreep.campaign.report_particles import particle_values
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.selection_options import Selection
from glasscreep.tasks.errors import AbsentError, DamagedError, GlasscreepError
from glasscreep.tasks.reader import FrameReader

FROM_RESULTS = {
    "2A", "2B", "2C", "3A", "3B", "3C", "3D", "3E", "6A", "6B", "6C", "7A", "7B", "8A", "8B",
    "9A", "9B", "9C", "9D",
}  # fmt: skip
LEARNT = {"4A", "4B", "5A", "5B", "5C", "5D"}


def report_of(directory, page=None, **more):
    path = page or directory / "report.html"
    path.parent.mkdir(exist_ok=True)
    return write_report(Source.of(directory), path, **more), Page(path)


@pytest.fixture(scope="module")
def page(reported):
    assert not reported.damage
    return Page(reported.page)


def test_every_figure_is_there_whose_results_are(page):
    assert set(page.panels) == FROM_RESULTS
    assert len(page.images) == len(FROM_RESULTS)
    for alt, source in page.images.items():
        assert re.match(r"Figure \d[A-E]: .{20}", alt)
        assert base64.b64decode(source.removeprefix("data:image/svg+xml;base64,")).startswith(
            b"<?xml"
        )


def test_what_is_not_there_is_named_with_what_computes_it(page):
    for panel in LEARNT:
        assert "glasscreep learn CAMPAIGN.toml" in page.why_absent(panel)


def test_tables_are_those_of_query(page, whole):
    strain = query_table(whole.directory, "strain")
    shown = page.table("2A")
    for row in shown.itertuples():
        there = strain[(strain["temperature"] == row.temperature) & (strain["time"] == row.time)]
        assert_allclose(row.mean, there["value"].mean(), rtol=1e-14)
        assert_allclose(row.stderr, there["value"].sem(), rtol=1e-9, atol=1e-18)
        assert row.replicas == len(there) == 2
    assert len(shown) == 2 * 12

    single = page.table("2C")
    same = strain[strain["run"].isin(single["run"])]
    assert_allclose(single["value"], same["value"], rtol=1e-14)

    d2min = query_table(whole.directory, "d2min_20").groupby(["temperature", "time"])
    assert_allclose(page.table("3B")["mean"], d2min["mean"].mean(), rtol=1e-14)
    assert_allclose(page.table("3D")["mean"], d2min["loose_fraction"].mean(), rtol=1e-14)

    histogram = query_table(whole.directory, "looseness_histogram_20", 0.3)
    known = page.table("6B").query("of == 'p_all'")
    assert_allclose(known["mean"], histogram.groupby("looseness")["p_all"].mean(), rtol=1e-14)


def test_definitions_and_parameters_are_those_of_the_arrays(page, whole):
    attributes = whole.attributes("sacf_looseness")
    assert attributes["definition"] in page.words
    assert json.dumps(attributes["parameters"], sort_keys=True) in page.words


def test_a_modulus_is_stress_over_the_mean_slope(page, whole):
    slopes = query_table(whole.directory, "creep_fit").groupby("temperature")["slope"].mean()
    assert_allclose(page.table("2B")["mean"], 0.5 / slopes, rtol=1e-14)


def test_a_distribution_is_of_all_particles_within_its_bins(page, whole):
    histogram = query_table(whole.directory, "d2min_histogram_20", 0.3)
    histogram = histogram[histogram["species_name"] == "A"]
    shown = page.table("3C")
    edges = np.unique(histogram["d2min_bin"])
    inner = histogram["d2min_bin"].isin(edges[1:-1])
    share = histogram[inner]["value"].sum() / histogram["value"].sum()
    assert_allclose((shown["mean"] * np.diff(edges)[1:]).sum(), share, rtol=1e-12)


def test_the_frame_is_the_last_of_the_first_run_of_the_middle_point(page, whole):
    data = json.loads(page.source.split('type="application/json">')[1].split("</script>")[0])
    reader = FrameReader(whole.prepared.store)
    steps = np.frombuffer(base64.b64decode(data["position"]), "<u2").reshape(-1, 3)
    row = int(whole.prepared.glass_of_run.tolist().index(0)) + 1
    assert Source.of(whole.directory).run == row
    error = steps / 65535 @ np.array(data["lattice"]) - reader.position(row, 11)
    box = np.diag(data["lattice"])
    assert np.abs(error - box * np.round(error / box)).max() < 1e-4
    names = [one["name"] for one in data["quantities"]]
    assert names[0] == "looseness"
    assert any("D²min" in name for name in names)
    assert names[-1].startswith("species")


def test_too_many_particles_are_not_shown_and_it_says_so(whole, tmp_path):
    _, page = report_of(whole.directory, tmp_path / "page.html", particles=299)
    assert "--particles 300" in page.words
    assert "canvas" not in page.tags
    assert "script" not in page.tags


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


def test_an_empty_campaign_has_a_page(bare):
    written, page = report_of(bare.directory)
    assert page.panels == []
    assert "0 of 48 frames" in page.words
    assert "glasscreep run" in page.why_absent("2A")
    assert '"d2min_histogram" to results' in page.why_absent("3A").replace("&#34;", '"')
    assert not written.figures


def test_while_it_runs_what_is_committed_is_shown(bare):
    bare.write(0, 5)
    bare.write(1, 3)
    _, page = report_of(bare.directory)
    assert {"2A", "2C", "7B"} == set(page.panels)
    assert "8 of 48 frames" in page.words
    assert "creep_fit" in page.why_absent("2B")
    temperature, _ = Source.of(bare.directory).point
    assert len(page.table("2C")) == len(query_table(bare.directory, "strain", temperature))


def test_runs_that_are_no_longer_asked_for_are_not_wanted(bare):
    for row in range(4):
        bare.write(row, 5 + row)
    fewer = bare.extended(replicas=1, grid=[{"temperature": 0.1, "stress": 0.5}])
    (row,) = np.flatnonzero(fewer.prepared.asked)
    _, page = report_of(bare.directory)
    told = f"{5 + row} of 12 frames are committed. Of runs that are no longer asked for there are "
    assert told + f"{26 - 5 - row} more." in page.words
    assert f"{5 + row}/12, " in page.words
    assert page.words.count(" no longer asked for") == 3


def test_the_runs_chosen_are_those_of_one_look(bare):
    class Meanwhile(Selection):
        """Chooses while the campaign goes on."""

        def some_of(self, campaign):
            chosen = super().some_of(campaign)
            bare.write(0, 12)
            return chosen

    bare.write(0, 3)
    run = bare.place(0).name
    source = Source.of(bare.directory, run, None, Meanwhile(where="0 < frames < 5"))
    assert source.runs["id"].tolist() == [run]
    assert source.run == 0


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


def test_what_others_wrote_is_escaped(own):
    evil = "</script></code><script>document.title='had'</script><img src=x onerror=alert(1)>"
    failure = {"kind": evil, "message": evil}
    (own.place(0) / "failure.json").write_text(json.dumps(failure))
    provenance = own.directory / "store.zarr" / "provenance" / own.place(0).name / "zarr.json"
    provenance.parent.mkdir(parents=True)
    segment = {"attempt": 1, "host": evil, "versions": {evil: evil}, "wall_time_s": 1.0}
    provenance.write_text(json.dumps({"attributes": {"segments": [segment]}}))
    _, page = report_of(own.directory)
    assert page.source.count("<script") == page.source.count("</script>") == 2
    assert page.words.count(evil) >= 4
    assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", page.source)
    assert "default-src 'none'" in page.source


@pytest.mark.slow
def test_figures_for_a_paper(whole, tmp_path):
    def draw(name):
        written, _ = report_of(whole.directory, tmp_path / name / "page.html", forms=["pdf", "png"])
        return written.figures

    figures = draw("one")
    names = {path.name for path in figures}
    assert names == {f"figure-{n}.{form}" for n in (2, 3, 6, 7, 8, 9) for form in ("pdf", "png")}
    for first, second in zip(figures, draw("two"), strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
    pdf = next(path for path in figures if path.name == "figure-7.pdf").read_bytes()
    assert b"/FontFile2" in pdf, "letters are a font, not outlines"
    assert f"/MediaBox [ 0 0 {2 * 3.4 * 72:g} ".encode() in pdf
    assert b"CreationDate" not in pdf


def test_the_command_writes_into_the_directory(own):
    done = CliRunner().invoke(app, ["report", str(own.directory)])
    assert done.exit_code == 0, done.output
    assert "19 panels, 0 of them new; not there: 4A, 4B" in done.output
    assert (own.directory / "report.html").is_file()


def test_a_run_is_chosen_by_its_id_or_how_it_begins_as_query_does(whole):
    run = whole.place(2).name
    assert Source.of(whole.directory, run).run == 2
    assert Source.of(whole.directory, run[:9]).run == 2
    ids = [whole.place(row).name for row in range(4)]
    digit = next(one for one in "0123" if not any(name.startswith(one) for name in ids))
    for none in ("x", "", digit):
        with pytest.raises(RefusedError, match=f"no run of .* begins with '{none}'"):
            Source.of(whole.directory, none)


def test_a_frame_that_is_not_stored_is_refused(whole):
    with pytest.raises(GlasscreepError, match=r"frame 12 is not in the store; allowed: 0 to 11"):
        Source.of(whole.directory, whole.place(2).name, 12)


def test_no_campaign_is_refused(tmp_path):
    done = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert done.exit_code == 2
    assert "is not a campaign" in done.stderr
