"""Curves against time, one for each point, with their logarithmic fits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.style import (
    LEGEND_ENTRIES,
    MARKERS,
    NAMED,
    by_value,
    labelled,
    legend,
    with_errors,
)
from glasscreep.campaign.report_source import NotThereError, Point, Source, over_replicas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SYMBOLS = {"temperature": "$T$", "stress": "$\\sigma$"}
FEW = 40
"""Points of a curve that have markers and bars; more are a line and a band."""


def curves(
    source: Source,
    result: str,
    column: str,
    fit: str | None = None,
    points: Sequence[Point] | None = None,
) -> pd.DataFrame:
    """Average a result over replicas, at every time of every point.

    Parameters
    ----------
    source : Source
        Of the campaign.
    result, column : str
        Result, and column of its table.
    fit : str, optional
        Result that has slope and intercept against ln(time); the mean of both over replicas
        gives a column ``fit``, nan where there is no such fit.
    points : sequence of (temperature, stress), optional
        By default those that `shown_points` chooses.

    Returns
    -------
    pandas.DataFrame
        Columns ``temperature``, ``stress``, ``time``, ``mean``, ``stderr``, ``replicas``, and
        maybe ``fit``.
    """
    table = over_replicas(source.table(result), ["temperature", "stress", "time"], column)
    if fit is not None:
        table["fit"] = np.nan
        for point, (slope, intercept) in _fits(source, fit).items():
            own = (table["temperature"] == point[0]) & (table["stress"] == point[1])
            table.loc[own, "fit"] = slope * np.log(table.loc[own, "time"]) + intercept
    return of_points(table, shown_points(source) if points is None else points)


def lines(source: Source) -> tuple[list[Point], list[Point]]:
    """Choose the points at the stress that has most temperatures, and the other way round."""
    chosen = []
    for fixed in (1, 0):
        counts: dict[float, int] = {}
        for point in source.points:
            counts[point[fixed]] = counts.get(point[fixed], 0) + 1
        most = [value for value, count in counts.items() if count == max(counts.values())]
        middle = sorted(most)[len(most) // 2] if most else None
        chosen.append([point for point in source.points if point[fixed] == middle])
    return chosen[0], chosen[1]


def shown_points(source: Source) -> list[Point]:
    """Choose the points that are drawn together: all, or those that one colour bar can tell."""
    points = list(source.points)
    both_vary = all(len({point[at] for point in points}) > 1 for at in (0, 1))
    if len(points) <= LEGEND_ENTRIES or not both_vary:
        return points
    return max(lines(source), key=len)


def of_points(table: pd.DataFrame, points: Sequence[Point]) -> pd.DataFrame:
    """Take the rows of some points.

    Raises
    ------
    NotThereError
        If there are none: all that is there was committed since the source looked for points.
    """
    pairs = zip(table["temperature"], table["stress"], strict=True)
    own = table[[pair in points for pair in pairs]].reset_index(drop=True)
    if own.empty:
        msg = "the points shown had nothing yet when this was begun; do it again"
        raise NotThereError(msg)
    return own


def _fits(source: Source, name: str) -> dict[Point, tuple[float, float]]:
    try:
        means = source.table(name).groupby(["temperature", "stress"])[["slope", "intercept"]].mean()
    except NotThereError:
        return {}  # runs that go on have none yet; the curve is worth showing
    rows = means.reset_index().to_numpy(float).tolist()
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def draw_curves(
    axes: "Axes", table: pd.DataFrame, ylabel: str, system: str, *, logarithmic: bool = True
) -> None:
    """Draw a curve for each point, in colours by what tells the points apart."""
    groups = [(key, own) for key, own in table.groupby(["temperature", "stress"], sort=True)]
    varied = telling_apart(table)
    names = [
        ", ".join(f"{SYMBOLS[name]} = {own[name].iloc[0]:g}" for name in varied)
        for _, own in groups
    ]
    values = [
        float(own[varied[0]].iloc[0]) if len(varied) == 1 else float(at)
        for at, (_, own) in enumerate(groups)
    ]
    palette = by_value(
        axes, values, NAMED[varied[0]] if len(varied) == 1 else "number of the point"
    )
    for at, (_, own) in enumerate(groups):
        color = palette[values[at]]
        few = len(own) <= FEW
        look: dict[str, Any] = {"marker": MARKERS[at % len(MARKERS)]} if few else {}
        line = "none" if few and "fit" in own and own["fit"].notna().any() else "-"
        label = names[at] if len(groups) <= LEGEND_ENTRIES else None
        with_errors(
            axes,
            own,
            "time",
            band=not few,
            color=color,
            label=label or None,
            linestyle=line,
            **look,
        )
        if "fit" in own and own["fit"].notna().any():
            axes.plot(own["time"], own["fit"], color=color if few else "k", lw=0.9, ls="--")
    axes.set_xlabel(labelled("time under load", "time" if system == "lj" else "ps", system))
    axes.set_ylabel(ylabel)
    if logarithmic:
        axes.set_xscale("log")
    legend(axes)


def telling_apart(table: pd.DataFrame) -> list[str]:
    """Name what is not the same at all points of a table."""
    return [name for name in ("temperature", "stress") if table[name].nunique() > 1]
