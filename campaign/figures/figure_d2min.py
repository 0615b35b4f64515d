"""Figure 3: the microscopic response."""

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import curves, draw_curves
from glasscreep.campaign.figures.errors import OF_BARS, with_errors, zeros_told
from glasscreep.campaign.figures.figure_strain import OF_MEAN
from glasscreep.campaign.figures.labels import AREA, D2MIN_LABEL, TIME, density_of, labelled, unit
from glasscreep.campaign.figures.layer import layer_panel
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.points import points_told
from glasscreep.campaign.figures.style import (
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    colours,
    legend,
)
from glasscreep.campaign.replicas import in_common, over_replicas, over_same_replicas
from glasscreep.campaign.report_source import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TIMES = 4
"""Distributions that are shown, at times as far apart as they go."""
DOTS: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 2.4, "elinewidth": 0.6}


def figure_d2min(source: Source) -> Figure:
    """Give distributions of D2min, its mean, its tail, the share of the loose, and a layer."""
    panels = (
        _distribution_panel(source),
        _mean_panel(source),
        _tail_panel(source),
        _loose_panel(source),
        layer_panel(source),
    )
    return Figure(3, f"Microscopic creep response: D²min {_over(source)}", panels)


def _over(source: Source) -> str:
    return f"over {source.interval:,} steps"


def _mean_panel(source: Source) -> Panel:
    name = f"d2min_{source.interval}"
    return Panel(
        "B",
        f"Mean D²min {_over(source)}",
        f"mean over all particles, then {OF_MEAN}; {OF_BARS}{points_told(source)}",
        (name,),
        partial(curves, source, name, "mean"),
        partial(
            draw_curves,
            ylabel=labelled(f"mean {D2MIN_LABEL}", AREA, source.system),
            system=source.system,
            logarithmic=True,
        ),
        zeros_told,
    )


def _loose_panel(source: Source) -> Panel:
    name = f"d2min_{source.interval}"
    return Panel(
        "D",
        f"Loose A particles {_over(source)}",
        f"share of the A particles with D²min above {source.campaign.loose_threshold:g}; {OF_MEAN}; {OF_BARS}. "
        f"Not in the paper's figure{points_told(source)}",
        (name,),
        partial(curves, source, name, "loose_fraction"),
        partial(
            draw_curves, ylabel="share of A that is loose", system=source.system, logarithmic=True
        ),
        zeros_told,
    )


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
    return Panel(
        "A",
        "Distribution of D²min at several times",
        "probability density over A particles, from the histogram of logarithmic bins; "
        f"{OF_MEAN}; {OF_BARS}. Of the point {source.point_name}",
        (f"d2min_histogram_{source.interval}",),
        partial(_at_times, source),
        partial(_draw_at_times, system=source.system),
        zeros_told,
    )


def _at_times(source: Source) -> pd.DataFrame:
    table = _densities(source)
    times = np.unique(in_common(table)["time"])
    at = np.unique(np.geomspace(1, len(times), TIMES).round().astype(int)) - 1
    means = over_same_replicas(source.runs, table, ["time", "d2min"], "density")
    return means[means["time"].isin(times[at])]


def _draw_at_times(axes: "Axes", table: pd.DataFrame, system: str) -> None:
    groups = list(table.groupby("time"))
    for at, (color, (time, own)) in enumerate(zip(colours(len(groups)), groups, strict=True)):
        look = {**DOTS, "marker": MARKERS[at], "color": color, "label": f"$t_0$ = {time:g}"}
        with_errors(axes, own, "d2min", above_zero=True, **look)
    _log_log(axes, system)
    legend(axes, title=f"time [{unit(TIME, system)}]")


def _tail_panel(source: Source) -> Panel:
    return Panel(
        "C",
        "Tail of D²min and its exponent",
        "density over A particles of all frames, mean over the finished replicas, with its standard "
        "error; dashed: the power law of each replica, by maximum likelihood, averaged where each "
        f"has one, with the mean of their exponents. Of the point {source.point_name}. The paper's "
        "panel has the exponent against time",
        (f"d2min_histogram_{source.interval}", f"tail_exponent_{source.interval}"),
        partial(_tails, source),
        partial(_draw_tails, system=source.system, above=source.campaign.loose_threshold),
    )


def _tails(source: Source) -> pd.DataFrame:
    histogram = _densities(source)
    tail = source.table(f"tail_exponent_{source.interval}", source.point).pivot_table(
        "value", "replica", "tail_parameter"
    )
    # Runs that go on have no exponent yet, and no tail as long as the others.
    histogram = histogram[histogram["replica"].isin(tail.index)]
    keys = ["replica", "d2min"]
    sums = histogram.groupby(keys)[["value", "total"]].sum().reset_index()
    width = histogram.groupby("d2min")["width"].first()
    sums["density"] = sums["value"] / sums["total"] / sums["d2min"].map(width)
    table = over_replicas(sums, ["d2min"], "density")
    return table.assign(
        fit=_power_laws(tail, sums.groupby("replica")["total"].first(), table),
        exponent=tail["exponent"].mean(),
        exponent_stderr=tail["exponent"].sem() if len(tail) > 1 else np.nan,
    )


def _power_laws(
    tail: pd.DataFrame, total: "pd.Series[float]", table: pd.DataFrame
) -> "pd.Series[float]":
    """Average the power laws of replicas, where each has one; nan elsewhere."""
    x = table["d2min"].to_numpy()[:, None] / tail["lower"].to_numpy()
    front = tail["samples"] / total * (tail["exponent"] - 1) / tail["lower"]
    laws = front.to_numpy() * x ** -tail["exponent"].to_numpy()
    in_all = (x >= 1).all(axis=1) & (table["mean"] > 0).to_numpy()
    return pd.Series(np.where(in_all, laws.mean(axis=1), np.nan), table.index)


def _draw_tails(axes: "Axes", table: pd.DataFrame, system: str, above: float) -> None:
    seen = table[table["mean"] > 0]
    with_errors(axes, seen, "d2min", above_zero=True, color=BLUE, label="all frames", **DOTS)
    exponent, error = table["exponent"].iloc[0], table["exponent_stderr"].iloc[0]
    told = f"{exponent:.2f}" + (f" ± {error:.2f}" if np.isfinite(error) else "")
    label = f"exponent $-${told}"
    axes.plot(seen["d2min"], seen["fit"], color=ORANGE, ls="--", lw=1.4, label=label)
    axes.axvline(above, color=GREY, lw=0.8, ls=":", label=f"loose above {above:g}")
    _log_log(axes, system)
    legend(axes)


def _log_log(axes: "Axes", system: str) -> None:
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel=labelled(D2MIN_LABEL, AREA, system), ylabel=density_of(AREA, system))
