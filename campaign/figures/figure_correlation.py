"""Figure 8: fluctuations by size, and correlation in space."""

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.field import field_name, field_symbol, instead, of_field
from glasscreep.campaign.figures.labels import LENGTH, labelled, unit
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.points import (
    draw_points,
    in_common_named,
    points_told,
    shown_table,
)
from glasscreep.campaign.figures.style import label_logarithms, legend
from glasscreep.campaign.replicas import (
    POINT,
    over_replicas,
    over_same_replicas,
    same_replicas,
    with_error,
)
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
    legend(axes, in_common_named(table, source.system))


def _space_panel(source: Source) -> Panel:
    return Panel(
        "B",
        "Correlation in space",
        "mean over frames and then over replicas, of each point of the same frames, with the "
        "standard error over replicas; dashed: the exponential A exp(-r/ξ) with A and ξ of least "
        "squares for each replica, over the bins at r > 0 that hold pairs and do not exceed the "
        "correlation at r = 0, which is of particles with themselves; mean of these curves and of ξ "
        f"over replicas if all have one, with its standard error{points_told(source)}{instead(source)}",
        (f"sacf_{source.field}",),
        partial(_correlations, source),
        partial(_draw_correlations, source=source),
        _beyond_told,
    )


def _correlations(source: Source) -> pd.DataFrame:
    table = shown_table(source, f"sacf_{source.field}")
    known = table[table["value"].notna()]
    means = over_same_replicas(source.runs, known, ["sacf_distance"], "value")
    fits = _decays(known)
    parts = [_with_decay(own, fits.loc[point]) for point, own in means.groupby(POINT)]
    found = pd.concat(parts)
    found.attrs = means.attrs
    return found


def _decays(known: pd.DataFrame) -> pd.DataFrame:
    """Fit an exponential to the mean over frames of each replica; indexed by the point."""
    from glasscreep.analysis.decay import decay_length

    keys = [*POINT, "replica"]
    means = same_replicas(known).groupby([*keys, "sacf_distance"])["value"].mean().reset_index()
    fits = {
        key: asdict(decay_length(own["sacf_distance"], own["value"]))
        for key, own in means.groupby(keys)
    }
    return pd.DataFrame(fits).T.rename_axis(keys)


def _with_decay(means: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """Add the mean of the replicas' exponentials, and of their lengths, if all have one."""
    r = means["sacf_distance"].to_numpy()
    amplitude, length = fits["amplitude"].to_numpy(), fits["length"].to_numpy()
    laws = amplitude * np.exp(-r[:, None] / length)
    return means.assign(
        fit=np.where(r > 0, laws.mean(axis=1), np.nan),
        decay_length=length.mean(),
        decay_length_stderr=fits["length"].sem(skipna=False),
    )


def _length_told(own: pd.DataFrame, system: str) -> str:
    length, error = own[["decay_length", "decay_length_stderr"]].iloc[0]
    if np.isnan(length):
        return ""
    return f"$\\xi$ = {with_error(length, error)} {unit(LENGTH, system)}"


def _beyond_told(table: pd.DataFrame) -> str:
    beyond = table[table["mean"] > TOP]
    if beyond.empty:
        return ""
    most = beyond.loc[beyond["mean"].idxmax()]
    verb = "mean is" if len(beyond) == 1 else "means are"
    return (
        f"{len(beyond)} {verb} above the axis, as arrows show: at most "
        f"{with_error(most['mean'], most['stderr'])}, at r = {most['sacf_distance']:g}"
    )


def _draw_correlations(axes: "Axes", table: pd.DataFrame, source: Source) -> None:
    system = source.system
    told = partial(_length_told, system=system)
    look_of = {"linestyle": "none", "markersize": 2.4}
    for own, look in draw_points(axes, table, "sacf_distance", system, told, **look_of):
        axes.plot(own["sacf_distance"], own["fit"], color=look.color, ls="--", lw=0.9)
        beyond = own.loc[own["mean"] > TOP, "sacf_distance"]
        axes.plot(beyond, 0 * beyond + TOP - 0.04, "^", color=look.color, mfc="none")
    axes.axhline(0, color="k", lw=0.5)
    lowest = (table["mean"] - table["stderr"].fillna(0.0)).min()
    axes.set_ylim(min(lowest, 0.0) - 0.1, TOP)
    axes.set_xlabel(labelled("distance $r$", LENGTH, system))
    axes.set_ylabel(f"SACF of ${field_symbol(source)}$")
    legend(axes, in_common_named(table, system))
