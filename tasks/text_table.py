"""Rows of numbers as text from which each comes back as it was."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FORMATS = {("f", 8): "%.17g", ("f", 4): "%.9g"}
"""By kind and size: as many digits as it takes to tell every number from the next."""


def number(value: float) -> str:
    """Write a number in double precision, with no more digits than it takes."""
    return repr(float(value))


def as_columns(values: NDArray[Any]) -> list[NDArray[Any]]:
    """Take a number for each particle, (n,), or several, (n, k), apart into columns."""
    return list(np.atleast_2d(values.T))


def rows(columns: Sequence[NDArray[Any]]) -> str:
    """Write columns side by side, a line for each row.

    Parameters
    ----------
    columns : sequence of (n,) int or float
        Floats are written so that they are read back equal in their own precision.

    Returns
    -------
    str
        Ends with a line break.
    """
    # Half the time of numpy.savetxt, which takes all columns for one type.
    line = " ".join(_format(column) for column in columns) + "\n"
    return "".join(map(line.__mod__, _tuples(columns)))


def _format(column: NDArray[Any]) -> str:
    return _FORMATS.get((column.dtype.kind, column.dtype.itemsize), "%d")


def _tuples(columns: Sequence[NDArray[Any]]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)
