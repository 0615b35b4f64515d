"""Figures 6 and 7: looseness against what comes of the particles, and against time."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import curves, draw_curves
from glasscreep.campaign.figures.density import density_panel
from glasscreep.campaign.figures.errors import OF_BARS, with_errors, zeros_told
from glasscreep.campaign.figures.figure_strain import OF_FIT, OF_MEAN, strain_name
from glasscreep.campaign.figures.labels import LOOSENESS_LABEL
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.points import points_told
from glasscreep.campaign.figures.style import BLUE, ORANGE, legend
from glasscreep.campaign.replicas import over_replicas
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.looseness_results import LOOSENESS_FIT
from glasscreep.tasks.strain_results import FIT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = 25
"""Of the loose, at most: they are few."""


def figure_distributions(source: Source) -> Figure:
    """Give the density over D2min and L, p(L) and p(L|loose), and p(loose|L)."""
    name = f"looseness_histogram_{source.interval}"
    panels = (
        density_panel(source),
        Panel(
            "B",
            "p(L) of all particles, and p(L | loose) of the loose",
            "densities of integral 1; mean over replicas, with the standard error. All frames, of "
            f"replicas that train and that test, of the point {source.point_name}",
            (name,),
            partial(_distributions, source, name),
            _draw_distributions,
        ),
        Panel(
            "C",
            "p(loose | L): how many of a looseness are loose",
            "share of the particles in a bin of L that are loose; mean over replicas, with its "
            f"standard error, of the point {source.point_name}; {OF_BARS}",
            (name,),
            partial(_share, source, name),
            _draw_share,
            zeros_told,
        ),
    )
    return Figure(6, "Distributions of looseness", panels)


def _distributions(source: Source, name: str) -> pd.DataFrame:
    table = source.table(name, source.point)
    parts = []
    for column in ("p_all", "p_loose"):
        known = table[table[column].notna()]  # a replica without loose particles has no p(L|loose)
        parts.append(over_replicas(known, ["looseness"], column).assign(of=column))
    return pd.concat(parts, ignore_index=True)


def _draw_distributions(axes: "Axes", table: pd.DataFrame) -> None:
    loose, whole = (table[table["of"] == name] for name in ("p_loose", "p_all"))
    if len(loose):
        coarse = _coarser(loose)
        width = np.diff(coarse["looseness"]).min()
        axes.bar(
            coarse["looseness"], coarse["mean"], width, yerr=coarse["stderr"].fillna(0.0),
            color=ORANGE, alpha=0.55, edgecolor=ORANGE, linewidth=0.4, error_kw={"lw": 0.5},
            label="$p(L\\,|\\,$loose$)$",
        )  # fmt: skip
    with_errors(axes, whole, "looseness", band=True, color=BLUE, label="$p(L)$")
    axes.axvline(0.5, color="k", lw=0.6, ls=":")
    axes.set(xlim=(0, 1), xlabel=LOOSENESS_LABEL, ylabel="probability density")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    legend(axes)


def _coarser(table: pd.DataFrame) -> pd.DataFrame:
    """Join neighbouring bins: densities are averaged."""
    together = max(1, len(table) // BARS)
    group = np.arange(len(table)) // together
    joined = table.groupby(group).agg(
        looseness=("looseness", "mean"),
        mean=("mean", "mean"),
        stderr=("stderr", lambda errors: np.sqrt((errors**2).sum()) / len(errors)),
    )
    return joined if joined["looseness"].nunique() > 1 else table


def _share(source: Source, name: str) -> pd.DataFrame:
    table = source.table(name, source.point)
    return over_replicas(table[table["loose_fraction"].notna()], ["looseness"], "loose_fraction")


def _draw_share(axes: "Axes", table: pd.DataFrame) -> None:
    with_errors(
        axes, table, "looseness", above_zero=True, color=BLUE, marker="o", linestyle="none",
        markersize=2.4, elinewidth=0.6,
    )  # fmt: skip
    label = "share that is loose, $p($loose$\\,|\\,L)$"
    axes.set(yscale="log", xlim=(0, 1), xlabel=LOOSENESS_LABEL, ylabel=label)


def figure_mean(source: Source) -> Figure:
    """Give mean looseness against time, beside strain."""
    system = source.system
    panels = (
        Panel(
            "A",
            "Mean looseness against time",
            f"{OF_MEAN}; {OF_FIT.replace('strain', 'L')}{points_told(source)}",
            ("looseness_mean", LOOSENESS_FIT),
            partial(curves, source, "looseness_mean", "value", LOOSENESS_FIT),
            partial(draw_curves, ylabel="mean looseness $\\langle L \\rangle$", system=system),
        ),
        Panel(
            "B",
            "Strain against time",
            f"{OF_MEAN}; {OF_FIT}. As in Figure 2, here for comparison{points_told(source)}",
            ("strain", FIT),
            partial(curves, source, "strain", "value", FIT),
            partial(draw_curves, ylabel=strain_name(source), system=system),
        ),
    )
    return Figure(7, "Looseness and strain against time", panels)
