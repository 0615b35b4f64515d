"""Figures 6 and 7: looseness against what comes of the particles, and against time."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.curves import curves, draw_curves
from glasscreep.campaign.figures.figure_strain import OF_FIT, OF_MEAN, strain_name
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.style import (
    BLUE,
    ORANGE,
    SEQUENTIAL,
    labelled,
    legend,
    with_errors,
)
from glasscreep.campaign.report_source import Source, over_replicas
from glasscreep.tasks.looseness_results import LOOSENESS_FIT
from glasscreep.tasks.strain_results import FIT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL = "looseness $L$"
MANY = 30
"""Particles of a row that the scale of colours goes by: fewer are noise."""


def figure_distributions(source: Source) -> Figure:
    """Give the density over D2min and L, p(L) and p(L|loose), and p(loose|L)."""
    name = f"looseness_histogram_{source.interval}"
    panels = (
        _density_panel(source),
        Panel(
            "B",
            "p(L) of all particles, and p(L | loose) of the loose",
            "densities of integral 1; mean over replicas, with the standard error. All frames, of "
            "replicas that train and that test",
            (name,),
            lambda: _distributions(source, name),
            _draw_distributions,
        ),
        Panel(
            "C",
            "p(loose | L): how many of a looseness are loose",
            "share of the particles in a bin of L that are loose; mean over replicas, with its "
            "standard error. Bins without any loose particle are not drawn",
            (name,),
            lambda: _share(source, name),
            _draw_share,
        ),
    )
    return Figure(6, "Distributions of looseness", panels)


def _density_panel(source: Source) -> Panel:
    name = f"looseness_density_{source.interval}"

    def collect() -> pd.DataFrame:
        table = source.table(name, source.point)
        keys = ["d2min_bin", "looseness_bin"]
        counts = table.groupby(keys)["value"].sum().reset_index(name="count")
        bins = counts["looseness_bin"].nunique()
        total = counts.groupby("d2min_bin")["count"].transform("sum")
        counts["density"] = (counts["count"] / total * bins).where(total > 0)
        return counts[total > 0].reset_index(drop=True)

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        from scipy.ndimage import gaussian_filter

        grid = table.pivot_table(values="density", index="d2min_bin", columns="looseness_bin")
        grid = grid[grid.index > 0]
        middles = grid.columns.to_numpy(float)
        half = (middles[1] - middles[0]) / 2
        lower = grid.index.to_numpy(float)
        step = np.diff(np.log(lower)).min() if len(lower) > 1 else np.log(10)
        # Rows without particles are missing from the table: each row is drawn by itself.
        edges = np.append(middles - half, 1.0)
        smooth = gaussian_filter(grid.to_numpy(), 1.0)
        counts = table.groupby("d2min_bin")["count"].sum().loc[grid.index].to_numpy()
        many = counts >= min(MANY, counts.max())
        top = smooth[many].max()
        for low, row in zip(lower, smooth, strict=True):
            image = axes.pcolormesh(
                edges, [low, low * np.exp(step)], row[None], vmin=0, vmax=top, cmap=SEQUENTIAL,
                rasterized=True,
            )  # fmt: skip
        threshold = source.campaign.loose_threshold
        axes.axhline(threshold, color=ORANGE, lw=1.2)
        axes.axvline(0.5, color="w", lw=0.8, ls=":")
        area = "length^2" if source.system == "lj" else "angstrom^2"
        axes.set(yscale="log", xlim=(0, 1), xlabel=LABEL)
        axes.set_ylabel(labelled("$D^2_{\\min}$", area, source.system))
        axes.figure.colorbar(image, ax=axes, label="density of $L$ in each row", pad=0.02)

    return Panel(
        "A",
        "Density over D²min and L",
        "in each row, particles of similar D²min, the density of L, of integral 1, smoothed "
        "by a Gaussian of one bin; orange: the threshold; the table is not smoothed. All replicas "
        "of the point shown, pooled",
        (name,),
        collect,
        draw,
    )


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
    axes.set(xlim=(0, 1), xlabel=LABEL, ylabel="probability density")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    legend(axes)


def _coarser(table: pd.DataFrame, bins: int = 25) -> pd.DataFrame:
    """Join neighbouring bins, as the loose are few: densities are averaged."""
    together = max(1, len(table) // bins)
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
    seen = table[table["mean"] > 0]
    with_errors(
        axes, seen, "looseness", above_zero=True, color=BLUE, marker="o", linestyle="none",
        markersize=2.4, elinewidth=0.6,
    )  # fmt: skip
    axes.set(
        yscale="log", xlim=(0, 1), xlabel=LABEL, ylabel="share that is loose, $p($loose$\\,|\\,L)$"
    )


def figure_mean(source: Source) -> Figure:
    """Give mean looseness against time, beside strain."""
    system = source.system
    panels = (
        Panel(
            "A",
            "Mean looseness against time",
            f"{OF_MEAN}; dashed: mean of the fits L = slope ln(time) + intercept of the replicas",
            ("looseness_mean", LOOSENESS_FIT),
            partial(curves, source, "looseness_mean", "value", LOOSENESS_FIT),
            partial(draw_curves, ylabel="mean looseness $\\langle L \\rangle$", system=system),
        ),
        Panel(
            "B",
            "Strain against time",
            f"{OF_MEAN}; {OF_FIT}. As in Figure 2, here for comparison",
            ("strain", FIT),
            partial(curves, source, "strain", "value", FIT),
            partial(draw_curves, ylabel=strain_name(source), system=system),
        ),
    )
    return Figure(7, "Looseness and strain against time", panels)
