"""Curves against time, one for each point, with their logarithmic fits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.errors import with_errors
from glasscreep.campaign.figures.labels import TIME, labelled
from glasscreep.campaign.figures.points import by_point, in_common_named, of_points, shown_points
from glasscreep.campaign.figures.style import label_logarithms, legend, legend_on_top
from glasscreep.campaign.replicas import POINT, over_same_replicas, same_replicas
from glasscreep.campaign.report_source import Point, Source
from glasscreep.tasks.errors import AbsentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 40
"""Points of a curve that have markers and bars; more are a line and a band."""


def curves(
    source: Source,
    result: str,
    column: str,
    fit: str | None = None,
    points: Sequence[Point] | None = None,
) -> pd.DataFrame:
    """Average a result over replicas, the same ones at every time of a point.

    Parameters
    ----------
    source : Source
        Of the campaign.
    result, column : str
        Result, and column of its table.
    fit : str, optional
        Result that has slope and intercept against ln(time); the mean of both over the same
        replicas gives a column ``fit``, nan where not all of them have such a fit.
    points : sequence of (temperature, stress), optional
        By default those that `shown_points` chooses.

    Returns
    -------
    pandas.DataFrame
        Columns ``temperature``, ``stress``, ``time``, ``mean``, ``stderr``, ``replicas``, and
        maybe ``fit``.
    """
    shown = shown_points(source) if points is None else points
    own = of_points(source.table(result), shown)
    table = over_same_replicas(source.runs, own, ["time"], column)
    if fit is None:
        return table
    return table.assign(fit=_fits(source, fit, same_replicas(own), table))


def _fits(source: Source, name: str, kept: pd.DataFrame, table: pd.DataFrame) -> "pd.Series[float]":
    try:
        fits = source.table(name)
    except AbsentError:
        return pd.Series(np.nan, table.index)  # runs that go on have none yet
    of_kept = fits[fits["run"].isin(kept["run"])].groupby(POINT)
    known = of_kept[["slope", "intercept"]].mean().assign(known=of_kept.size())
    each = table.join(known, on=POINT)
    line: pd.Series[float] = each["slope"] * np.log(each["time"]) + each["intercept"]
    line[each["known"] != each["replicas"]] = np.nan
    return line


def draw_curves(
    axes: "Axes", table: pd.DataFrame, ylabel: str, system: str, *, logarithmic: bool = False
) -> None:
    """Draw a curve for each point, in colours by what tells the points apart.

    If `logarithmic`, values are on a logarithmic axis, which has no zeros; unless all are 0.
    """
    above_zero = logarithmic and bool((table["mean"] > 0).any())
    for own, look in by_point(axes, table, system):
        few = len(own) <= FEW
        has_fit = "fit" in own and own["fit"].notna().any()
        shape: dict[str, Any] = {"marker": look.marker, "elinewidth": 0.7} if few else {}
        line = "none" if few and has_fit else "-"
        with_errors(
            axes, own, "time", band=not few, above_zero=above_zero, color=look.color,
            label=look.name or None, linestyle=line, **shape,
        )  # fmt: skip
        if has_fit:
            axes.plot(own["time"], own["fit"], color=look.color if few else "k", lw=0.9, ls="--")
    axes.set(xscale="log", xlabel=labelled("time under load", TIME, system), ylabel=ylabel)
    common = in_common_named(table, system)
    if above_zero:
        axes.set_yscale("log")
        legend_on_top(axes, common)
    else:
        if logarithmic:
            axes.set_ylim(bottom=0)
        legend(axes, common)
    label_logarithms(axes)
