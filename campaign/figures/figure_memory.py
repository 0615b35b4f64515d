"""Figure 9: correlation in time."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.figures.curves import of_points, shown_points
from glasscreep.campaign.figures.figure_correlation import (
    POINT,
    by_point,
    field_name,
    field_symbol,
    instead,
)
from glasscreep.campaign.figures.panel import Figure, Panel
from glasscreep.campaign.figures.style import (
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    colours,
    labelled,
    legend,
    with_errors,
)
from glasscreep.campaign.report_particles import particle_values
from glasscreep.campaign.report_source import NotThereError, Source, over_replicas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VOXELS_SHOWN = 4
BINS = 16


def figure_memory(source: Source) -> Figure:
    """Give the autocorrelation in time, of all and of single voxels, and when it vanishes."""
    panels = (_tacf_panel(source), *_voxel_panels(source), _times_panel(source))
    return Figure(9, f"Correlation of {field_name(source)} in time", panels)


def _time_label(what: str, source: Source) -> str:
    return labelled(what, "time" if source.system == "lj" else "ps", source.system)


def _interval(source: Source) -> float:
    return float(source.campaign.creep.frame_interval * source.campaign.model.timestep)


def _tacf_panel(source: Source) -> Panel:
    name = f"tacf_{source.field}"

    def collect() -> pd.DataFrame:
        table = of_points(source.table(name), shown_points(source))
        table = over_replicas(table[table["value"].notna()], [*POINT, "lag"], "value")
        return table.assign(time=table["lag"] * _interval(source))

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        by_point(axes, table, "time", markersize=2.4)
        axes.axhline(0, color="k", lw=0.5)
        axes.set_xlabel(_time_label("lag $\\Delta t$", source))
        axes.set_ylabel(f"TACF of ${field_symbol(source)}$")
        legend(axes)

    return Panel(
        "A",
        "Autocorrelation in time, of all voxels",
        "deviations from the frame's mean, over voxels and origins; mean over replicas, with its "
        f"standard error{instead(source)}",
        (name,),
        collect,
        draw,
    )


def _voxel_panels(source: Source) -> tuple[Panel, Panel]:
    needs = source.field, f"decorrelation_times_{source.field}", "position"

    @cache
    def fields() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return _voxel_fields(source)

    def series() -> pd.DataFrame:
        values, shown = fields()
        return pd.DataFrame(
            {
                "time": (np.arange(len(values)) + 1) * _interval(source),
                **{f"voxel_{voxel}": values[:, voxel] for voxel in shown[:1]},
                "system": np.nanmean(values, axis=1),
            }
        )

    def correlations() -> pd.DataFrame:
        from glasscreep.analysis.temporal import temporal_autocorrelation

        values, shown = fields()
        found = temporal_autocorrelation(values, mean="voxel", per_voxel=True).voxels
        assert found is not None
        half = -(-len(values) // 2)  # at longer lags, few pairs of frames are left
        lag = np.arange(half) * _interval(source)
        return pd.DataFrame({"time": lag, **{f"voxel_{at}": found[:half, at] for at in shown}})

    def draw_series(axes: "Axes", table: pd.DataFrame) -> None:
        (voxel,) = [name for name in map(str, table) if name.startswith("voxel_")]
        axes.plot(
            table["time"], table[voxel], color=BLUE, marker="o", markersize=2.4, label="one voxel"
        )
        axes.plot(table["time"], table["system"], color=GREY, ls="--", label="mean of all")
        axes.set_xlabel(_time_label("time under load", source))
        axes.set_ylabel(f"${field_symbol(source)}$ of a voxel")
        legend(axes)

    def draw_correlations(axes: "Axes", table: pd.DataFrame) -> None:
        names = [name for name in map(str, table) if name.startswith("voxel_")]
        for at, (name, color) in enumerate(zip(names, colours(len(names)), strict=True)):
            axes.plot(table["time"], table[name], color=color, marker=MARKERS[at], markersize=2.4,
                      label=name.replace("_", " "))  # fmt: skip
        axes.axhline(0, color="k", lw=0.5)
        axes.set_xlabel(_time_label("lag $\\Delta t$", source))
        axes.set_ylabel("TACF of a voxel")
        legend(axes)

    what = "of the run shown, voxels chosen by how fast they forget, from the slowest on"
    return (
        Panel(
            "B",
            "One voxel against time",
            f"the slowest voxel {what[:16]}",
            needs,
            series,
            draw_series,
        ),
        Panel(
            "C",
            "Autocorrelation in time, of single voxels",
            f"{what}; each voxel's own mean is removed; lags up to half the run",
            needs,
            correlations,
            draw_correlations,
        ),
    )


def _voxel_fields(source: Source) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Map the field of each frame of the run shown to voxels; choose some of these."""
    from glasscreep.analysis.voxels import voxel_field

    times = source.table(f"decorrelation_times_{source.field}", source.point)
    source.table(source.field, source.point)
    own = times[times["run"] == source.reader.run_ids[source.run or 0]].set_index("voxel")["value"]
    if own.empty:
        msg = "the run shown has no decorrelation times yet; they come when it is finished"
        raise NotThereError(msg)
    voxels = source.campaign.analysis.voxels.voxels
    fields = np.stack(
        [
            voxel_field(*_particles(source, frame), voxels).mean.ravel()
            for frame in range(_frames(source))
        ]
    )
    full = np.asarray(np.isfinite(fields).all(axis=0))
    order = own[own.notna()].sort_values(ascending=False, kind="stable").index.to_numpy(int)
    order = order[full[order]]
    if not len(order):
        msg = (
            "no voxel of the run shown holds particles in every frame: lower analysis.voxels.voxels"
        )
        raise NotThereError(msg)
    chosen = np.unique(np.linspace(0, len(order) - 1, VOXELS_SHOWN).astype(int))
    return fields, order[chosen]


