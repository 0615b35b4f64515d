"""Axes have units, and labels that have room."""

import pytest

from glasscreep.campaign.figures.labels import AREA, TIME, density_of, labelled, unit
from glasscreep.campaign.figures.style import label_logarithms, panel_grid, styled
from glasscreep.tasks.units import PRESSURE, TEMPERATURE


@pytest.mark.parametrize(
    ("dimensions", "lj", "metal"),
    [
        (TIME, "LJ time", "ps"),
        (AREA, "LJ length²", "Å²"),
        (PRESSURE, "LJ energy / length³", "bar"),
        (TEMPERATURE, "LJ energy", "K"),
    ],
)
def test_units_are_those_of_the_system(dimensions, lj, metal):
    assert (unit(dimensions, "lj"), unit(dimensions, "metal")) == (lj, metal)
    assert labelled("it", dimensions, "metal") == f"it [{metal}]"
    assert density_of(dimensions, "lj") == f"probability density [1 / {lj}]"


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.5, 4.0, ["0.5", "1", "2"]),
        (100.0, 2000.0, ["100", "200", "500", "1000", "2000"]),
        (2.0, 5.0, ["2", "3", "4", "5"]),
    ],
)
def test_logarithmic_axes_of_few_decades_have_plain_labels(low, high, labels):
    with styled():
        figure, (axes,) = panel_grid(1)
        axes.set(xscale="log", xlim=(low, high))
        label_logarithms(axes)
        figure.draw_without_rendering()
        ticks = [*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks()]
        shown = {
            tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high * (1 + 1e-9)
        }
    assert sorted(shown - {""}, key=float) == labels


def test_axes_of_many_decades_keep_powers_of_ten():
    with styled():
        figure, (axes,) = panel_grid(1)
        axes.set(xscale="log", xlim=(1e-6, 1.0))
        label_logarithms(axes)
        figure.draw_without_rendering()
    assert "10^{-4}" in " ".join(tick.get_text() for tick in axes.get_xticklabels())
