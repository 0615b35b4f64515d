"""Averages over replicas: against time, of the same ones all along, however far others are."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

POINT = ["temperature", "stress"]
BEHIND = "behind"
"""Attribute of a table of averages: by point, the replicas that are left out with their frames."""
NAMED_MOST = 12
"""Replicas that a sentence names."""


def in_common(table: "pd.DataFrame") -> "pd.DataFrame":
    """Take of one point the runs that have come so far that there are most values to average.

    If each frame were averaged over the runs that have it, a curve would jump where one ends.
    If that is so of several times, the earliest is taken, up to which there are most runs.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns ``run``, ``time`` and others; each run has all times up to its last.

    Returns
    -------
    pandas.DataFrame
        Rows of these runs, up to the last time that all of them have.
    """
    if table.empty:
        return table
    ends = table.groupby("run")["time"].max().sort_values()
    frames = np.searchsorted(np.unique(table["time"]), ends, side="right")
    end = ends.iloc[int(np.argmax(frames * np.arange(len(ends), 0, -1)))]
    shown = ends.index[ends >= end]
    kept: pd.DataFrame = table[table["run"].isin(shown) & (table["time"] <= end)]
    return kept


def same_replicas(table: "pd.DataFrame") -> "pd.DataFrame":
    """Take of each point what `in_common` does."""
    import pandas as pd

    return pd.concat([in_common(own) for _, own in table.groupby(POINT, sort=True)])


def over_replicas(table: "pd.DataFrame", by: list[str], value: str) -> "pd.DataFrame":
    """Average over replicas, each having its own mean first.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, then ``mean``, ``stderr``, the standard error of it (nan of one replica),
        and ``replicas``.
    """
    own = table.groupby([*by, "replica"], sort=True)[value].mean()
    groups = own.groupby(level=list(range(len(by))))
    result = groups.agg(["mean", "std", "count"]).reset_index()
    result["stderr"] = result["std"] / np.sqrt(result["count"])
    result["replicas"] = result["count"]
    return result[[*by, "mean", "stderr", "replicas"]]


def over_same_replicas(
    runs: "pd.DataFrame", table: "pd.DataFrame", by: list[str], value: str
) -> "pd.DataFrame":
    """Average over the replicas that `in_common` chooses of each point.

    Parameters
    ----------
    runs : pandas.DataFrame
        All runs of the campaign, with point and ``replica``.
    table : pandas.DataFrame
        Point, ``run``, ``replica``, ``time``, and `by` and `value`.

    Returns
    -------
    pandas.DataFrame
        Point, then as `over_replicas`; its attribute `BEHIND` has who is left out.
    """
    kept = same_replicas(table)
    result = over_replicas(kept, [*POINT, *by], value)
    result.attrs[BEHIND] = left_out(runs, table, kept)
    return result


def left_out(
    runs: "pd.DataFrame", table: "pd.DataFrame", kept: "pd.DataFrame"
) -> dict[tuple[float, float], dict[int, int]]:
    """Count the frames of replicas that are not among those kept, by point and replica."""
    frames = table.groupby([*POINT, "replica"])["time"].nunique()
    averaged = set(kept[[*POINT, "replica"]].itertuples(index=False, name=None))
    shown = {key[:2] for key in averaged}
    found: dict[tuple[float, float], dict[int, int]] = {}
    for key in runs[[*POINT, "replica"]].itertuples(index=False, name=None):
        if key[:2] in shown and key not in averaged:
            found.setdefault(key[:2], {})[int(key[2])] = int(frames.get(key, 0))
    return found


def with_error(value: float, error: float) -> str:
    """Write a value to the place of its error's first digit."""
    if np.isnan(value):
        return "-"
    if not np.isfinite(error) or error == 0:
        return f"{value:.4g}"
    places = max(0, -math.floor(math.log10(error)))
    return f"{value:.{places}f} ± {error:.{places}f}"


def replicas_told(table: "pd.DataFrame") -> str:
    """Say over how many replicas or samples a table is averaged, and which are left out."""
    parts = [_number(table, name) for name in ("replicas", "samples") if name in table]
    behind = table.attrs.get(BEHIND, {})
    if {*POINT} <= {*table}:
        there = set(table[POINT].itertuples(index=False, name=None))
        behind = {point: of for point, of in behind.items() if point in there}
    if behind:
        parts.append(f"not in the means, having fewer frames: {_named(behind)}")
    told = "; ".join(parts)
    return told[:1].upper() + told[1:]


def _number(table: "pd.DataFrame", name: str) -> str:
    least, most = int(table[name].min()), int(table[name].max())
    return f"{name}: {least}" if least == most else f"{name}: {least} to {most}, see the table"


def _named(behind: Mapping[tuple[float, float], Mapping[int, int]]) -> str:
    """Name replicas with their frames, point by point, as many as a sentence holds."""
    every = [
        (point, frames, replica)
        for point, of in sorted(behind.items())
        for replica, frames in sorted(of.items())
    ]
    alike: dict[tuple[tuple[float, float], int], list[str]] = {}
    for point, frames, replica in every[:NAMED_MOST]:
        alike.setdefault((point, frames), []).append(str(replica))
    parts = [
        f"{', '.join(names)} ({frames:,} frames) at temperature {point[0]:g}, stress {point[1]:g}"
        for (point, frames), names in alike.items()
    ]
    left = len(every) - NAMED_MOST
    more = f" and {left:,} more" if left > 0 else ""
    return "; ".join(parts) + more
