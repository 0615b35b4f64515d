"""Means with their standard errors, on axes that are linear or logarithmic."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = 0.9
"""How far down, as a part of the value, a bar goes at most on a logarithmic axis."""
OF_BARS = "a bar that would reach 0 ends at a tenth of the mean"
"""What a caption says of that."""


def with_errors(
    axes: "Axes",
    table: pd.DataFrame,
    x: str,
    *,
    band: bool = False,
    above_zero: bool = False,
    **look: Any,
) -> None:
    """Draw means of a table against a column, with standard errors as bars or as a band.

    With `above_zero`, for logarithmic axes, means of 0 are not drawn, lines end there, and bars
    and bands end above zero.
    """
    at, mean = table[x].to_numpy(), table["mean"].to_numpy(float)
    if above_zero:
        mean = np.where(mean > 0, mean, np.nan)
    bars = _bars(mean, table["stderr"].to_numpy(float), above_zero=above_zero)
    if not band:
        axes.errorbar(at, mean, bars, **look)
        return
    axes.plot(at, mean, **look)
    if bars is not None:
        low, high = mean - bars[0], mean + bars[1]
        axes.fill_between(at, low, high, color=look.get("color"), alpha=0.25, lw=0)


def _bars(
    mean: NDArray[np.float64], error: NDArray[np.float64], *, above_zero: bool
) -> NDArray[np.float64] | None:
    """Give the lengths of error bars down and up, none of a single replica."""
    if not np.isfinite(error).any():
        return None
    up = np.where(np.isfinite(error), error, 0.0)
    return np.stack([np.minimum(up, REACH * mean) if above_zero else up, up])


def zeros_told(table: pd.DataFrame) -> str:
    """Say how many means of a table a logarithmic axis does not have."""
    count = int((table["mean"] <= 0).sum())
    if count in (0, len(table)):  # all are drawn, on a linear axis if need be
        return ""
    verb = "is" if count == 1 else "are"
    return f"{count} of {len(table)} means {verb} 0, and not drawn: the axis is logarithmic"
