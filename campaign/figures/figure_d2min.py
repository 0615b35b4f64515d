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
from glasscreep.campaign.replicas import in_common, over_replicas, over_same_replicas, with_error
from glasscreep.campaign.report_source import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TIMES = 4
"""Distributions that are shown, at times as far apart as they go."""
OF_TAIL = ("exponent", "lower", "distance")
"""Parameters of the fit of a tail that are told."""
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
    in_frame = table.groupby(["replica", "frame"])["value"]
    total = in_frame.transform("sum")
    # Also those of the outermost bin count as above.
    above = total - in_frame.cumsum() + table["value"]
    inner = table["d2min_bin"].between(edges[1], edges[-2])
    table = table.assign(total=total, above=above)[inner & (total > 0)]
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
        f"error; {OF_BARS}. Dashed: the power law p(x) ~ x^-exponent of the mean exponent, which maximum "
        "likelihood gives each replica from a lower bound of its own on; drawn from the bin's edge "
        "nearest to the mean bound, its integral the share of particles beyond. KS: mean distance, after "
        "Kolmogorov and Smirnov, of a replica's tail from its power law. Where the line leaves the "
        f"points, the tail is no power law. Of the point {source.point_name}. The paper's panel has "
        "the exponent against time",
        (f"d2min_histogram_{source.interval}", f"tail_exponent_{source.interval}"),
        partial(_tails, source),
        partial(_draw_tails, system=source.system, above=source.campaign.loose_threshold),
        zeros_told,
    )


def _tails(source: Source) -> pd.DataFrame:
    histogram = _densities(source)
    tail = source.table(f"tail_exponent_{source.interval}", source.point).pivot_table(
        "value", "replica", "tail_parameter"
    )
    # Runs that go on have no exponent yet, and no tail as long as the others.
    histogram = histogram[histogram["replica"].isin(tail.index)]
    bins = ["d2min_bin", "d2min", "width"]
    sums = histogram.groupby([*bins, "replica"])[["value", "above", "total"]].sum().reset_index()
    sums["density"] = sums["value"] / sums["total"] / sums["width"]
    table = over_replicas(sums, ["d2min"], "density")
    law = _power_law(tail, sums.assign(share=sums["above"] / sums["total"]), table["d2min"])
    told = {name: tail[name].mean() for name in OF_TAIL}
    errors = {f"{name}_stderr": tail[name].sem() for name in OF_TAIL}
    return table.assign(fit=law, **told, **errors)


def _power_law(
    tail: pd.DataFrame, sums: pd.DataFrame, d2min: "pd.Series[float]"
) -> "pd.Series[float]":
    """Give the law of the mean exponent, from near the mean lower bound on; nan before."""
    shares = sums.groupby("d2min_bin")["share"].mean()
    apart = np.abs(np.log(shares.index / tail["lower"].mean()))
    lower, exponent = shares.index[int(np.argmin(apart))], tail["exponent"].mean()
    front = shares[lower] * (exponent - 1) / lower
    return (front * (d2min / lower) ** -exponent).where(d2min >= lower)


def _draw_tails(axes: "Axes", table: pd.DataFrame, system: str, above: float) -> None:
    with_errors(axes, table, "d2min", above_zero=True, color=BLUE, label="all frames", **DOTS)
    exponent, lower, distance = (
        with_error(*table[[name, f"{name}_stderr"]].iloc[0]) for name in OF_TAIL
    )
    label = f"$x^{{-\\alpha}}$, $\\alpha$ = {exponent},\nfrom {lower} on, KS {distance}"
    seen = table[table["mean"] > 0]
    axes.plot(seen["d2min"], seen["fit"], color=ORANGE, ls="--", lw=1.4, label=label)
    axes.axvline(above, color=GREY, lw=0.8, ls=":", label=f"loose above {above:g}")
    _log_log(axes, system)
    legend(axes)


def _log_log(axes: "Axes", system: str) -> None:
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel=labelled(D2MIN_LABEL, AREA, system), ylabel=density_of(AREA, system))
