"""Figure 2: the macroscopic response."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import curves, draw_curves, lines
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.style import (
    BLACK,
    BLUE,
    LEGEND_ENTRIES,
    MARKERS,
    NAMED,
    by_value,
    labelled,
    legend,
    with_errors,
)
from glasscreep.campaign.report_source import Point, Source
from glasscreep.tasks.strain_results import FIT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRAIN_NAMES = {
    "compression": "compressive strain $\\varepsilon$",
    "tension": "tensile strain $\\varepsilon$",
    "hydrostatic": "compression of the volume",
    "shear": "shear strain $\\gamma$",
}
"""By the loading."""
PRESSURE = {"lj": "energy / length^3", "metal": "bar"}
OF_FIT = "dashed: mean of the fits strain = slope ln(time) + intercept of the replicas"
OF_MEAN = "mean over replicas, with its standard error"


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
        f"{OF_MEAN}; {OF_FIT}. Time on a logarithmic axis.",
        ("strain", FIT),
        partial(curves, source, "strain", "value", FIT, points),
        partial(draw_curves, ylabel=strain_name(source), system=source.system),
    )


def _modulus_panel(source: Source) -> Panel:
    def collect() -> pd.DataFrame:
        fits = source.table(FIT)
        keys = ["temperature", "stress"]
        table = fits.groupby(keys)["slope"].agg(["mean", "sem", "count"]).reset_index()
        slope = table["mean"]
        return pd.DataFrame(
            {
                **{key: table[key] for key in keys},
                "mean": table["stress"] / slope,
                "stderr": table["stress"].abs() * table["sem"] / slope**2,
                "replicas": table["count"],
                "slope": slope,
                "slope_stderr": table["sem"],
            }
        )

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        units = PRESSURE[source.system]
        palette = by_value(axes, list(table["temperature"]), NAMED["temperature"])
        groups = list(table.groupby("temperature"))
        for at, (_, own) in enumerate(groups):
            temperature = float(own["temperature"].iloc[0])
            label = f"$T$ = {temperature:g}" if len(groups) <= LEGEND_ENTRIES else None
            with_errors(
                axes, own, "stress", color=palette[temperature], label=label,
                marker=MARKERS[at % len(MARKERS)], linestyle=":" if len(own) > 1 else "none",
            )  # fmt: skip
        axes.set_xlabel(labelled("stress $\\sigma_0$", units, source.system))
        axes.set_ylabel(labelled("creep modulus $C$", units, source.system))
        axes.margins(y=0.15)
        if (table["stress"] > 0).all():
            axes.set_xlim(0, 1.15 * table["stress"].max())
        if len(groups) > 1:
            legend(axes)

    return Panel(
        "B",
        "Creep modulus against stress",
        "stress over the mean slope of the replicas' creep fits; bars follow from the standard error "
        "of that mean. Where the slope is no larger than its error it means nothing",
        (FIT,),
        collect,
        draw,
    )


def _single_panel(source: Source) -> Panel:
    def collect() -> pd.DataFrame:
        table = source.table("strain", source.point)
        return table[["replica", "run", "frame", "time", "value"]]

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        shades = np.linspace(0.35, 0.9, max(1, table["replica"].nunique()))
        for shade, (_, own) in zip(shades, table.groupby("replica"), strict=True):
            axes.plot(own["time"], own["value"], color=BLUE, alpha=shade, lw=0.7)
        mean = table.groupby("time")["value"].mean()
        axes.plot(mean.index, mean.to_numpy(), color=BLACK, lw=1.6, label="mean")
        axes.plot([], [], color=BLUE, lw=0.7, label="single replicas")
        axes.set_xscale("log")
        time = labelled("time under load", "time" if source.system == "lj" else "ps", source.system)
        axes.set(xlabel=time, ylabel=strain_name(source))
        legend(axes)

    point = source.point
    where = "" if point is None else f" at temperature {point[0]:g}, stress {point[1]:g}"
    return Panel(
        "C",
        f"Strain of each replica{where}",
        "blue: single replicas; black: their mean, at each time over those that have come so far",
        ("strain",),
        collect,
        draw,
    )
