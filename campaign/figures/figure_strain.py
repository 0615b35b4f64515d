"""Figure 2: the macroscopic response."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import curves, draw_curves
from glasscreep.campaign.figures.errors import with_errors
from glasscreep.campaign.figures.labels import POINT_LABELS, STRAIN_NAMES, TIME, labelled
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.points import lines, named, points_told
from glasscreep.campaign.figures.style import (
    BLACK,
    BLUE,
    LEGEND_ENTRIES,
    MARKERS,
    by_value,
    label_logarithms,
    legend,
)
from glasscreep.campaign.replicas import BEHIND, POINT, in_common, left_out
from glasscreep.campaign.report_source import Point, Source
from glasscreep.tasks.strain_results import FIT
from glasscreep.tasks.units import PRESSURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OF_FIT = (
    "dashed, where all of them have one: mean of the fits strain = slope ln(time) + intercept of "
    "the replicas"
)
OF_MEAN = "mean over replicas, the same ones at all times, with its standard error"


def figure_strain(source: Source) -> Figure:
    """Give strain against time by temperature and by stress, creep modulus, and single runs."""
    temperatures, stresses = lines(source)
    panels = [
        _curves_panel(source, "A", "Strain against time, by temperature", temperatures),
        _modulus_panel(source),
        _single_panel(source),
    ]
    if len(stresses) > 1:
        panels.append(_curves_panel(source, "D", "Strain against time, by stress", stresses))
    return Figure(2, "Macroscopic creep response", tuple(panels))


def strain_name(source: Source) -> str:
    """Name what the loading strains."""
    return STRAIN_NAMES[source.campaign.creep.loading]


def _curves_panel(source: Source, letter: str, title: str, points: list[Point]) -> Panel:
    return Panel(
        letter,
        title,
        f"{OF_MEAN}; {OF_FIT}. Time on a logarithmic axis{points_told(source, points)}",
        ("strain", FIT),
        partial(curves, source, "strain", "value", FIT, points),
        partial(draw_curves, ylabel=strain_name(source), system=source.system),
    )


def _modulus_panel(source: Source) -> Panel:
    return Panel(
        "B",
        "Creep modulus against stress",
        "stress over the mean slope of the replicas' creep fits; bars follow from the standard error "
        "of that mean. Where the slope is no larger than its error the modulus means nothing, and "
        "is in the table alone",
        (FIT,),
        partial(_moduli, source),
        partial(_draw_moduli, system=source.system),
    )


def _moduli(source: Source) -> pd.DataFrame:
    table = source.table(FIT).groupby(POINT)["slope"].agg(["mean", "sem", "count"]).reset_index()
    slope = table["mean"]
    return pd.DataFrame(
        {
            **{key: table[key] for key in POINT},
            "mean": table["stress"] / slope,
            "stderr": table["stress"].abs() * table["sem"] / slope**2,
            "replicas": table["count"],
            "slope": slope,
            "slope_stderr": table["sem"],
        }
    )


def _draw_moduli(axes: "Axes", table: pd.DataFrame, system: str) -> None:
    certain = ~(table["slope"].abs() <= table["slope_stderr"])
    groups = list(table[certain].groupby("temperature"))
    label = labelled(*POINT_LABELS["temperature"], system)
    palette = by_value(axes, list(table["temperature"][certain]), label)
    for at, (_, own) in enumerate(groups):
        temperature = float(own["temperature"].iloc[0])
        name = named(own, ["temperature"], system) if len(groups) <= LEGEND_ENTRIES else None
        with_errors(
            axes, own, "stress", color=palette[temperature], label=name,
            marker=MARKERS[at % len(MARKERS)], linestyle=":" if len(own) > 1 else "none",
        )  # fmt: skip
    axes.set_xlabel(labelled("stress $\\sigma_0$", PRESSURE, system))
    axes.set_ylabel(labelled("creep modulus $C$", PRESSURE, system))
    axes.margins(y=0.15)
    if (table["stress"] > 0).all():
        axes.set_xlim(0, 1.15 * table["stress"].max())
    legend(axes)


def _single_panel(source: Source) -> Panel:
    point = source.point
    where = "" if point is None else f" at temperature {point[0]:g}, stress {point[1]:g}"
    return Panel(
        "C",
        f"Strain of each replica{where}",
        "blue: single replicas; black: their mean, of the same ones at all times",
        ("strain",),
        partial(_single_runs, source),
        partial(_draw_single, ylabel=strain_name(source), system=source.system),
    )


def _single_runs(source: Source) -> pd.DataFrame:
    table = source.table("strain", source.point)
    kept = in_common(table)
    found = table[[*POINT, "replica", "run", "frame", "time", "value"]].assign(
        averaged=table.index.isin(kept.index), replicas=kept["run"].nunique()
    )
    found.attrs[BEHIND] = left_out(source.runs, table, kept)
    return found


def _draw_single(axes: "Axes", table: pd.DataFrame, ylabel: str, system: str) -> None:
    shades = np.linspace(0.35, 0.9, max(1, table["replica"].nunique()))
    for shade, (_, own) in zip(shades, table.groupby("replica"), strict=True):
        axes.plot(own["time"], own["value"], color=BLUE, alpha=shade, lw=0.7)
    if table["replicas"].iloc[0] > 1:
        mean = table[table["averaged"]].groupby("time")["value"].mean()
        axes.plot(mean.index, mean.to_numpy(), color=BLACK, lw=1.6, label="mean")
    axes.plot([], [], color=BLUE, lw=0.7, label="single replicas")
    axes.set(xscale="log", xlabel=labelled("time under load", TIME, system), ylabel=ylabel)
    label_logarithms(axes)
    legend(axes, named(table, POINT, system))
