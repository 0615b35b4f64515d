"""The power law that the report draws has what the replicas have beyond their bounds."""

import numpy as np
import pytest

from glasscreep.campaign.figures.figure_d2min import figure_d2min
from glasscreep.campaign.figures.style import panel_grid, styled
from glasscreep.campaign.query import query_table
from glasscreep.campaign.report_source import Source

PARAMETERS = ["exponent", "lower", "distance"]


@pytest.fixture
def panel(whole):
    panels = figure_d2min(Source.of(whole.directory)).panels
    return next(panel for panel in panels if panel.letter == "C")


@pytest.fixture
def tail(whole):
    """Take the fits of the replicas of the point shown, by run."""
    source = Source.of(whole.directory)
    table = query_table(whole.directory, f"tail_exponent_{source.interval}", *source.point)
    return table.pivot_table("value", "run", "tail_parameter")


def test_what_is_told_is_the_mean_over_replicas(panel, tail):
    table = panel.collect()
    assert len(tail) == 2
    for name in PARAMETERS:
        np.testing.assert_allclose(table[name], tail[name].mean())
        np.testing.assert_allclose(table[f"{name}_stderr"], tail[name].sem())


def test_the_law_has_the_share_of_all_particles_beyond_its_bound(whole, panel, tail):
    source = Source.of(whole.directory)
    drawn = panel.collect().dropna(subset="fit")
    exponent = tail["exponent"].mean()
    edges = np.geomspace(1e-4, 0.1, 7)
    lower = edges[np.argmin(np.abs(np.log(edges / tail["lower"].mean())))]
    d2min, species = whole.array(f"d2min_{source.interval}"), whole.array("species")
    shares = []
    for row in range(len(d2min)):
        if whole.place(row).name in tail.index:
            values = d2min[row][:, species == 1]
            shares.append((values[~np.isnan(values)] >= lower).mean())
    law = np.mean(shares) * (exponent - 1) / lower * (drawn["d2min"] / lower) ** -exponent
    assert len(drawn)
    assert drawn["d2min"].min() >= lower
    np.testing.assert_allclose(drawn["fit"], law, rtol=1e-9)


def test_the_legend_tells_exponent_bound_and_distance(panel):
    table = panel.collect().assign(
        exponent=2.974, exponent_stderr=0.09, lower=0.0638, lower_stderr=0.004,
        distance=0.0272, distance_stderr=0.001,
    )  # fmt: skip
    with styled():
        _, (axes,) = panel_grid(1)
        panel.draw(axes, table)
        legend = " ".join(text.get_text() for text in axes.get_legend().get_texts())
    assert "$\\alpha$ = 2.97 ± 0.09,\nfrom 0.064 ± 0.004 on, KS 0.027 ± 0.001" in legend
