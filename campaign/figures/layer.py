"""A layer of particles of a frame, coloured by how far each departs from an affine motion."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasscreep.campaign.figures.labels import AREA, D2MIN_LABEL, LENGTH, labelled
from glasscreep.campaign.figures.panel import Panel
from glasscreep.campaign.figures.style import SEQUENTIAL
from glasscreep.campaign.report_particles import particle_values
from glasscreep.campaign.report_source import Source
from glasscreep.tasks.errors import AbsentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF_LAYER = 0.75
"""In mean distances of particles."""
DIAMETERS = {"A": 1.0, "B": 0.7}
"""That circles are drawn with, in mean distances of particles."""


def layer_panel(source: Source) -> Panel:
    """Give the layer, across the axis that comes second, around the particle of largest D2min."""
    name = f"d2min_{source.interval}"
    frame = source.frame - source.interval // source.campaign.creep.frame_interval
    which = f". {source.frame_name(frame)}" if frame >= 0 else ""
    return Panel(
        "E",
        "Where particles rearrange: a layer of one frame",
        f"D²min over the next {source.interval:,} steps, in a layer normal to y, 1.5 mean distances "
        "of particles thick, around the particle of largest D²min; small circles are B"
        f"{which}. Not in the paper's figure",
        (name, "position"),
        partial(_layer, source, name, frame),
        partial(_draw_layer, system=source.system),
    )


def _layer(source: Source, name: str, frame: int) -> pd.DataFrame:
    source.table(name, source.point)
    run, reader = source.run, source.reader
    if run is None or frame < 0:
        msg = f"the run shown has no frame yet that D2min over {source.interval} steps starts at"
        raise AbsentError(msg)
    d2min = particle_values(source, name, frame)
    if not (d2min > 0).any():
        msg = f"{name} of frame {frame} of the run shown is 0 of all particles"
        raise AbsentError(msg)
    position, lattice = reader.position(run, frame), reader.lattice(run)[frame]
    spacing = (np.linalg.det(lattice) / len(position)) ** (1 / 3)
    depth = lattice[1, 1]
    apart = position[:, 1] - position[np.nanargmax(d2min), 1]
    near = np.abs(apart - depth * np.round(apart / depth)) < HALF_LAYER * spacing
    near &= np.isfinite(d2min)
    species = np.where(reader.species[near] == 1, "A", "B")
    return pd.DataFrame(
        {
            "particle": np.flatnonzero(near) + 1,
            "species": species,
            **dict(zip("xyz", position[near].T, strict=True)),
            "d2min": d2min[near],
            "diameter": [DIAMETERS[one] * spacing for one in species],
            "run": reader.run_ids[run],
            "frame": frame,
            "time": source.time(frame),
        }
    )


def _draw_layer(axes: "Axes", table: pd.DataFrame, system: str) -> None:
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import LogNorm

    size = table["diameter"].to_numpy()
    values = table["d2min"].to_numpy()
    low, high = np.quantile(values[values > 0], [0.02, 1.0])
    circles = EllipseCollection(
        size, size, np.zeros(len(size)), units="xy", offsets=table[["x", "z"]].to_numpy(),
        offset_transform=axes.transData, cmap=SEQUENTIAL, norm=LogNorm(low, max(high, 2 * low)),
        edgecolors="k", rasterized=True, linewidths=0.15,
    )  # fmt: skip
    circles.set_array(values)
    axes.add_collection(circles)
    axes.set_aspect("equal")
    axes.set_xlim(table["x"].min() - 1, table["x"].max() + 1)
    axes.set_ylim(table["z"].min() - 1, table["z"].max() + 1)
    axes.set_xlabel(labelled("$x$", LENGTH, system))
    axes.set_ylabel(labelled("$z$", LENGTH, system))
    label = labelled(D2MIN_LABEL, AREA, system)
    axes.figure.colorbar(circles, ax=axes, label=label, pad=0.02)
