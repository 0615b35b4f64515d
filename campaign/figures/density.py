"""The density of particles over D2min and looseness."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.labels import AREA, D2MIN_LABEL, LOOSENESS_LABEL, labelled
from glasscreep.campaign.figures.panel import Panel
from glasscreep.campaign.figures.style import ORANGE, SEQUENTIAL
from glasscreep.campaign.report_source import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 30
"""Particles of a row that the scale of colours goes by: fewer are noise."""


def density_panel(source: Source) -> Panel:
    """Give, of particles of each D2min, the density of looseness."""
    return Panel(
        "A",
        "Density over D²min and L",
        "in each row, particles of similar D²min, the density of L, of integral 1, smoothed "
        f"by a Gaussian of one bin; colours go by rows of {MANY} particles and more; orange: the threshold. "
        "The table is not smoothed; its d2min_bin is the lower edge of a bin, its looseness_bin the "
        f"middle. All replicas of the point {source.point_name}, pooled",
        (f"looseness_density_{source.interval}",),
        partial(_densities, source),
        partial(_draw, system=source.system, threshold=source.campaign.loose_threshold),
    )


def _densities(source: Source) -> pd.DataFrame:
    table = source.table(f"looseness_density_{source.interval}", source.point)
    keys = ["d2min_bin", "looseness_bin"]
    counts = table.groupby(keys)["value"].sum().reset_index(name="count")
    bins = counts["looseness_bin"].nunique()
    total = counts.groupby("d2min_bin")["count"].transform("sum")
    counts["density"] = (counts["count"] / total * bins).where(total > 0)
    counts["replicas"] = table["replica"].nunique()
    return counts[total > 0].reset_index(drop=True)


def _draw(axes: "Axes", table: pd.DataFrame, system: str, threshold: float) -> None:
    from scipy.ndimage import gaussian_filter

    grid = table.pivot_table(values="density", index="d2min_bin", columns="looseness_bin")
    grid = grid[grid.index > 0]
    middles = grid.columns.to_numpy(float)
    edges = np.append(middles - (middles[1] - middles[0]) / 2, 1.0)
    lower = grid.index.to_numpy(float)
    step = np.diff(np.log(lower)).min() if len(lower) > 1 else np.log(10)
    smooth = gaussian_filter(grid.to_numpy(), 1.0)
    counts = table.groupby("d2min_bin")["count"].sum().loc[grid.index].to_numpy()
    scale = {"vmin": 0, "vmax": smooth[counts >= min(MANY, counts.max())].max(), "cmap": SEQUENTIAL}
    # Rows without particles are missing from the table: each row is drawn by itself.
    for low, row in zip(lower, smooth, strict=True):
        image = axes.pcolormesh(
            edges, [low, low * np.exp(step)], row[None], rasterized=True, **scale
        )
    axes.axhline(threshold, color=ORANGE, lw=1.2)
    axes.axvline(0.5, color="w", lw=0.8, ls=":")
    axes.set(yscale="log", xlim=(0, 1), xlabel=LOOSENESS_LABEL)
    axes.set_ylabel(labelled(D2MIN_LABEL, AREA, system))
    axes.figure.colorbar(image, ax=axes, label="density of $L$ in each row", pad=0.02, extend="max")
