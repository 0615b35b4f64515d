"""Figure 8: fluctuations by size, and correlation in space."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.field import field_name, field_symbol, instead, of_field
from glasscreep.campaign.figures.labels import LENGTH, labelled
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.points import draw_points, points_told, shown_table
from glasscreep.campaign.figures.style import label_logarithms, legend
from glasscreep.campaign.replicas import POINT, over_replicas, over_same_replicas
from glasscreep.campaign.report_source import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOP = 1.15
"""Of the axis of a correlation that is 1 at distance 0."""


def figure_correlation(source: Source) -> Figure:
    """Give fluctuations against the number of particles, and the autocorrelation in space."""
    return Figure(
        8,
        f"Fluctuations of {field_name(source)}, and its correlation in space",
        (_size_panel(source), _space_panel(source)),
    )


def _size_panel(source: Source) -> Panel:
    return Panel(
        "A",
        "Fluctuations against the number of particles",
        "root mean square, over voxels and frames, of a voxel's mean less the system's; mean "
        "over replicas, with its standard error; N is the mean number of particles that take "
        f"part in a voxel; dashed: a guide. The whole system is left out{points_told(source)}{instead(source)}",
        (f"size_fluctuations_{source.field}",),
        partial(_sizes, source),
        partial(_draw_sizes, source=source),
    )


def _sizes(source: Source) -> pd.DataFrame:
    table = shown_table(source, f"size_fluctuations_{source.field}")
    table = over_replicas(table, [*POINT, "division"], "value")
    species = source.campaign.learning.species if source.field == "looseness" else "A"
    count = int((source.reader.species == (1 if species == "A" else 2)).sum())
    return table.assign(particles=count / table["division"] ** 3)


def _draw_sizes(axes: "Axes", table: pd.DataFrame, source: Source) -> None:
    # Of the whole system nothing is left but rounding.
    seen = table[(table["mean"] > 0) & (table["division"] > 1)].sort_values("particles")
    draw_points(axes, seen, "particles", source.system)
    first = seen.iloc[len(seen) // 2]
    size = np.unique(seen["particles"])
    guide = first["mean"] * (size / first["particles"]) ** -0.5
    axes.plot(size, guide, color="k", ls="--", lw=0.8, label="$N^{-1/2}$")
    axes.set(xscale="log", yscale="log", xlabel="particles in a voxel, $N$")
    axes.set_ylabel(of_field(f"fluctuation $\\Delta {field_symbol(source)}(N)$", source))
    label_logarithms(axes)
    legend(axes)


def _space_panel(source: Source) -> Panel:
    return Panel(
        "B",
        "Correlation in space",
        "mean over frames and then over replicas, of each point of the same frames, with the "
        "standard error over replicas; the decay length is that of exp(-r/length), by least absolute "
        f"deviations over all bins that hold pairs; an arrow: beyond the axis, see the table"
        f"{points_told(source)}{instead(source)}",
        (f"sacf_{source.field}",),
        partial(_correlations, source),
        partial(_draw_correlations, source=source),
    )


def _correlations(source: Source) -> pd.DataFrame:
    table = shown_table(source, f"sacf_{source.field}")
    known = table[table["value"].notna()]
    means = over_same_replicas(source.runs, known, ["sacf_distance"], "value")
    lengths = {point: _decay_length(own) for point, own in means.groupby(POINT)}
    pairs = zip(means["temperature"], means["stress"], strict=True)
    return means.assign(decay_length=[lengths[pair] for pair in pairs])


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


def _length_told(own: pd.DataFrame) -> str:
    return f"$\\xi$ = {own['decay_length'].iloc[0]:.2f}"


def _draw_correlations(axes: "Axes", table: pd.DataFrame, source: Source) -> None:
    draw_points(axes, table, "sacf_distance", source.system, _length_told)
    mean = table["decay_length"].mean()
    r = np.linspace(0, table["sacf_distance"].max(), 200)
    axes.plot(r, np.exp(-r / mean), color="k", ls="--", lw=0.8, label="exp($-r/\\xi$)")
    axes.axhline(0, color="k", lw=0.5)
    beyond = table[table["mean"] > TOP]
    axes.plot(beyond["sacf_distance"], 0 * beyond["mean"] + TOP - 0.04, "k^", mfc="none")
    axes.set_ylim(top=TOP)
    axes.set_xlabel(labelled("distance $\\Delta r$", LENGTH, source.system))
    axes.set_ylabel(f"SACF of ${field_symbol(source)}$")
    legend(axes)
