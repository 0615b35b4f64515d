"""Single voxels of the run shown: how their field changes, and how long they remember it."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasscreep.campaign.figures.field import field_symbol, of_field
from glasscreep.campaign.figures.labels import TIME, labelled
from glasscreep.campaign.figures.panel import Panel
from glasscreep.campaign.figures.style import BLUE, GREY, MARKERS, colours, legend
from glasscreep.campaign.report_particles import particle_values
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError
from glasscreep.tasks.looseness_results import LOOSENESS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 4
Fields = tuple[NDArray[np.float64], NDArray[np.int64]]
"""(frames, voxels) Field, and the voxels shown."""


def voxel_panels(source: Source) -> tuple[Panel, Panel]:
    """Give the field of one voxel against time, and the correlation in time of several."""
    needs = source.field, f"decorrelation_times_{source.field}", "position"
    fields = cache(partial(_fields, source))
    which = f"of {source.run_name}, frames 0 to {_frames(source) - 1}"
    chosen = "voxels chosen by how fast they forget, from the slowest on"
    return (
        Panel(
            "B",
            "One voxel against time",
            f"the slowest voxel {which}",
            needs,
            partial(_series, source, fields),
            partial(_draw_series, source=source),
        ),
        Panel(
            "C",
            "Autocorrelation in time, of single voxels",
            f"{which}, {chosen}; each voxel's own mean is removed; lags up to half the run",
            needs,
            partial(_correlations, source, fields),
            partial(_draw_correlations, system=source.system),
        ),
    )


def _series(source: Source, fields: Callable[[], Fields]) -> pd.DataFrame:
    values, shown = fields()
    return pd.DataFrame(
        {
            "time": [source.time(frame) for frame in range(len(values))],
            **{f"voxel_{voxel}": values[:, voxel] for voxel in shown[:1]},
            "system": np.nanmean(values, axis=1),
        }
    )


def _draw_series(axes: "Axes", table: pd.DataFrame, source: Source) -> None:
    (voxel,) = _voxels(table)
    axes.plot(
        table["time"], table[voxel], color=BLUE, marker="o", markersize=2.4, label="one voxel"
    )
    axes.plot(table["time"], table["system"], color=GREY, ls="--", label="mean of all")
    axes.set_xlabel(labelled("time under load", TIME, source.system))
    axes.set_ylabel(of_field(f"${field_symbol(source)}$ of a voxel", source))
    legend(axes)


def _correlations(source: Source, fields: Callable[[], Fields]) -> pd.DataFrame:
    from glasscreep.analysis.temporal import temporal_autocorrelation

    values, shown = fields()
    found = temporal_autocorrelation(values, mean="voxel", per_voxel=True).voxels
    assert found is not None
    half = -(-len(values) // 2)  # at longer lags, few pairs of frames are left
    lag = np.arange(half) * source.frame_time
    return pd.DataFrame({"time": lag, **{f"voxel_{at}": found[:half, at] for at in shown}})


def _draw_correlations(axes: "Axes", table: pd.DataFrame, system: str) -> None:
    names = _voxels(table)
    for at, (name, color) in enumerate(zip(names, colours(len(names)), strict=True)):
        axes.plot(
            table["time"], table[name], color=color, marker=MARKERS[at], markersize=2.4,
            label=name.replace("_", " "),
        )  # fmt: skip
    axes.axhline(0, color="k", lw=0.5)
    axes.set(xlabel=labelled("lag $\\Delta t$", TIME, system), ylabel="TACF of a voxel")
    legend(axes)


def _voxels(table: pd.DataFrame) -> list[str]:
    return [name for name in map(str, table) if name.startswith("voxel_")]


def _fields(source: Source) -> Fields:
    """Map the field of each frame of the run shown to voxels; choose some of these."""
    from glasscreep.analysis.voxels import voxel_field

    times = source.table(f"decorrelation_times_{source.field}", source.point)
    source.table(source.field, source.point)
    own = times[times["run"] == source.reader.run_ids[source.run or 0]].set_index("voxel")["value"]
    if own.empty:
        msg = "the run shown has no decorrelation times yet; they come when it is finished"
        raise AbsentError(msg)
    voxels = source.campaign.analysis.voxels.voxels
    frames = (_particles(source, frame) for frame in range(_frames(source)))
    fields = np.stack([voxel_field(*frame, voxels).mean.ravel() for frame in frames])
    full = np.asarray(np.isfinite(fields).all(axis=0))
    order = own[own.notna()].sort_values(ascending=False, kind="stable").index.to_numpy(int)
    order = order[full[order]]
    if not len(order):
        msg = (
            "no voxel of the run shown holds particles in every frame: lower analysis.voxels.voxels"
        )
        raise AbsentError(msg)
    chosen = np.unique(np.linspace(0, len(order) - 1, SHOWN).astype(int))
    return fields, order[chosen]


def _frames(source: Source) -> int:
    frames = source.frames_stored
    if source.field == LOOSENESS:
        return frames
    return max(0, frames - source.interval // source.campaign.creep.frame_interval)


def _particles(
    source: Source, frame: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Take positions, box and values of the particles that take part."""
    run, reader = source.run, source.reader
    assert run is not None
    values = particle_values(source, source.field, frame)
    own = np.isfinite(values)
    if source.field != LOOSENESS:
        own &= reader.species == 1
    return reader.position(run, frame)[own], reader.lattice(run)[frame], values[own]
