"""Figure 8: fluctuations by size, and correlation in space."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import SYMBOLS, of_points, shown_points, telling_apart
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.style import (
    LEGEND_ENTRIES,
    MARKERS,
    NAMED,
    by_value,
    labelled,
    legend,
    with_errors,
)
from glasscreep.campaign.report_source import Source, over_replicas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINT = ["temperature", "stress"]
TOP = 1.15
"""Of the axis of a correlation that is 1 at distance 0."""


def figure_correlation(source: Source) -> Figure:
    """Give fluctuations against the number of particles, and the autocorrelation in space."""
    return Figure(
        8,
        f"Fluctuations of {field_name(source)}, and its correlation in space",
        (_size_panel(source), _space_panel(source)),
    )


def field_name(source: Source) -> str:
    """Name the field in words."""
    return "looseness" if source.field == "looseness" else f"D²min over {source.interval:,} steps"


def field_symbol(source: Source) -> str:
    """Write the field as a symbol."""
    return "L" if source.field == "looseness" else "D^2_{\\min}"


def instead(source: Source) -> str:
    """Say what stands in for looseness, if the campaign has none."""
    return "" if source.field == "looseness" else ". The paper's is of looseness, not there yet"


def _size_panel(source: Source) -> Panel:
    name = f"size_fluctuations_{source.field}"

    def collect() -> pd.DataFrame:
        table = of_points(source.table(name), shown_points(source))
        table = over_replicas(table, [*POINT, "division"], "value")
        species = source.campaign.learning.species if source.field == "looseness" else "A"
        count = int((source.reader.species == (1 if species == "A" else 2)).sum())
        return table.assign(particles=count / table["division"] ** 3)

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        # Of the whole system nothing is left but rounding.
        seen = table[(table["mean"] > 0) & (table["division"] > 1)].sort_values("particles")
        by_point(axes, seen, "particles")
        first = seen.iloc[len(seen) // 2]
        size = np.unique(seen["particles"])
        guide = first["mean"] * (size / first["particles"]) ** -0.5
        axes.plot(size, guide, color="k", ls="--", lw=0.8, label="$N^{-1/2}$")
        axes.set(xscale="log", yscale="log", xlabel="particles in a voxel, $N$")
        axes.set_ylabel(f"fluctuation $\\Delta {field_symbol(source)}(N)$")
        legend(axes)

    return Panel(
        "A",
        "Fluctuations against the number of particles",
        "root mean square, over voxels and frames, of a voxel's mean less the system's; mean "
        "over replicas, with its standard error; N is the mean number of particles that take "
        f"part in a voxel; dashed: a guide. The whole system is left out{instead(source)}",
        (name,),
        collect,
        draw,
    )


def _space_panel(source: Source) -> Panel:
    name = f"sacf_{source.field}"

    def collect() -> pd.DataFrame:
        table = of_points(source.table(name), shown_points(source))
        table = over_replicas(table[table["value"].notna()], [*POINT, "sacf_distance"], "value")
        lengths = {point: _decay_length(own) for point, own in table.groupby(POINT)}
        pairs = zip(table["temperature"], table["stress"], strict=True)
        return table.assign(decay_length=[lengths[pair] for pair in pairs])

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        by_point(
            axes, table, "sacf_distance", lambda own: f"$\\xi$ = {own['decay_length'].iloc[0]:.2f}"
        )
        length = table["decay_length"].mean()
        r = np.linspace(0, table["sacf_distance"].max(), 200)
        axes.plot(r, np.exp(-r / length), color="k", ls="--", lw=0.8, label="exp($-r/\\xi$)")
        axes.axhline(0, color="k", lw=0.5)
        beyond = table[table["mean"] > TOP]
        axes.plot(beyond["sacf_distance"], 0 * beyond["mean"] + TOP - 0.04, "k^", mfc="none")
        axes.set_ylim(top=TOP)
        units = "length" if source.system == "lj" else "angstrom"
        axes.set_xlabel(labelled("distance $\\Delta r$", units, source.system))
        axes.set_ylabel(f"SACF of ${field_symbol(source)}$")
        legend(axes)

    return Panel(
        "B",
        "Correlation in space",
        "mean over frames and replicas, with the standard error over replicas; "
        "the decay length is that of exp(-r/length), by least absolute deviations over all bins "
        f"that hold pairs; an arrow: beyond the axis, see the table{instead(source)}",
        (name,),
        collect,
        draw,
    )


def _decay_length(curve: pd.DataFrame) -> float:
    from scipy.optimize import minimize_scalar

    r, value = curve["sacf_distance"].to_numpy(), curve["mean"].to_numpy()
    found = minimize_scalar(
        # Not squares: the few pairs nearer than all others correlate far more than exp(-r).
        lambda length: float(np.abs(value - np.exp(-r / length)).sum()),
        bounds=(1e-3, max(float(r.max()), 1e-2)),
        method="bounded",
    )
    return float(found.x)


def by_point(
    axes: "Axes",
    table: pd.DataFrame,
    x: str,
    more: Callable[[pd.DataFrame], str] | None = None,
    **look: Any,
) -> None:
    """Draw means against a column, in a colour for each point, with a word `more` of each."""
    groups = list(table.groupby(POINT, sort=True))
    varied = telling_apart(table)
    single = varied[0] if len(varied) == 1 else None
    values = [
        float(own[single].iloc[0]) if single else float(at) for at, (_, own) in enumerate(groups)
    ]
    palette = by_value(axes, values, NAMED[single] if single else "number of the point")
    for at, (value, (_, own)) in enumerate(zip(values, groups, strict=True)):
        words = [f"{SYMBOLS[name]} = {own[name].iloc[0]:g}" for name in varied]
        words += [more(own)] if more else []
        label = ", ".join(words) if len(groups) <= LEGEND_ENTRIES else ""
        marker = MARKERS[at % len(MARKERS)]
        shape = {"marker": marker, "color": palette[value], "label": label or None, **look}
        with_errors(axes, own, x, **shape)
