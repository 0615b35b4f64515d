"""The correlation in space is drawn where there are pairs, with a decay length and its error."""

import numpy as np
import pytest
import zarr
from numpy.testing import assert_allclose

from glasscreep.campaign.figures.figure_correlation import figure_correlation
from glasscreep.campaign.figures.style import panel_grid, styled
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.places import STORE

LENGTHS = {(0.1, 0): 0.5, (0.1, 1): 0.74, (0.3, 0): 0.9, (0.3, 1): 1.02}
"""By temperature and replica."""
NEAR = 0.4
"""Amplitude."""


@pytest.fixture
def panel(own):
    """Take the panel of correlations that are exponentials, but for empty bins and one above 1."""
    source = Source.of(own.directory)
    store = zarr.open_group(own.directory / STORE, mode="r+", use_consolidated=False)
    r = store["sacf_distance"][:]
    for row, run in source.runs.iterrows():
        value = NEAR * np.exp(-r / LENGTHS[run["temperature"], run["replica"]])
        value[0], value[(r > 0) & (r < 0.8)], value[np.isclose(r, 0.9)] = 1.0, np.nan, 4.0
        store[f"sacf_{source.field}"][row] = np.broadcast_to(value, (12, len(r)))
    return figure_correlation(source).panels[1]


def drawn(panel, table):
    with styled():
        figure, (axes,) = panel_grid(1)
        panel.draw(axes, table)
        figure.draw_without_rendering()
    return axes


def test_the_length_is_the_mean_over_replicas_with_its_error(panel):
    table = panel.collect()
    for temperature, own in table.groupby("temperature"):
        lengths = np.array([LENGTHS[temperature, replica] for replica in (0, 1)])
        assert_allclose(own["decay_length"], lengths.mean(), rtol=1e-6)
        assert_allclose(own["decay_length_stderr"], np.ptp(lengths) / 2, rtol=1e-5)
        r = own["sacf_distance"].to_numpy()[1:, None]
        assert_allclose(own["fit"].iloc[1:], NEAR * np.exp(-r / lengths).mean(axis=1), rtol=1e-5)
    texts = [text.get_text() for text in drawn(panel, table).get_legend().get_texts()]
    assert texts == [
        "$T$ = 0.1, $\\xi$ = 0.6 ± 0.1 LJ length",
        "$T$ = 0.3, $\\xi$ = 0.96 ± 0.06 LJ length",
    ]


def test_no_line_crosses_bins_without_pairs_or_leaves_the_axes(panel):
    table = panel.collect()
    axes = drawn(panel, table)
    low, high = axes.get_ylim()
    for line in axes.lines:
        if line.get_linestyle() == "None":
            continue
        at, value = line.get_data()
        at, value = np.asarray(at)[np.isfinite(value)], np.asarray(value)[np.isfinite(value)]
        assert ((low <= value) & (value <= high)).all()
        assert line.get_linestyle() == "--" or (value == 0).all()
        assert line.get_linestyle() == "-" or at.min() > 0.8
    inside = table[table["mean"] <= 1]
    assert low < inside["mean"].min()
    assert inside["mean"].max() < high
    arrows = [
        line for line in axes.lines if line.get_marker() == "^" and len(line.get_xdata()) == 1
    ]
    assert [float(line.get_xdata()[0]) for line in arrows] == pytest.approx([0.9, 0.9])
    assert panel.told(table) == "2 means are above the axis, as arrows show: at most 4, at r = 0.9"


def test_without_a_decay_there_is_no_length(whole):
    panel = figure_correlation(Source.of(whole.directory)).panels[1]
    table = panel.collect()
    assert table["decay_length"].isna().all()
    assert not panel.told(table)
    texts = [text.get_text() for text in drawn(panel, table).get_legend().get_texts()]
    assert texts == ["$T$ = 0.1", "$T$ = 0.3"]
