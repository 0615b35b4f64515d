"""Logarithmic axes fit what is above zero, and captions say how much is not."""

import numpy as np
import pandas as pd
import pytest

from glasscreep.campaign.figures.curves import draw_curves
from glasscreep.campaign.figures.errors import with_errors, zeros_told
from glasscreep.campaign.figures.style import panel_grid, styled


def means(mean, stderr, points=2):
    """Make a table of the same means at each of some points."""
    one = pd.DataFrame({"time": np.geomspace(10, 200, len(mean)), "mean": mean, "stderr": stderr})
    return pd.concat([one.assign(temperature=0.1 * at, stress=0.5) for at in range(points)])


def drawn(table, **more):
    with styled():
        figure, (axes,) = panel_grid(1)
        draw_curves(axes, table, "a share", "lj", **more)
        figure.draw_without_rendering()
    return axes


def test_zeros_and_bars_down_to_zero_do_not_stretch_the_axis():
    rounding = 1e-3 - 1e-19
    axes = drawn(means([1e-2, 0.0, 1e-3, 4e-3], [1e-3, 0.0, rounding, 1e-3]), logarithmic=True)
    low, high = axes.get_ylim()
    assert axes.get_yscale() == "log"
    assert 1e-5 < low < 1e-4
    assert 1.1e-2 < high < 1
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1e-2, np.nan, 1e-3, 4e-3])


def test_the_legend_is_above_all_that_is_drawn():
    axes = drawn(means([1e-2, 3e-2], [1e-3, 2e-2], points=4), logarithmic=True)
    legend = axes.get_legend().get_window_extent()
    assert axes.transData.transform([10, 5e-2])[1] < legend.y0
    assert legend.y1 <= axes.get_window_extent().y1


def test_a_band_ends_above_zero_too():
    _, (axes,) = panel_grid(1)
    with_errors(axes, means([1.0, 2.0], [3.0, np.nan], 1), "time", band=True, above_zero=True)
    (band,) = axes.collections
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(0.1)


def test_means_that_are_all_zero_are_on_a_linear_axis():
    table = means([0.0, 0.0], [0.0, 0.0])
    axes = drawn(table, logarithmic=True)
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0
    assert not zeros_told(table)


def test_what_is_not_drawn_is_counted():
    assert not zeros_told(means([1.0, 2.0], [0.0, 0.0]))
    assert zeros_told(means([0.0, 2.0, 3.0], [0.0, 0.0, 0.0], 1)).startswith("1 of 3 means is 0")
    assert zeros_told(means([0.0, 2.0], [0.0, 0.0])).startswith("2 of 4 means are 0")


def test_captions_count_the_zeros_of_their_tables(page):
    counts = {}
    for name in ("3A", "3B", "3C", "3D", "6C", "9D"):
        means = page.table(name)["mean"]
        counts[name] = int((means <= 0).sum())
        told = f"{counts[name]} of {len(means)} means" in page.captions[name]
        assert told == (0 < counts[name] < len(means)), name
    assert any(counts.values())
