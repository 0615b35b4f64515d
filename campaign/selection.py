"""Choosing runs of a campaign by their point, their replica, or an expression."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glasscreep.campaign.problems import RefusedError
from glasscreep.tasks.errors import AbsentError

COORDINATES = ("temperature", "stress", "replica")
TOLERANCE = 1e-9
"""Relative: what a user types is one of the values of the campaign file, maybe computed."""
VALUES_SHOWN = 12

Wanted = float | slice | Sequence[float] | NDArray[Any] | None
"""A value, several, or a `slice` with both of its ends; None for all."""


def close(left: ArrayLike, right: ArrayLike) -> NDArray[np.bool_]:
    """Tell which numbers are the same, but for the last digits of a computation."""
    one, other = np.asarray(left, np.float64), np.asarray(right, np.float64)
    size = np.maximum(np.abs(one), np.abs(other))
    # What is infinite is close to nothing: of it any difference is a small part.
    return np.asarray(np.isfinite(size) & (np.abs(one - other) <= TOLERANCE * size), np.bool_)


def choose(
    runs: pd.DataFrame, temperature: Wanted = None, stress: Wanted = None, replica: Wanted = None
) -> pd.DataFrame:
    """Choose runs, refusing one condition after the other as soon as none is left.

    Parameters
    ----------
    runs : pandas.DataFrame
        With columns ``temperature``, ``stress`` and ``replica``.
    temperature, stress, replica : float, slice, sequence or None
        A value, several, or a `slice` with both of its ends; None for all [energy,
        energy / length**3, 1].

    Returns
    -------
    pandas.DataFrame
        Those of the runs that meet all conditions, in their order.

    Raises
    ------
    AbsentError
        If none does; it names the values there are.
    RefusedError
        If a condition is none of these.
    """
    said = ""
    for name, wanted in zip(COORDINATES, (temperature, stress, replica), strict=True):
        if wanted is None:
            continue
        there = runs[name].to_numpy()
        match = _matches(name, there, wanted)
        if not match.any():
            msg = (
                f"there is no run at {said}{name} {_told(wanted)}; there {name} is one of: "
                f"{_some(np.unique(there))}"
            )
            raise AbsentError(msg)
        runs, said = runs[match], f"{said}{name} {_told(wanted)}, "
    return runs


def _matches(name: str, there: NDArray[Any], wanted: Any) -> NDArray[np.bool_]:
    try:
        ends = (
            (wanted.start, wanted.stop)
            if isinstance(wanted, slice)
            else np.array(wanted, object).ravel()
        )
        if any(isinstance(end, bool | np.bool_) for end in ends):
            raise TypeError  # which would pass for 0 or 1
        if not isinstance(wanted, slice):
            values = np.atleast_1d(np.asarray(wanted, np.float64))
            if not values.size:
                raise ValueError
            met = [close(there, value) for value in values.ravel()]
            return np.asarray(np.logical_or.reduce(met), np.bool_)
        match = np.ones(len(there), bool)
        if wanted.start is not None:
            match &= (there >= float(wanted.start)) | close(there, float(wanted.start))
        if wanted.stop is not None:
            match &= (there <= float(wanted.stop)) | close(there, float(wanted.stop))
    except (TypeError, ValueError) as error:
        msg = f"{name} is {wanted!r}: give a number, a list of numbers, or slice(lowest, highest)"
        raise RefusedError(msg) from error
    if wanted.step is not None:
        msg = f"{name} is {wanted!r}: a slice has no step here, its ends alone"
        raise RefusedError(msg)
    return match


def _told(wanted: Any) -> str:
    if isinstance(wanted, slice):
        ends = ("" if end is None else f"{end:.12g}" for end in (wanted.start, wanted.stop))
        return " to ".join(ends).strip()
    return _some(np.atleast_1d(np.asarray(wanted, np.float64)))


def _some(values: NDArray[Any]) -> str:
    if len(values) <= VALUES_SHOWN:
        return ", ".join(f"{value:.12g}" for value in values)
    shown = ", ".join(f"{value:.12g}" for value in values[: VALUES_SHOWN - 1])
    return f"{shown}, ... {values[-1]:.12g} ({len(values)} values)"
