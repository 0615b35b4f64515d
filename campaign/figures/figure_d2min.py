"""Figure 3: the microscopic response."""

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import curves, draw_curves
from glasscreep.campaign.figures.layer import layer_panel
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.style import (
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    colours,
    labelled,
    legend,
    unit,
    with_errors,
)
from glasscreep.campaign.report_source import Source, over_replicas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AREA = "length^2"
D2MIN_LABEL = "$D^2_{\\min}$"
TIMES = 4
"""Distributions that are shown, at times as far apart as they go."""


def figure_d2min(source: Source) -> Figure:
    """Give distributions of D2min, its mean, its tail, the share of the loose, and a layer."""
    over = f"over {source.interval:,} steps"
    name = f"d2min_{source.interval}"
    units = _area(source)
    panels = (
        _distribution_panel(source),
        Panel(
            "B",
            f"Mean D²min {over}",
            "mean over all particles, then over replicas, with its standard error",
            (name,),
            partial(curves, source, name, "mean"),
            partial(_draw_mean, units=units, system=source.system),
        ),
        _tail_panel(source),
        Panel(
            "D",
            f"Loose A particles {over}",
            f"share of the A particles with D²min above {source.campaign.loose_threshold:g}; mean "
            "over replicas, with its standard error. Not in the paper's figure",
            (name,),
            partial(curves, source, name, "loose_fraction"),
            partial(_draw_loose, system=source.system),
        ),
        layer_panel(source),
    )
    return Figure(3, f"Microscopic creep response: D²min {over}", panels)


def _area(source: Source) -> str:
    return AREA if source.system == "lj" else "angstrom^2"


def _draw_mean(axes: "Axes", table: pd.DataFrame, units: str, system: str) -> None:
    draw_curves(axes, table, labelled(f"mean {D2MIN_LABEL}", units, system), system)
    axes.set_yscale("log")


def _draw_loose(axes: "Axes", table: pd.DataFrame, system: str) -> None:
    draw_curves(axes, table, "share of A that is loose", system)
    if (table["mean"] > 0).any():
        axes.set_yscale("log")


def _densities(source: Source) -> pd.DataFrame:
    """Count A particles of the point shown, by bin of D2min within the outermost."""
    table = source.table(f"d2min_histogram_{source.interval}", source.point)
    table = table[table["species_name"] == "A"]
    edges = np.unique(table["d2min_bin"])
    upper = dict(itertools.pairwise(edges))
    total = table.groupby(["replica", "frame"])["value"].transform("sum")
    inner = table["d2min_bin"].between(edges[1], edges[-2])
    table = table.assign(total=total)[inner & (total > 0)]
    width = table["d2min_bin"].map(upper) - table["d2min_bin"]
    middle = np.sqrt(table["d2min_bin"] * table["d2min_bin"].map(upper))
    return table.assign(d2min=middle, width=width, density=table["value"] / total / width)


def _distribution_panel(source: Source) -> Panel:
    def collect() -> pd.DataFrame:
        table = _densities(source)
        times = np.unique(table["time"])
        at = np.unique(np.geomspace(1, len(times), TIMES).round().astype(int)) - 1
        return over_replicas(table[table["time"].isin(times[at])], ["time", "d2min"], "density")

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        groups = list(table.groupby("time"))
        for at, (color, (time, own)) in enumerate(zip(colours(len(groups)), groups, strict=True)):
            seen = own[own["mean"] > 0]
            label = f"$t_0$ = {time:g}"
            with_errors(
                axes, seen, "d2min", color=color, label=label, marker=MARKERS[at], linestyle="none",
                markersize=2.4, elinewidth=0.6, above_zero=True,
            )  # fmt: skip
        _log_log(axes, source)
        legend(axes, title=f"time [{unit('time', source.system)}]")

    return Panel(
        "A",
        "Distribution of D²min at several times",
        "probability density over A particles, from the histogram of logarithmic bins; mean over "
        "replicas, with its standard error",
        (f"d2min_histogram_{source.interval}",),
        collect,
        draw,
    )


def _tail_panel(source: Source) -> Panel:
    names = f"d2min_histogram_{source.interval}", f"tail_exponent_{source.interval}"

    def collect() -> pd.DataFrame:
        histogram = _densities(source)
        keys = ["replica", "d2min"]
        sums = histogram.groupby(keys)[["value", "total"]].sum().reset_index()
        width = histogram.groupby("d2min")["width"].first()
        sums["density"] = sums["value"] / sums["total"] / sums["d2min"].map(width)
        table = over_replicas(sums, ["d2min"], "density")
        tail = source.table(names[1], source.point).pivot_table(
            "value", "replica", "tail_parameter"
        )
        share = tail["samples"] / sums.groupby("replica")["total"].first()
        x = table["d2min"].to_numpy()[:, None] / tail["lower"].to_numpy()
        lines = (share * (tail["exponent"] - 1) / tail["lower"]).to_numpy() * x ** -tail[
            "exponent"
        ].to_numpy()
        in_all = (x >= 1).all(axis=1) & (table["mean"] > 0).to_numpy()
        return table.assign(
            fit=np.where(in_all, lines.mean(axis=1), np.nan),
            exponent=tail["exponent"].mean(),
            exponent_stderr=tail["exponent"].sem() if len(tail) > 1 else np.nan,
        )

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        seen = table[table["mean"] > 0]
        with_errors(
            axes, seen, "d2min", color=BLUE, marker="o", linestyle="none", markersize=2.4,
            elinewidth=0.6, label="all frames", above_zero=True,
        )  # fmt: skip
        exponent, error = table["exponent"].iloc[0], table["exponent_stderr"].iloc[0]
        told = f"{exponent:.2f}" + (f" ± {error:.2f}" if np.isfinite(error) else "")
        axes.plot(
            seen["d2min"], seen["fit"], color=ORANGE, ls="--", lw=1.4, label=f"exponent $-${told}"
        )
        above = source.campaign.loose_threshold
        axes.axvline(above, color=GREY, lw=0.8, ls=":", label=f"loose above {above:g}")
        _log_log(axes, source)
        legend(axes)

    return Panel(
        "C",
        "Tail of D²min and its exponent",
        "density over A particles of all frames; dashed: the power law of each replica, by maximum "
        "likelihood, averaged where each has one, with the mean of their exponents. The paper's "
        "panel has the exponent against time",
        names,
        collect,
        draw,
    )


def _log_log(axes: "Axes", source: Source) -> None:
    units = _area(source)
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel(labelled(D2MIN_LABEL, units, source.system))
    inverse = unit(units, source.system)
    axes.set_ylabel(f"probability density [1 / {inverse}]")
