"""A query gives the stored numbers of the runs asked for, and says what there is if none match."""

import csv
import io
import json
import re

import numpy as np
import pytest
from damaging import flip
from numpy.testing import assert_allclose, assert_array_equal

from glasscreep.campaign.problems import RefusedError
from glasscreep.campaign.query import query_table
from glasscreep.campaign.table_files import render
from glasscreep.tasks.errors import AbsentError, DamagedError, GlasscreepError
from glasscreep.tasks.reader import FrameReader


def test_strain_of_one_point(running):
    table = query_table(running.directory, "strain", temperature=0.1, stress=0.5, replica=0)
    assert list(table) == [
        "run", "temperature", "stress", "replica", "frame", "step", "time", "value",
    ]  # fmt: skip
    assert table["run"].unique().tolist() == [running.place(0).name]
    assert table["frame"].tolist() == list(range(12))
    assert table["step"].tolist() == [20 * (frame + 1) for frame in range(12)]
    assert_allclose(table["time"], table["step"] * 0.01)
    assert_array_equal(table["value"], running.array("strain")[0])


def test_strain_is_there_with_the_frame_before_it_is_analysed(running):
    table = query_table(running.directory, "strain", temperature=0.3)
    assert table["frame"].tolist() == [0, 1, 2, 3, 4]
    assert np.isnan(running.array("strain")[1]).all()
    edges = FrameReader(running.prepared.store).box_edges(1)[:, 2]
    assert_allclose(table["value"], 1 - edges / (running.frames.box[0, 2] * 1.01), rtol=1e-12)
    loaded = query_table(running.directory, "strain_loaded", temperature=0.3)
    assert loaded["value"].iloc[0] == 0


def test_all_runs_without_conditions(running):
    table = query_table(running.directory, "potential_energy")
    assert table.groupby("run", sort=False).size().tolist() == [12, 5, 1]
    assert table["value"].iloc[12] == -7.5


def test_what_has_axes_has_columns_for_them(running):
    table = query_table(running.directory, "box_edges", replica=1)
    assert list(table)[-3:] == ["x", "y", "z"]
    edges = FrameReader(running.prepared.store).box_edges(2)
    assert_array_equal(table[["x", "y", "z"]], edges)


@pytest.mark.parametrize(
    "sections",
    [
        {"learning": {"threshold": 2e-3}},
        {"looseness": {"threshold": 2e-3}},
        {"looseness": {"threshold": 2e-3}, "learning": {"threshold": 0.1}},
    ],
    ids=lambda sections: " and ".join(sections),
)
@pytest.mark.usefixtures("small_files")
def test_d2min_is_summed_up_frame_by_frame(make, corner, tmp_path, sections):
    analysis = {"d2min_intervals": [20, 60], "looseness": sections.get("looseness", {})}
    learning = sections.get("learning", {})
    quiet = make(tmp_path / "quiet", corner, analysis=analysis, learning=learning)
    quiet.write(0, 12)
    quiet.analyse(0)
    table = query_table(quiet.directory, "d2min_60")
    values = quiet.array("d2min_60")[0, :9]
    assert table["frame"].tolist() == list(range(9))
    assert_allclose(table["mean"], values.mean(axis=1), rtol=1e-12)
    species = quiet.array("species")
    assert_array_equal(table["loose_fraction"], (values[:, species == 1] > 2e-3).mean(axis=1))
    assert 0 < table["loose_fraction"].mean() < 1


def test_creep_fit_of_finished_runs(running):
    table = query_table(running.directory, "creep_fit")
    assert len(table) == 1
    fit = table.iloc[0]
    stored = running.array("creep_fit")[0]
    assert_array_equal(
        fit[["slope", "intercept", "slope_stderr", "intercept_stderr"]].astype(float), stored
    )
    assert fit["creep_modulus"] == 0.5 / stored[0]
    assert fit["creep_modulus_stderr"] == pytest.approx(0.5 * stored[2] / stored[0] ** 2)


def test_a_run_without_frames_gives_an_empty_table(campaign):
    table = query_table(campaign.directory, "strain")
    assert len(table) == 0
    assert "value" in table
    assert render(table, "csv") == "run,temperature,stress,replica,frame,step,time,value\n"
    assert render(table, "json") == "[]\n"
    assert len(query_table(campaign.directory, "creep_fit")) == 0


def test_a_computed_temperature_matches(running):
    assert len(query_table(running.directory, "strain", temperature=0.1 + 0.2)) == 5


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"temperature": 0.2}, "there is no run at temperature 0.2; .* is one of: 0.1, 0.3"),
        (
            {"temperature": 0.1, "stress": 0.7},
            "no run at temperature 0.1, stress 0.7; there stress is one of: 0.5",
        ),
        ({"replica": 7}, "no run at replica 7; there replica is one of: 0, 1"),
    ],
)
def test_a_point_that_is_not_there_names_those_that_are(running, options, text):
    with pytest.raises(AbsentError, match=text):
        query_table(running.directory, "strain", **options)


def test_an_unknown_result_is_told_where_there_is_a_list(running):
    command = re.escape(f"`glasscreep query {running.directory}` lists those there are.")
    with pytest.raises(AbsentError, match=rf"no result 'x': .*\. {command}"):
        query_table(running.directory, "x")


def test_a_directory_without_a_campaign(tmp_path):
    with pytest.raises(GlasscreepError, match="is not a campaign"):
        query_table(tmp_path, "strain")


def test_damage_is_named(campaign):
    campaign.write(0, 12)
    campaign.analyse(0)
    path = campaign.prepared.store / "d2min_20" / "c.0.0.0"
    flip(path, at=100)
    with pytest.raises(
        DamagedError,
        match=rf"run {campaign.place(0).name}, frames 0 to 3, array d2min_20 .*, frame 0",
    ):
        query_table(campaign.directory, "d2min_20")


def test_csv_keeps_all_digits(running):
    table = query_table(running.directory, "strain", temperature=0.1)
    rows = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert [float(row["value"]) for row in rows] == table["value"].tolist()
    assert [row["run"] for row in rows] == table["run"].tolist()


def test_json_keeps_all_digits_and_writes_nan_as_null(running):
    table = query_table(running.directory, "strain", temperature=0.1)
    table.loc[0, "value"] = np.nan
    rows = json.loads(render(table, "json"))
    assert rows[0]["value"] is None
    assert rows[0]["frame"] == 0
    assert [row["value"] for row in rows[1:]] == table["value"].tolist()[1:]


def test_table_is_for_reading(running):
    lines = render(query_table(running.directory, "strain", temperature=0.1), "table").splitlines()
    assert lines[0].split()[-1] == "value"
    assert len(lines) == 14


def test_unknown_format_names_those_there_are(running):
    table = query_table(running.directory, "strain")
    with pytest.raises(RefusedError, match="no format 'xml'; choose from table, csv, json"):
        render(table, "xml")
