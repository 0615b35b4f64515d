"""Figure 9: correlation in time."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.figures.errors import OF_BARS, with_errors, zeros_told
from glasscreep.campaign.figures.field import field_name, field_symbol, instead
from glasscreep.campaign.figures.labels import TIME, density_of, labelled
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.points import (
    draw_points,
    in_common_named,
    points_told,
    shown_table,
)
from glasscreep.campaign.figures.style import BLUE, ORANGE, label_logarithms, legend
from glasscreep.campaign.figures.voxels import voxel_panels
from glasscreep.campaign.replicas import POINT, over_replicas
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 16
LOOKS = {"voxels": (BLUE, "o", "-"), "surrogate": (ORANGE, "s", "--")}


def figure_memory(source: Source) -> Figure:
    """Give the autocorrelation in time, of all and of single voxels, and when it vanishes."""
    panels = (_tacf_panel(source), *voxel_panels(source), _times_panel(source))
    return Figure(9, f"Correlation of {field_name(source)} in time", panels)


def _tacf_panel(source: Source) -> Panel:
    return Panel(
        "A",
        "Autocorrelation in time, of all voxels",
        "deviations from the frame's mean, over voxels and origins; mean over finished replicas, "
        f"with its standard error{points_told(source)}{instead(source)}",
        (f"tacf_{source.field}",),
        partial(_tacf, source),
        partial(_draw_tacf, source=source),
    )


def _tacf(source: Source) -> pd.DataFrame:
    table = shown_table(source, f"tacf_{source.field}")
    table = over_replicas(table[table["value"].notna()], [*POINT, "lag"], "value")
    return table.assign(time=table["lag"] * source.frame_time)


def _draw_tacf(axes: "Axes", table: pd.DataFrame, source: Source) -> None:
    draw_points(axes, table, "time", source.system, markersize=2.4)
    axes.axhline(0, color="k", lw=0.5)
    axes.set_xlabel(labelled("lag $\\Delta t$", TIME, source.system))
    axes.set_ylabel(f"TACF of ${field_symbol(source)}$")
    legend(axes, in_common_named(table, source.system))


def _times_panel(source: Source) -> Panel:
    name = f"decorrelation_times_{source.field}"
    names = {"voxels": name, "surrogate": f"{name}_surrogate"}
    return Panel(
        "D",
        "When single voxels are first uncorrelated",
        "density over voxels in logarithmic bins; mean over replicas, with its standard error, of "
        f"the point {source.point_name}; the surrogate is chance with the same persistence: what "
        f"both have in common says nothing of the glass; {OF_BARS}{instead(source)}",
        tuple(names.values()),
        partial(_times, source, names),
        partial(_draw_times, system=source.system),
        zeros_told,
    )


def _times(source: Source, names: dict[str, str]) -> pd.DataFrame:
    tables = {of: source.table(one, source.point) for of, one in names.items()}
    both = pd.concat(tables.values())["value"].dropna()
    if both.empty:
        msg = (
            "no voxel of the finished runs has a time at which it is first uncorrelated "
            f"({names['voxels']})"
        )
        raise AbsentError(msg)
    edges = np.geomspace(both.min(), both.max() * (1 + 1e-9), BINS + 1)
    parts = [_density(table, edges).assign(of=of) for of, table in tables.items()]
    return pd.concat(parts, ignore_index=True)


def _density(table: pd.DataFrame, edges: NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for replica, own in table.groupby("replica"):
        values = own["value"].dropna().to_numpy()
        counts = np.histogram(values, edges)[0]
        density = counts / max(1, counts.sum()) / np.diff(edges)
        middle = np.sqrt(edges[1:] * edges[:-1])
        rows.append(pd.DataFrame({"replica": replica, "time": middle, "density": density}))
    return over_replicas(pd.concat(rows), ["time"], "density")


def _draw_times(axes: "Axes", table: pd.DataFrame, system: str) -> None:
    for of, (color, marker, line) in LOOKS.items():
        own = table[table["of"] == of]
        with_errors(
            axes, own, "time", above_zero=True, color=color, marker=marker, ls=line,
            markersize=2.6, elinewidth=0.6, label=of,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel(labelled("decorrelation time $t_c$", TIME, system))
    axes.set_ylabel(density_of(TIME, system))
    label_logarithms(axes)
    legend(axes)
