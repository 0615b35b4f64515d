"""The map of a campaign's points: where each is drawn, and what is drawn of its progress."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANKED_MOST = 150
"""Distinct values of an axis up to which each has a row or a column of its own."""
LABELS_MOST = 16
COUNTED_MOST = 64
"""Points up to which the map has room for their counts."""
_FILL = 0.96
_DARK = 0.55
"""Progress from which white text is the legible one."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Places of the points along one axis of the map."""

    at: NDArray[np.float64]
    """(points,) Place of each point."""
    size: float
    """Edge of a cell, in the same units."""
    start: float
    """Where the axis starts."""
    end: float
    """Where it ends."""
    labels: dict[float, str]
    """What is written at a place; empty where places are the values themselves."""


def axis_of(values: NDArray[np.float64]) -> Axis:
    """Lay the points of a map out along an axis.

    Each distinct value has a row of its own, as wide as all others, so that a few values far apart
    are as legible as many close together. Where that leaves less than a few pixels for a row,
    points are at their values.

    Parameters
    ----------
    values : (points,) float
        Temperature or stress of each point.
    """
    distinct, rank = np.unique(values, return_inverse=True)
    if len(distinct) > RANKED_MOST:
        span = float(distinct[-1] - distinct[0])
        size = span / RANKED_MOST
        return Axis(values, size, float(distinct[0]) - size, float(distinct[-1]) + size, {})
    last = len(distinct) - 1
    labelled = range(0, last + 1, -(-len(distinct) // LABELS_MOST))
    labels = {float(place): f"{distinct[place]:.6g}" for place in labelled}
    return Axis(rank.reshape(-1).astype(float), _FILL, -0.5, last + 0.5, labels)


def progress_columns(points: NDArray[np.float64]) -> dict[str, Any]:
    """Make the columns of a map that change as the campaign moves.

    Parameters
    ----------
    points : (points, 5) float
        Temperature, stress, frames done, frames asked for, failed runs.

    Returns
    -------
    dict
        ``done``, ``wanted``, ``failed``, and ``progress``, in per cent and nan where every run has
        failed; ``count`` and its ``count_color``, the text in the cells of a small map.
    """
    done, wanted, failed = points[:, 2], points[:, 3], points[:, 4]
    asked = np.where(wanted > 0, wanted, np.nan)
    columns = {"done": done, "wanted": wanted, "failed": failed, "progress": 100 * done / asked}
    if len(points) <= COUNTED_MOST:
        shown = [f"{int(d)}/{int(w)}" if w else "" for d, w in zip(done, wanted, strict=True)]
        dark = columns["progress"] > 100 * _DARK
        columns["count"] = np.array(shown)
        columns["count_color"] = np.where(dark, "#ffffff", "#222222")
    return columns


def failure_columns(x: Axis, y: Axis, points: NDArray[np.float64]) -> dict[str, Any]:
    """Make the columns of the marks on points of which runs have failed."""
    marked = points[:, 4] > 0
    # In the upper right corner, so that the count stays legible.
    inset = 0.3 if len(points) <= COUNTED_MOST else 0.0
    return {"x": x.at[marked] + inset * x.size, "y": y.at[marked] + inset * y.size}


def furthest(points: NDArray[np.float64]) -> list[int]:
    """Choose the point with the most frames, whose strain is shown at first."""
    return [int(np.argmax(points[:, 2]))] if len(points) else []