def _frames(source: Source) -> int:
    frames = source.frames_stored
    if source.field == "looseness":
        return frames
    return frames - source.interval // source.campaign.creep.frame_interval


def _particles(
    source: Source, frame: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Take positions, box and values of the particles that take part."""
    run, reader = source.run, source.reader
    assert run is not None
    values = particle_values(source, source.field, frame)
    own = np.isfinite(values)
    if source.field != "looseness":
        own &= reader.species == 1
    return reader.position(run, frame)[own], reader.lattice(run)[frame], values[own]


def _times_panel(source: Source) -> Panel:
    name = f"decorrelation_times_{source.field}"
    names = {"voxels": name, "surrogate": f"{name}_surrogate"}

    def collect() -> pd.DataFrame:
        tables = {of: source.table(one, source.point) for of, one in names.items()}
        both = pd.concat(tables.values())["value"].dropna()
        if both.empty:
            msg = f"no voxel of the finished runs has a time at which it is first uncorrelated ({name})"
            raise NotThereError(msg)
        edges = np.geomspace(both.min(), both.max() * (1 + 1e-9), BINS + 1)
        parts = [_density(table, edges).assign(of=of) for of, table in tables.items()]
        return pd.concat(parts, ignore_index=True)

    def draw(axes: "Axes", table: pd.DataFrame) -> None:
        looks = {"voxels": (BLUE, "o", "-"), "surrogate": (ORANGE, "s", "--")}
        for of, (color, marker, line) in looks.items():
            own = table[(table["of"] == of) & (table["mean"] > 0)]
            with_errors(
                axes, own, "time", above_zero=True, color=color, marker=marker, ls=line,
                markersize=2.6, elinewidth=0.6, label=of,
            )  # fmt: skip
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(_time_label("decorrelation time $t_c$", source))
        axes.set_ylabel("probability density")
        legend(axes)

    return Panel(
        "D",
        "When single voxels are first uncorrelated",
        "density over voxels in logarithmic bins; mean over replicas, with its standard error; "
        "the surrogate is chance with the same persistence: what both have in common says nothing "
        f"of the glass{instead(source)}",
        tuple(names.values()),
        collect,
        draw,
    )


def _density(table: pd.DataFrame, edges: NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for replica, own in table.groupby("replica"):
        values = own["value"].dropna().to_numpy()
        counts = np.histogram(values, edges)[0]
        density = counts / max(1, counts.sum()) / np.diff(edges)
        middle = np.sqrt(edges[1:] * edges[:-1])
        rows.append(pd.DataFrame({"replica": replica, "time": middle, "density": density}))
    return over_replicas(pd.concat(rows), ["time"], "density")
