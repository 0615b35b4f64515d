"""Means against time are of the same replicas all along; who is behind is named."""

import pandas as pd
import pytest
from filled_campaign import FilledCampaign, Frames, make_campaign, make_files_small
from numpy.testing import assert_allclose
from report_page import Page

from glasscreep.campaign.figures.figure_strain import _draw_moduli
from glasscreep.campaign.figures.style import panel_grid
from glasscreep.campaign.query import query_table
from glasscreep.campaign.replicas import BEHIND, in_common, replicas_told
from glasscreep.campaign.report import write_report
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.summary import plot_strain

ANALYSES = {
    "results": ["strain", "creep_fit", "d2min", "d2min_histogram", "tail_exponent", "sacf"],
    "d2min_intervals": [20],
    "looseness": {"threshold": 0.004},
    "d2min_histogram": {"lowest": 1e-4, "highest": 0.1, "per_decade": 2},
    "sacf": {"reach": 2.0, "bins": 10},
}
LENGTHS = {0: 8, 1: 8, 2: 12, 3: 5}
"""Frames by replica; replica 4 has none."""
SHOWN, UNTIL = [0, 1, 2], 8


@pytest.fixture(scope="module")
def unequal(tmp_path_factory) -> FilledCampaign:
    """One point, its replicas as far as `LENGTHS` says."""
    with pytest.MonkeyPatch.context() as patch:
        make_files_small(patch)
        filled = make_campaign(
            tmp_path_factory.mktemp("unequal") / "unequal",
            Frames.of_corner(200),
            replicas=5,
            grid=[{"temperature": 0.1, "stress": 0.5}],
            analysis=ANALYSES,
        )
        for row, replica in enumerate(filled.prepared.table.replica):
            if int(replica) in LENGTHS:
                filled.write(row, LENGTHS[int(replica)])
                filled.analyse(row)
        return filled


@pytest.fixture(scope="module")
def page(unequal) -> Page:
    return Page(write_report(Source.of(unequal.directory), unequal.directory / "page.html").page)


def mean_of(directory, result: str, column: str, until: int) -> pd.DataFrame:
    table = query_table(directory, result)
    own = table[table["replica"].isin(SHOWN) & (table["frame"] < until)]
    return own.groupby("time")[column].agg(["mean", "sem"]).reset_index()


@pytest.mark.parametrize(
    ("panel", "result", "column", "until"),
    [
        ("2A", "strain", "value", UNTIL),
        ("7B", "strain", "value", UNTIL),
        ("3B", "d2min_20", "mean", UNTIL - 1),  # of the last frame there is none
        ("3D", "d2min_20", "loose_fraction", UNTIL - 1),
    ],
)
def test_a_mean_against_time_is_of_the_replicas_that_have_come_so_far(
    page, unequal, panel, result, column, until
):
    shown, expected = page.table(panel), mean_of(unequal.directory, result, column, until)
    assert_allclose(shown["time"], expected["time"])
    assert_allclose(shown["mean"], expected["mean"], rtol=1e-12)
    assert_allclose(shown["stderr"], expected["sem"], rtol=1e-9)
    assert (shown["replicas"] == len(SHOWN)).all()
    assert page.captions[panel].count("Replicas: 3; not in the means, having fewer frames:") == 1
    left = 5 if result == "strain" else 3
    assert (
        f"3 ({left} frames) at temperature 0.1, stress 0.5; 4 (0 frames) at" in page.captions[panel]
    )


def test_single_replicas_are_all_shown_and_their_mean_is_of_the_same(page):
    table = page.table("2C")
    assert table.groupby("replica").size().to_dict() == LENGTHS
    assert sorted(set(table["replica"][table["averaged"]])) == SHOWN
    assert table["frame"][table["averaged"]].max() == UNTIL - 1
    assert "3 (5 frames) at" in page.captions["2C"]


def test_distributions_and_correlations_are_of_the_same_frames(page, unequal):
    histogram = page.table("3A")
    assert histogram["time"].max() <= page.table("3B")["time"].max()
    assert (histogram["replicas"] == len(SHOWN)).all()
    sacf = query_table(unequal.directory, "sacf_d2min_20")
    own = sacf[sacf["replica"].isin(SHOWN) & (sacf["frame"] < UNTIL - 1) & sacf["value"].notna()]
    each = own.groupby(["sacf_distance", "replica"])["value"].mean()
    assert_allclose(
        page.table("8B")["mean"], each.groupby("sacf_distance").mean(), rtol=1e-12, atol=1e-15
    )
    assert "3 (3 frames) at" in page.captions["8B"]


def test_a_tail_is_of_the_replicas_that_have_an_exponent(page):
    tail = page.table("3C")
    assert (tail["replicas"] == 1).all()
    assert tail["fit"].notna().any(), "runs that go on take nothing from it"


def test_a_fit_is_drawn_where_all_have_one(page, unequal):
    assert page.table("2A")["fit"].isna().all()
    assert page.table("2B")["replicas"].tolist() == [1]


def test_the_plot_at_the_end_of_a_run_follows_the_same_rule(unequal, monkeypatch):
    from glasscreep.campaign import summary

    drawn = []
    draw = summary.draw_curves
    monkeypatch.setattr(
        summary,
        "draw_curves",
        lambda axes, table, *more: draw(axes, drawn.append(table) or table, *more),
    )
    plot_strain(unequal.directory)
    assert (drawn[0]["replicas"] == len(SHOWN)).all()


@pytest.mark.parametrize(
    ("lengths", "replicas", "frames"),
    [([4, 4, 4], 3, 4), ([4, 2], 2, 2), ([4, 1], 1, 4), ([4, 3, 3], 3, 3), ([9, 2, 2], 1, 9)],
)
def test_there_are_most_values_and_of_as_many_most_replicas(lengths, replicas, frames):
    rows = [(run, float(time)) for run, length in enumerate(lengths) for time in range(length)]
    kept = in_common(pd.DataFrame(rows, columns=["run", "time"]))
    assert kept["run"].nunique() == replicas
    assert kept.groupby("run").size().tolist() == [frames] * replicas


def test_of_very_many_behind_some_are_named():
    table = pd.DataFrame({"temperature": [0.1, 0.2], "stress": 0.5, "replicas": [3, 4]})
    table.attrs[BEHIND] = {
        (0.1, 0.5): dict.fromkeys(range(10), 7),
        (0.2, 0.5): dict.fromkeys(range(10), 0),
        (0.3, 0.5): {5: 1},
    }
    told = replicas_told(table)
    assert told.startswith("Replicas: 3 to 4, see the table; not in the means")
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 (7 frames) at temperature 0.1, stress 0.5; " in told
    assert told.endswith("0, 1 (0 frames) at temperature 0.2, stress 0.5 and 8 more")


def test_a_modulus_that_means_nothing_is_in_the_table_alone():
    table = pd.DataFrame(
        {
            "temperature": 0.1, "stress": [0.1, 0.2], "mean": [200.0, 1e9], "stderr": [20.0, 1e10],
            "slope": [1e-3, 1e-9], "slope_stderr": [1e-4, 1e-8],
        }
    )  # fmt: skip
    _, (axes,) = panel_grid(1)
    _draw_moduli(axes, table, "lj")
    assert axes.get_ylim()[1] < 1000
    _, (axes,) = panel_grid(1)
    _draw_moduli(axes, table.iloc[1:], "lj")
    assert not axes.containers
