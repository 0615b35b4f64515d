"""Means and standard deviations, as tables write them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def spread(values: ArrayLike) -> Any:
    """Give the standard deviation of values as of a sample, along the first axis; 0 of one."""
    table = np.asarray(values, np.float64)
    return table.std(axis=0, ddof=1) if len(table) > 1 else np.zeros(table.shape[1:])


def written(values: Sequence[float], digits: int = 3) -> str:
    """Write a mean, and the standard deviation if there are two values or more."""
    if not len(values):
        return "not fitted"
    mean = f"{np.mean(values):,.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {float(spread(values)):,.{digits}f}"


def percent(values: Sequence[float]) -> str:
    """Write a mean and a standard deviation, in percent."""
    return written([100 * value for value in values], 1)


def fitted(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Take those that were not refused."""
    return [row for row in rows if "refused" not in row]


def refusals(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say why others were not fitted, each reason once."""
    return [f"not fitted: {one}" for one in sorted({r["refused"] for r in rows if "refused" in r})]
