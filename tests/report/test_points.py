"""Which points are drawn is said in the picture and in its caption, also of one alone."""

import pandas as pd
import pytest
from report_page import Page

from glasscreep.campaign.figures.curves import draw_curves
from glasscreep.campaign.figures.figure_strain import figure_strain
from glasscreep.campaign.figures.style import panel_grid, styled
from glasscreep.campaign.report import write_report
from glasscreep.campaign.report_source import Source
from glasscreep.campaign.selection_options import Selection

MEANS = {"time": [10.0, 20.0], "mean": [1.0, 2.0], "stderr": [0.1, 0.2]}


def legend_of(draw, table):
    with styled():
        _, (axes,) = panel_grid(1)
        draw(axes, table)
    legend = axes.get_legend()
    return legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize(
    ("points", "system", "title", "names"),
    [
        ([(0.1, 0.5)], "lj", "", ["$T$ = 0.1, $\\sigma$ = 0.5"]),
        ([(300, 5)], "metal", "", ["$T$ = 300 K, $\\sigma$ = 5 bar"]),
        ([(0.1, 0.5), (0.2, 0.5)], "lj", "$\\sigma$ = 0.5", ["$T$ = 0.1", "$T$ = 0.2"]),
        ([(0.1, 0.5), (0.1, 0.6)], "lj", "$T$ = 0.1", ["$\\sigma$ = 0.5", "$\\sigma$ = 0.6"]),
    ],
)
def test_a_legend_names_the_points_and_what_they_share(points, system, title, names, logarithmic):
    table = pd.concat(
        [pd.DataFrame(MEANS).assign(temperature=point[0], stress=point[1]) for point in points]
    )
    drawn = legend_of(
        lambda axes, table: draw_curves(axes, table, "it", system, logarithmic=logarithmic), table
    )
    assert drawn == (title, names)


def test_one_temperature_is_named(whole):
    source = Source.of(whole.directory, selection=Selection(temperature=[0.3]))
    panels = {panel.letter: panel for panel in figure_strain(source).panels}
    tables = {letter: panel.collect() for letter, panel in panels.items()}
    assert legend_of(panels["A"].draw, tables["A"])[1] == ["$T$ = 0.3, $\\sigma$ = 0.5"]
    assert legend_of(panels["B"].draw, tables["B"])[1] == ["$T$ = 0.3"]
    assert legend_of(panels["C"].draw, tables["C"])[0] == "$T$ = 0.3, $\\sigma$ = 0.5"


def test_captions_say_what_all_points_share(whole, page, tmp_path):
    one = Source.of(whole.directory, selection=Selection(temperature=[0.3]))
    page_of_one = Page(write_report(one, tmp_path / "one.html").page)
    for panel in ("2A", "3B", "3D", "7A", "7B", "8A", "8B", "9A"):
        assert "All at stress 0.5. " in page.captions[panel]
        assert "All at temperature 0.3, stress 0.5. " in page_of_one.captions[panel]
